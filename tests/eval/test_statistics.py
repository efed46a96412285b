import math
import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eval.statistics import cluster_bootstrap, holm, mcnemar, paired_difference

# -------------------------------------------------------------------------- cluster bootstrap


def test_two_clusters_have_three_possible_means():
    # a: sum 3 of 3; b: sum 0 of 1. Resamples aa, ab, ba, bb: 6/6, 3/4, 3/4, 0/2.
    interval = cluster_bootstrap([1, 1, 1, 0], ["a", "a", "a", "b"])
    assert interval.mean == 3 / 4
    assert (interval.low, interval.high) == (0, 1)


def test_bounds_are_the_quantiles_of_the_resampled_means():
    # Ten clusters of one value, four of them 1: ten times a resample's mean is Binomial(10, 4/10),
    # with P(X ≤ 0) = .006, P(X ≤ 1) = .046, P(X ≤ 6) = .945, P(X ≤ 7) = .988.
    interval = cluster_bootstrap([1] * 4 + [0] * 6, list("abcdefghij"), resamples=20_000)
    assert interval == (4 / 10, 1 / 10, 7 / 10)
    assert stats.binom(10, 0.4).interval(0.95) == (1, 7)


def test_mean_weighs_questions_and_not_clusters():
    assert cluster_bootstrap([1, 1, 1, 0], ["a", "a", "a", "b"]).mean == 3 / 4


def _clustered(clusters, size, spread, seed=1):
    """Values that share their cluster's part, of standard deviation ``spread``."""
    generator = np.random.default_rng(seed)
    shared = np.repeat(generator.normal(0, spread, clusters), size)
    values = (shared + generator.normal(0, 1, clusters * size)).tolist()
    return values, [f"c{i:04}" for i in range(clusters) for _ in range(size)]


def test_interval_agrees_with_the_clustered_standard_error():
    # Miller 2024: SE = sqrt(Σ over clusters of (Σ of deviations)²) / n
    values, clusters = _clustered(300, 5, spread=1)
    deviations = np.array(values).reshape(300, 5) - np.mean(values)
    error = math.sqrt((deviations.sum(axis=1) ** 2).sum()) / len(values)
    interval = cluster_bootstrap(values, clusters, resamples=4000)
    assert interval.mean == pytest.approx(np.mean(values))
    assert interval.high - interval.mean == pytest.approx(1.96 * error, rel=0.1)
    assert interval.mean - interval.low == pytest.approx(1.96 * error, rel=0.1)


def test_large_clusters_weigh_more_in_every_resample():
    # 100 clusters of nine right questions, 100 of one wrong: mean 900 / 1000
    values = [1.0] * 900 + [0.0] * 100
    clusters = [f"right{i % 100}" for i in range(900)] + [f"wrong{i}" for i in range(100)]
    # deviations: 100 × (9 × 0.1)² + 100 × (1 × 0.9)²
    error = math.sqrt(100 * (9 * 0.1) ** 2 + 100 * (1 * 0.9) ** 2) / 1000
    interval = cluster_bootstrap(values, clusters, resamples=4000)
    assert interval.mean == 0.9
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert interval.low < 0.9 < interval.high


def test_clusters_widen_the_interval():
    values, clusters = _clustered(100, 5, spread=2)
    ignored = [str(i) for i in range(len(values))]
    clustered, independent = (cluster_bootstrap(values, c) for c in (clusters, ignored))
    # Design effect 1 + (5 - 1) ρ with ρ = 2² / (2² + 1²): sqrt(1 + 4 × 0.8) = 2.05 times as wide
    ratio = (clustered.high - clustered.low) / (independent.high - independent.low)
    assert ratio == pytest.approx(math.sqrt(1 + 4 * 0.8), rel=0.15)


def test_single_clusters_agree_with_scipy():
    values, _ = _clustered(200, 1, spread=0)
    ours = cluster_bootstrap(values, [str(i) for i in range(200)], resamples=4000)
    theirs = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=4000,
        method="percentile",
        rng=np.random.default_rng(5),
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=width / 20)
    assert ours.high == pytest.approx(theirs.high, abs=width / 20)


def test_interval_holds_the_truth_about_95_times_in_100():
    held = 0
    for seed in range(200):
        values, clusters = _clustered(60, 3, spread=1, seed=seed)
        interval = cluster_bootstrap(values, clusters, resamples=300, seed=seed)
        held += interval.low <= 0 <= interval.high
    assert 0.90 <= held / 200 <= 0.98


def test_same_seed_same_interval_in_any_order():
    values, clusters = _clustered(20, 3, spread=1)
    first = cluster_bootstrap(values, clusters)
    assert cluster_bootstrap(values, clusters) == first
    assert cluster_bootstrap(values, clusters, seed=1) != first
    pairs = list(zip(values, clusters, strict=True))
    random.Random(2).shuffle(pairs)
    assert cluster_bootstrap([v for v, _ in pairs], [c for _, c in pairs]) == first


@pytest.mark.parametrize(
    ("values", "clusters", "resamples", "message"),
    [
        ([1, 0], ["a"], 10, "2 values but 1 clusters"),
        ([1, 0], ["a", "a"], 10, "at least two clusters, there are 1"),
        ([], [], 10, "at least two clusters, there are 0"),
        ([1, math.nan], ["a", "b"], 10, "'b' is not a finite number"),
        ([1, 0], ["a", "b"], 0, "resamples is 0"),
    ],
)
def test_cluster_bootstrap_refuses(values, clusters, resamples, message):
    with pytest.raises(ValueError, match=message):
        cluster_bootstrap(values, clusters, resamples=resamples)


# -------------------------------------------------------------------------- paired difference


def test_paired_difference_takes_out_what_the_questions_share():
    # b is always 0.1 below a, on questions of very different difficulty: no doubt is left.
    a = [0.1, 0.5, 0.9, 0.3]
    interval = paired_difference(a, [x - 0.1 for x in a], ["p", "p", "q", "r"])
    assert interval == pytest.approx((0.1, 0.1, 0.1))


def test_paired_difference_is_a_minus_b():
    a, b, clusters = [1, 1, 0, 1, 1, 0], [0, 1, 0, 0, 1, 1], list("ppqqrr")
    interval = paired_difference(a, b, clusters)
    assert interval.mean == pytest.approx((1 + 0 + 0 + 1 + 0 - 1) / 6)
    assert interval == cluster_bootstrap([1, 0, 0, 1, 0, -1], clusters)
    swapped = paired_difference(b, a, clusters)
    assert swapped == pytest.approx((-interval.mean, -interval.high, -interval.low))


def test_paired_difference_passes_seed_and_resamples_on():
    values, clusters = _clustered(20, 2, spread=1)
    zeros = [0.0] * len(values)
    for options in ({"seed": 4}, {"resamples": 50}):
        expected = cluster_bootstrap(values, clusters, **options)
        assert paired_difference(values, zeros, clusters, **options) == expected


def test_paired_difference_refuses_unpaired_runs():
    with pytest.raises(ValueError, match="2 and 1 values"):
        paired_difference([1, 0], [1], ["a", "b"])


# ------------------------------------------------------------------------------ McNemar, Holm


def test_mcnemar():
    # 5 that only a got right, 1 that only b did, 3 + 2 on which they agree:
    # 2 × (C(6,0) + C(6,1)) / 2⁶
    a = [True] * 5 + [False] * 1 + [True] * 3 + [False] * 2
    b = [False] * 5 + [True] * 1 + [True] * 3 + [False] * 2
    assert mcnemar(a, b) == mcnemar(b, a) == 2 * (1 + 6) / 64
    assert mcnemar([True] * 6, [False] * 6) == 2 * 1 / 64


def test_mcnemar_without_a_preference():
    assert mcnemar([True, False], [True, False]) == 1
    assert mcnemar([], []) == 1
    assert mcnemar([True, False], [False, True]) == 1  # 2 × (1 + 2) / 4, cut at 1


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 1), (3, 9), (20, 41), (7, 7), (1500, 1400)])
def test_mcnemar_agrees_with_scipy(only_a, only_b):
    a = [True] * only_a + [False] * only_b + [True] * 10
    b = [False] * only_a + [True] * only_b + [True] * 10
    assert mcnemar(a, b) == pytest.approx(stats.binomtest(only_a, only_a + only_b, 0.5).pvalue)


def test_mcnemar_refuses_unpaired_runs():
    with pytest.raises(ValueError, match="2 and 1 values"):
        mcnemar([True, False], [True])


def test_holm():
    # sorted .01 .02 .03 .04: 4 × .01, 3 × .02, 2 × .03, and 1 × .04 raised to the .06 before it
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.01, 0.4, 0.9]) == pytest.approx([3 * 0.01, 2 * 0.4, 0.9])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_agrees_with_the_closed_test_of_all_subsets(pvalues):
    # Holm is the closure of Bonferroni: the worst |S| × min(S) over all subsets S that hold i.
    everything = range(len(pvalues))
    subsets = [s for size in everything for s in combinations(everything, size + 1)]
    worst = [
        max(min(1, len(s) * min(pvalues[j] for j in s)) for s in subsets if i in s)
        for i in everything
    ]
    assert holm(pvalues) == pytest.approx(worst)


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_holm_refuses_what_is_no_probability(bad):
    with pytest.raises(ValueError, match="not in"):
        holm([0.5, bad])
