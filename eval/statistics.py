"""How sure a number is: intervals, paired differences, tests.

Questions about one paragraph rise and fall together, so that treating them as independent makes
intervals too narrow: everything is resampled by cluster (Miller 2024, *Adding Error Bars to
Evals*, 2411.00640). Two runs over the same questions are compared question by
question, which takes out what is hard about the questions themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

RESAMPLES = 2000
CONFIDENCE = 0.95


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
    :raises ValueError: If the lengths differ, there are fewer than two clusters (one tells nothing
        about the next: give the mean alone), a value is not finite, or ``resamples`` is below 1.
    """
    if resamples < 1:
        raise ValueError(f"resamples is {resamples}; it must be at least 1")
    sums, sizes = _cluster_sums(values, clusters)
    if len(sums) < 2:
        raise ValueError(f"an interval needs at least two clusters, there are {len(sums)}")
    generator = np.random.default_rng(seed)
    means = np.empty(resamples)
    for i in range(resamples):
        drawn = generator.integers(len(sums), size=len(sums))
        means[i] = sums[drawn].sum() / sizes[drawn].sum()
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(math.fsum(values) / len(values), float(low), float(high))


def _cluster_sums(
    values: Sequence[float], clusters: Sequence[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Sum and number of the values of each cluster, in the order of the clusters' names."""
    if len(values) != len(clusters):
        raise ValueError(f"there are {len(values)} values but {len(clusters)} clusters")
    members: dict[str, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        if not math.isfinite(value):
            raise ValueError(f"value {value} of cluster {cluster!r} is not a finite number")
        members.setdefault(cluster, []).append(value)
    ordered = [members[cluster] for cluster in sorted(members)]
    sums = np.array([math.fsum(group) for group in ordered])
    return sums, np.array([float(len(group)) for group in ordered])


def paired_difference(
    a: Sequence[float],
    b: Sequence[float],
    clusters: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Mean of aᵢ - bᵢ over the questions, with its cluster-bootstrap interval.

    Above zero, ``a`` is better. An interval that holds zero shows no difference, whatever the two
    means look like. Source: Miller 2024 (2411.00640, paired differences).

    :param a: One value for each question, of one run.
    :param b: Of the other run, the same questions in the same order.
    :param clusters: As for ``cluster_bootstrap``.
    :param resamples: As for ``cluster_bootstrap``.
    :param seed: As for ``cluster_bootstrap``.
    :return: Mean difference and bounds.
    :raises ValueError: If the lengths differ, and as ``cluster_bootstrap``.
    """
    if len(a) != len(b):
        raise ValueError(f"the runs have {len(a)} and {len(b)} values; they must be paired")
    differences = [x - y for x, y in zip(a, b, strict=True)]
    return cluster_bootstrap(differences, clusters, resamples=resamples, seed=seed)


def mcnemar(a_correct: Sequence[bool], b_correct: Sequence[bool]) -> float:
    """Exact two-sided p-value of "both runs are right equally often".

    With n₁₀ questions that only ``a`` got right, n₀₁ that only ``b`` did and n = n₁₀ + n₀₁:
    p = min(1, 2 Σ_{k ≤ min(n₁₀, n₀₁)} C(n, k) / 2ⁿ), 1 when no question flipped. It takes
    questions for independent: where several share a paragraph, trust ``paired_difference``.

    Source: McNemar 1947; the exact form is the sign test of the questions that flipped.

    :param a_correct: Whether one run was right, for each question.
    :param b_correct: Whether the other was, the same questions in the same order.
    :return: In (0, 1].
    :raises ValueError: If the lengths differ.
    """
    if len(a_correct) != len(b_correct):
        raise ValueError(f"the runs have {len(a_correct)} and {len(b_correct)} values")
    only_a = sum(bool(x) and not y for x, y in zip(a_correct, b_correct, strict=True))
    only_b = sum(bool(y) and not x for x, y in zip(a_correct, b_correct, strict=True))
    n = only_a + only_b
    # Whole numbers until the division: 2ⁿ has no float where many questions flip.
    tail = sum(math.comb(n, k) for k in range(min(only_a, only_b) + 1))
    return min(1.0, 2 * tail / (1 << n))


def holm(pvalues: Sequence[float]) -> list[float]:
    """Adjust p-values for the number of comparisons (family-wise error, no assumption).

    With the m p-values sorted, p₍₁₎ ≤ … ≤ p₍ₘ₎: adjusted p₍ᵢ₎ = min(1, max_{j ≤ i} (m-j+1) p₍ⱼ₎).
    Source: Holm 1979, *A Simple Sequentially Rejective Multiple Test Procedure*.

    :param pvalues: One for each comparison, in [0, 1].
    :return: The adjusted ones in the order of the input.
    :raises ValueError: If a p-value is out of range.
    """
    for p in pvalues:
        if not 0 <= p <= 1:
            raise ValueError(f"p-value {p} is not in [0, 1]")
    adjusted = [0.0] * len(pvalues)
    largest = 0.0
    for rank, i in enumerate(sorted(range(len(pvalues)), key=pvalues.__getitem__)):
        largest = max(largest, (len(pvalues) - rank) * pvalues[i])
        adjusted[i] = min(1.0, largest)
    return adjusted
