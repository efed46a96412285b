from eval.comparison import differences, flips

OURS = {"a": {"right": 1.0}, "b": {"right": 1.0}, "c": {"right": 0.0}, "d": {"right": 1.0}}
THEIRS = {"a": {"right": 0.0}, "b": {"right": 0.0}, "c": {"right": 1.0}, "d": {"right": 1.0}}
ALONE = {id_: id_ for id_ in "abcd"}


def test_mean_and_sign_test_over_questions():
    [found] = differences(OURS, THEIRS, ALONE)
    assert (found.measure, found.questions) == ("right", 4)
    assert found.mean == (1 + 1 - 1 + 0) / 4
    # Two questions for us, one against: 2 · (1 + 3) / 2³, at most 1.
    assert found.p == 1


def test_a_cluster_counts_once():
    # Six questions that we win: 2 · 1/2⁶ as six clusters, 2 · 1/2² as two.
    ours = {f"q{i}": {"right": 1.0} for i in range(6)}
    theirs = {f"q{i}": {"right": 0.0} for i in range(6)}
    [alone] = differences(ours, theirs, {q: q for q in ours})
    [paired] = differences(ours, theirs, {q: str(int(q[1]) % 2) for q in ours})
    assert alone.p == 2 / 64
    assert paired.p == 2 / 4
    assert paired.mean == 1


def test_holm_adjusts_over_the_measures():
    ours = {f"q{i}": {"x": 1.0, "y": float(i < 5)} for i in range(6)}
    theirs = {f"q{i}": {"x": 0.0, "y": 0.0} for i in range(6)}
    x, y = differences(ours, theirs, {q: q for q in ours})
    # x: 2/2⁶, times two measures; y: 2/2⁵, times one, but not below x.
    assert (x.p, y.p) == (2 * 2 / 64, 2 / 32)


def test_questions_and_measures_that_one_run_lacks_are_left_out():
    ours = {"a": {"x": 1.0, "ours": 1.0}, "b": {"x": 0.0}, "only": {"x": 1.0}}
    theirs = {"a": {"x": 0.5}, "b": {"theirs": 1.0}}
    [found] = differences(ours, theirs, {"a": "a", "b": "b", "only": "only"})
    assert (found.measure, found.questions, found.mean) == ("x", 1, 0.5)
    assert found.interval is None


def test_the_other_way_round_is_the_opposite():
    [there] = differences(OURS, THEIRS, ALONE)
    [back] = differences(THEIRS, OURS, ALONE)
    assert back.mean == -there.mean
    assert back.p == there.p


def test_rounding_is_no_difference():
    # Within a cluster, 0.1 + 0.2 against 0.3 + 0.0; in floats the former is larger.
    ours = {"a": {"x": 0.1}, "b": {"x": 0.2}}
    theirs = {"a": {"x": 0.3}, "b": {"x": 0.0}}
    [found] = differences(ours, theirs, {"a": "one", "b": "one"})
    assert found.p == 1


def test_flips_go_both_ways():
    ours = {"a": 1.0, "b": 0.0, "c": 1.0, "only": 1.0}
    theirs = {"a": 0.0, "b": 1.0, "c": 1.0}
    assert flips(ours, theirs) == (["a"], ["b"])
