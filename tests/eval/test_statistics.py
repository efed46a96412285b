import math
import random

import numpy as np
import pytest

from eval.statistics import cluster_bootstrap, differences, flips

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
    assert interval == (4 / 10, 1 / 10, 7 / 10, 10)
    below = [sum(math.comb(10, x) * 0.4**x * 0.6 ** (10 - x) for x in range(k + 1)) for k in (0, 1)]
    above = [sum(math.comb(10, x) * 0.4**x * 0.6 ** (10 - x) for x in range(k + 1)) for k in (6, 7)]
    assert below[0] < 0.025 < below[1]
    assert above[0] < 0.975 < above[1]


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


def test_clusters_widen_the_interval():
    values, clusters = _clustered(100, 5, spread=2)
    ignored = [str(i) for i in range(len(values))]
    clustered, independent = (cluster_bootstrap(values, c) for c in (clusters, ignored))
    # Design effect 1 + (5 - 1) ρ with ρ = 2² / (2² + 1²): sqrt(1 + 4 × 0.8) = 2.05 times as wide
    ratio = (clustered.high - clustered.low) / (independent.high - independent.low)
    assert ratio == pytest.approx(math.sqrt(1 + 4 * 0.8), rel=0.15)


@pytest.mark.slow
def test_single_clusters_agree_with_scipy():
    from scipy import stats

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


def test_same_seed_same_interval_in_any_order():
    values, clusters = _clustered(20, 3, spread=1)
    first = cluster_bootstrap(values, clusters)
    assert cluster_bootstrap(values, clusters) == first
    pairs = list(zip(values, clusters, strict=True))
    random.Random(2).shuffle(pairs)
    assert cluster_bootstrap([v for v, _ in pairs], [c for _, c in pairs]) == first


def test_one_cluster_tells_nothing_about_the_next():
    assert cluster_bootstrap([1, 0], ["a", "a"]) == (1 / 2, None, None, 2)


# ----------------------------------------------------------------------------------- two runs

OURS = {"a": {"right": 1.0}, "b": {"right": 1.0}, "c": {"right": 0.0}, "d": {"right": 1.0}}
THEIRS = {"a": {"right": 0.0}, "b": {"right": 0.0}, "c": {"right": 1.0}, "d": {"right": 1.0}}
ALONE = {id_: id_ for id_ in "abcd"}


def test_the_mean_is_over_questions():
    found = differences(OURS, THEIRS, ALONE)
    assert found.keys() == {"right"}
    assert found["right"].n == 4
    assert found["right"].mean == (1 + 1 - 1 + 0) / 4


def test_questions_and_measures_that_one_run_lacks_are_left_out():
    ours = {"a": {"x": 1.0, "ours": 1.0}, "b": {"x": 0.0}, "only": {"x": 1.0}}
    theirs = {"a": {"x": 0.5}, "b": {"theirs": 1.0}}
    found = differences(ours, theirs, {"a": "a", "b": "b", "only": "only"})
    assert found == {"x": (0.5, None, None, 1)}


def test_the_other_way_round_is_the_opposite():
    there = differences(OURS, THEIRS, ALONE)
    back = differences(THEIRS, OURS, ALONE)
    assert back["right"].mean == -there["right"].mean


def test_flips_go_both_ways():
    ours = {"a": 1.0, "b": 0.0, "c": 1.0, "only": 1.0}
    theirs = {"a": 0.0, "b": 1.0, "c": 1.0}
    assert flips(ours, theirs) == (["a"], ["b"])
