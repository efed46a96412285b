"""How sure a number is: intervals, and paired differences of two runs.

Questions about one paragraph rise and fall together, so that treating them as independent makes
intervals too narrow: everything is resampled by cluster (Miller 2024, *Adding Error Bars to
Evals*, 2411.00640). Two runs over the same questions are compared question by
question, which takes out what is hard about the questions themselves.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95

Values: TypeAlias = Mapping[str, Mapping[str, float]]
"""Question id to its value of every measure that applies."""


class Estimate(NamedTuple):
    """The mean over ``n`` questions, and its two-sided 95 % interval.

    Fewer than two clusters have none: one tells nothing about the next.
    """

    mean: float
    low: float | None
    high: float | None
    n: int


def cluster_bootstrap(
    values: Sequence[float], clusters: Sequence[str], *, resamples: int = RESAMPLES
) -> Estimate:
    """Mean of the values, with a percentile interval from resampling whole clusters.

    With C clusters, of which cluster c has the sum S_c over n_c values, a resample draws C
    clusters with replacement and has the mean Σ S_c / Σ n_c; the bounds are the 2.5th and 97.5th
    percentiles of these means. The same values give the same bounds, in whatever order
    the clusters come. Two limits: below some twenty clusters the interval is too narrow, and
    where all values are equal it has no width, which is not certainty.

    Source: Efron and Tibshirani 1993, chapter 13 (percentile interval); Field and Welsh 2007
    (resampling clusters); Miller 2024 (2411.00640, clustered standard errors), for evals.

    :param values: One value for each question; there has to be one.
    :param clusters: What each question belongs to, such as its paragraph; the question's own id
        where questions are independent.
    :param resamples: Number of resamples, at least 1.
    """
    members: defaultdict[str, list[float]] = defaultdict(list)
    for value, cluster in zip(values, clusters, strict=True):
        members[cluster].append(value)
    mean, low, high = math.fsum(values) / len(values), None, None
    if len(members) > 1:
        ordered = [members[cluster] for cluster in sorted(members)]
        sums = np.array([math.fsum(group) for group in ordered])
        sizes = np.array([len(group) for group in ordered])
        drawn = np.random.default_rng(0).integers(len(sums), size=(resamples, len(sums)))
        means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(means, [tail, 1 - tail]).tolist()
    return Estimate(mean, low, high, len(values))


def differences(ours: Values, theirs: Values, clusters: Mapping[str, str]) -> dict[str, Estimate]:
    """Compare every measure that both runs have, on the questions that both have, one by one.

    An interval that holds zero shows no difference, whatever the two means look like. Source:
    Miller 2024 (2411.00640, paired differences).

    :param ours: Of the run whose gain is positive.
    :param theirs: Of the run that it is compared with.
    :param clusters: Question id to its cluster, such as its paragraph.
    :return: By measure, in the order of ``ours``.
    """
    found: dict[str, Estimate] = {}
    for measure in dict.fromkeys(name for values in ours.values() for name in values):
        ids = [q for q in ours if measure in ours[q] and measure in theirs.get(q, {})]
        if ids:
            apart = [ours[q][measure] - theirs[q][measure] for q in ids]
            found[measure] = cluster_bootstrap(apart, [clusters[q] for q in ids])
    return found


def flips(ours: Mapping[str, float], theirs: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """Return the ids of questions that went better in ``ours``, and of those that went worse."""
    both = [q for q in ours if q in theirs]
    return [q for q in both if ours[q] > theirs[q]], [q for q in both if ours[q] < theirs[q]]
