"""The fit of the reader's constants and its measures, on cases that can be worked out by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, recall_score

from eval.metrics import RiskPoint
from eval.training import calibrate, calibration
from eval.training.calibration import Case, Scale
from rag.config import Settings
from rag.embedding import PassageInput
from rag.reader import Logits, Reader
from rag.retrieval import Retriever
from tests.eval.conftest import SENTENCES, WriteLines, question

pytestmark = pytest.mark.slow

READ_ALONE = Scale(read=1.0, found=0.0, bias=0.0)


def case(
    logits: Sequence[float],
    gold: Sequence[int] = (),
    category: str = "",
    scores: Sequence[float] | None = None,
) -> Case:
    """Sentence n stands at 10n to 10n + 9 of document "d"; ``gold`` are numbers of sentences."""
    spans = tuple(("d", 10 * n, 10 * n + 9) for n in range(len(logits)))
    return Case(
        language="en",
        category=category,
        logits=np.array(logits, dtype=np.float32),
        scores=np.array(scores or [0.0] * len(logits)),
        spans=spans,
        gold=tuple(spans[n] for n in gold),
        source="en",
    )


# ----------------------------------------------------------------------------------------- fit


def test_the_bias_is_the_log_odds_of_answers_when_nothing_else_tells_them_apart() -> None:
    cases = [case([0.0], gold=[0])] * 3 + [case([0.0])]
    fitted = calibration.fit(cases)
    assert fitted.bias == pytest.approx(math.log(3), abs=1e-3)
    by_hand = (3 * math.log(3 / 4) + math.log(1 / 4)) / 4
    assert calibration.likelihood(cases, fitted) == pytest.approx(by_hand, abs=1e-4)


def test_the_readers_weight_is_what_makes_its_logits_log_odds() -> None:
    # At logit 1 nine of ten answer, at -1 one of ten: log-odds ±ln 9.
    cases = (
        [case([1.0], gold=[0])] * 9 + [case([1.0])] + [case([-1.0], gold=[0])] + [case([-1.0])] * 9
    )
    fitted = calibration.fit(cases)
    assert fitted.read == pytest.approx(math.log(9), abs=1e-2)
    assert fitted.bias == pytest.approx(0.0, abs=1e-2)


def test_gold_that_was_not_found_counts_for_none_of_these() -> None:
    missed = replace(case([0.0, 0.0], gold=[0]), gold=(("elsewhere", 0, 5),))
    assert calibration.likelihood([missed], READ_ALONE) == pytest.approx(math.log(1 / 3))


# ------------------------------------------------------------------------------------ measures


def test_hits_count_gold_among_the_first() -> None:
    first, third = case([3.0, 2.0, 1.0], gold=[0]), case([3.0, 2.0, 1.0], gold=[0, 2])
    found = calibration.hits([first, third, case([5.0])], READ_ALONE)
    assert found == pytest.approx(
        {"hits@1": 0.75, "hits@2": 0.75, "hits@3": 1, "hits@5": 1, "hits@7": 1}
    )


def test_auc_counts_pairs_and_ties_half() -> None:
    # (.9, .1) of .5, .9 > .5: won; .1 < .5: lost; .5 = .5: half.
    assert calibration.auc([0.9, 0.1, 0.5], [0.5]) == pytest.approx(1.5 / 3)
    assert calibration.auc([0.9], []) is None


def test_confidence_is_the_sum_over_the_sentences_shown() -> None:
    # Nine sentences of e⁰ and the null; seven are shown.
    assert calibration.confidence(case([0.0] * 9), READ_ALONE) == pytest.approx(0.7)


def test_kinds_of_unanswerable_questions_are_told_apart_from_the_answerable() -> None:
    cases = [case([2.0], gold=[0]), case([3.0], category="near"), case([-3.0], category="far")]
    assert calibration.aucs(cases, READ_ALONE) == {"near": 0.0, "far": 1.0, "all": 0.5}


def test_the_threshold_is_the_one_that_refuses_best() -> None:
    sure, unsure = case([math.log(4)], gold=[0]), case([0.0])  # .8 and .5
    at_half = calibration.rates([sure, unsure], READ_ALONE, 0.5)
    assert at_half == {"hallucination_rate": 1, "error_rate": 0, "balanced_accuracy": 0.5}
    best = calibration.best_threshold([sure, unsure], READ_ALONE)
    assert 0.5 < best <= 0.8
    assert calibration.rates([sure, unsure], READ_ALONE, best)["balanced_accuracy"] == 1


def test_risk_is_of_first_sentences_without_gold() -> None:
    right, wrong = case([3.0, 0.0], gold=[0]), case([1.0, 2.0], gold=[0])
    points = calibration.risk_coverage([right, wrong], READ_ALONE)
    assert [(point.coverage, point.risk) for point in points] == [(0.5, 0.0), (1.0, 0.5)]


def test_a_second_sentence_is_worth_what_gold_it_brings() -> None:
    # Half so likely as the first: quoted up to a ratio of .5.
    late = case([math.log(4), math.log(2)], gold=[1])
    early = case([math.log(4), math.log(2)], gold=[0])
    rows = {row["ratio"]: row for row in calibration.seconds([late, early], READ_ALONE)}
    assert rows[0.4] == {"ratio": 0.4, "quoted": 1, "right": 0.5, "covered": 1, "any": 1}
    assert rows[0.6] == {"ratio": 0.6, "quoted": 0, "right": 0, "covered": 0.5, "any": 0.5}


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=20))
@settings(deadline=None)
def test_balanced_accuracy_agrees_with_sklearn(more):
    pairs = [*more, (True, True), (False, False)]  # answerable, refused
    cases = [case([-9.0 if refused else 9.0], gold=[0] if has else []) for has, refused in pairs]
    got = calibration.rates(cases, READ_ALONE, 0.5)
    answerable, answered = [has for has, _ in pairs], [not refused for _, refused in pairs]
    assert got["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(answerable, answered))
    assert got["error_rate"] == pytest.approx(1 - recall_score(answerable, answered))


# ------------------------------------------------------------------------------------ readings


class Longest(Reader):
    """Gives each sentence its length."""

    def __init__(self) -> None:
        super().__init__(None, None, None, None)

    def read(self, question: str, passages: Sequence[PassageInput]) -> list[Logits]:
        return [np.array([z - a for a, z in p.sentences], dtype=np.float32) for p in passages]


class BareLongest(Longest, calibrate.Bare):
    """The same, bare."""


def test_both_readings_of_each_sentence_are_kept(
    retriever: Retriever, small: Settings, write_lines: WriteLines
) -> None:
    asked = question("q", "How heavy is the cat?", "en", SENTENCES["cat"], "4 kilos")
    settings = small.model_copy(
        update={"retrieval": small.retrieval.model_copy(update={"reader": "auto"})}
    )
    [found] = calibrate.read_cases(
        write_lines([asked]), settings, retriever.embedder, BareLongest()
    )
    assert len(found.spans) == len(SENTENCES)  # not the one that would be shown
    assert found.logits.tolist() == [end - start for _, start, end in found.spans]
    best = int(found.scores.argmax())
    assert found.holds.tolist() == [n == best for n in range(len(SENTENCES))]
    assert found.gold == (found.spans[best],)


# -------------------------------------------------------------------------------------- output


def test_what_is_measured_is_json_and_can_be_shown() -> None:
    cases = [case([2.0, 0.0], gold=[0]), case([-1.0], category="near")]
    result = calibrate.measured(cases, READ_ALONE)
    assert json.loads(json.dumps(result))["hits"]["en←en"]["hits@1"] == 1
    calibrate.show("reader", result)


def test_the_plot_is_a_file_of_its_own() -> None:
    svg = calibrate.standalone(
        {"reader": ([RiskPoint(0.9, 0.5, 0.0), RiskPoint(0.1, 1, 0.5)], None)}
    )
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    used = {part.split(")")[0] for part in svg.split("var(")[1:]}
    assert used
    assert all(f"{variable}:" in svg for variable in used)
