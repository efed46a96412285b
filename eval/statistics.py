"""How sure a number is: intervals, paired differences, tests.

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
_EQUAL = 1e-12  # sums of shares that differ by less are equal

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
    for i in range(resamples):
        drawn = generator.integers(len(sums), size=len(sums))
        means[i] = sums[drawn].sum() / sizes[drawn].sum()
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(math.fsum(values) / len(values), float(low), float(high))


def sign_test(wins: int, losses: int) -> float:
    """Exact two-sided p-value of "either run wins as often as the other".

    With n = wins + losses: p = min(1, 2 Σ_{k ≤ min(wins, losses)} C(n, k) / 2ⁿ), 1 when neither
    ever wins. Over questions that are right or wrong it is McNemar's exact test (McNemar 1947).

    :return: In (0, 1].
    """
    n = wins + losses
    # Whole numbers until the division: 2ⁿ has no float where many questions flip.
    tail = sum(math.comb(n, k) for k in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / (1 << n))


def holm(pvalues: Sequence[float]) -> list[float]:
    """Adjust p-values for the number of comparisons (family-wise error, no assumption).

    With the m p-values sorted, p₍₁₎ ≤ … ≤ p₍ₘ₎: adjusted p₍ᵢ₎ = min(1, max_{j ≤ i} (m-j+1) p₍ⱼ₎).
    Source: Holm 1979, *A Simple Sequentially Rejective Multiple Test Procedure*.

    :return: The adjusted ones in the order of the input.
    """
    adjusted = [0.0] * len(pvalues)
    largest = 0.0
    for rank, i in enumerate(sorted(range(len(pvalues)), key=pvalues.__getitem__)):
        largest = max(largest, (len(pvalues) - rank) * pvalues[i])
        adjusted[i] = min(1.0, largest)
    return adjusted


class Difference(NamedTuple):
    """How much higher one run's measure is than the other's, on the questions that both have.

    :ivar mean: Of the differences question by question.
    :ivar interval: By cluster bootstrap; ``None`` for fewer than two clusters.
    :ivar p: Of the exact sign test over clusters, adjusted by Holm for the measures compared.
    """

    measure: str
    questions: int
    mean: float
    interval: Interval | None
    p: float


def differences(ours: Values, theirs: Values, clusters: Mapping[str, str]) -> list[Difference]:
    """Compare every measure that both runs have, question by question.

    An interval that holds zero shows no difference, whatever the two means look like. The sign test
    counts in how many clusters one run has the higher sum: it asks which run wins more often, the
    interval by how much. Source: Miller 2024 (2411.00640, paired differences).

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
        sums = dict.fromkeys(groups, 0.0)
        for group, difference in zip(groups, apart, strict=True):
            sums[group] += difference
        interval = cluster_bootstrap(apart, groups) if len(sums) > 1 else None
        wins = sum(s > _EQUAL for s in sums.values())
        losses = sum(s < -_EQUAL for s in sums.values())
        mean = sum(apart) / len(ids)
        found.append(Difference(measure, len(ids), mean, interval, sign_test(wins, losses)))
    adjusted = holm([difference.p for difference in found])
    return [d._replace(p=p) for d, p in zip(found, adjusted, strict=True)]


def flips(ours: Mapping[str, float], theirs: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """Return the ids of questions that went better in ``ours``, and of those that went worse."""
    both = [q for q in ours if q in theirs]
    return [q for q in both if ours[q] > theirs[q]], [q for q in both if ours[q] < theirs[q]]
