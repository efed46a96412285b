"""How sure a number is: intervals, and paired differences of two runs.

Questions about one paragraph rise and fall together, so that treating them as independent makes
intervals too narrow: everything is resampled by cluster (Miller 2024, *Adding Error Bars to
Evals*, 2411.00640). Two runs over the same questions are compared question by
question, which takes out what is hard about the questions themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95
_DRAWN_AT_ONCE = 500_000  # clusters: some megabytes

Values: TypeAlias = Mapping[str, Mapping[str, float]]
"""Question id to its value of every measure that applies."""


class Interval(NamedTuple):
    """A mean and its two-sided 95 % interval."""

    mean: float
    low: float
    high: float


def cluster_bootstrap(
    values: Sequence[float],
    clusters: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Mean of the values, with a percentile interval from resampling whole clusters.

    With C clusters, of which cluster c has the sum S_c over n_c values, a resample draws C
    clusters with replacement and has the mean Σ S_c / Σ n_c; the bounds are the 2.5th and 97.5th
    percentiles of these means. The same seed and values give the same bounds, in whatever order
    the clusters come. Two limits: below some twenty clusters the interval is too narrow, and
    where all values are equal it has no width, which is not certainty.

    Source: Efron and Tibshirani 1993, chapter 13 (percentile interval); Field and Welsh 2007
    (resampling clusters); Miller 2024 (2411.00640, clustered standard errors), for evals.

    :param values: One value for each question.
    :param clusters: What each question belongs to, such as its paragraph; the question's own id
        where questions are independent.
    :param resamples: Number of resamples, at least 1.
    :param seed: Of the random generator.
    :return: The plain mean of ``values`` and the bounds.
    :raises ValueError: If there are fewer than two clusters: one tells nothing about the next, so
        give the mean alone.
    """
    members: dict[str, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        members.setdefault(cluster, []).append(value)
    if len(members) < 2:
        raise ValueError(f"an interval needs at least two clusters, there are {len(members)}")
    ordered = [members[cluster] for cluster in sorted(members)]
    sums = np.array([math.fsum(group) for group in ordered])
    sizes = np.array([float(len(group)) for group in ordered])
    generator = np.random.default_rng(seed)
    means = np.empty(resamples)
    together = max(1, _DRAWN_AT_ONCE // len(sums))
    for first in range(0, resamples, together):
        size = (min(together, resamples - first), len(sums))
        drawn = generator.integers(len(sums), size=size)
        means[first : first + together] = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(math.fsum(values) / len(values), float(low), float(high))


class Difference(NamedTuple):
    """How much higher one run's measure is than the other's, on the questions that both have.

    :ivar mean: Of the differences question by question.
    :ivar interval: By cluster bootstrap; ``None`` for fewer than two clusters.
    """

    measure: str
    questions: int
    mean: float
    interval: Interval | None


def differences(ours: Values, theirs: Values, clusters: Mapping[str, str]) -> list[Difference]:
    """Compare every measure that both runs have, question by question.

    An interval that holds zero shows no difference, whatever the two means look like. Source:
    Miller 2024 (2411.00640, paired differences).

    :param ours: Of the run whose gain is positive.
    :param theirs: Of the run that it is compared with.
    :param clusters: Question id to its cluster, such as its paragraph.
    :return: One for each measure, in the order of ``ours``.
    """
    found: list[Difference] = []
    for measure in dict.fromkeys(name for values in ours.values() for name in values):
        ids = [q for q in ours if measure in ours[q] and measure in theirs.get(q, {})]
        if not ids:
            continue
        apart = [ours[q][measure] - theirs[q][measure] for q in ids]
        groups = [clusters[q] for q in ids]
        interval = cluster_bootstrap(apart, groups) if len(set(groups)) > 1 else None
        found.append(Difference(measure, len(ids), sum(apart) / len(ids), interval))
    return found


def flips(ours: Mapping[str, float], theirs: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """Return the ids of questions that went better in ``ours``, and of those that went worse."""
    both = [q for q in ours if q in theirs]
    return [q for q in both if ours[q] > theirs[q]], [q for q in both if ours[q] < theirs[q]]
