"""The fit of the reader's constants and its measures, on cases that can be worked out by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from eval.metrics import RiskPoint
from eval.training import calibrate, calibration, readings
from eval.training.calibration import Abstention, Scale, abstention
from eval.training.readings import Case
from rag.config import Settings
from rag.embedding import PassageInput
from rag.language import Span
from rag.reader import Reader, Reading
from rag.retrieval import Retriever
from tests.eval.conftest import SENTENCES, WriteLines, question

READ_ALONE = Scale(read=1.0, found=0.0, bias=0.0)


def case(
    logits: Sequence[float],
    gold: Sequence[int] = (),
    answerable: bool | None = None,
    category: str = "",
    scores: Sequence[float] | None = None,
) -> Case:
    """Sentence n stands at 10n to 10n + 9 of document "d"; ``gold`` are numbers of sentences."""
    spans = tuple(("d", 10 * n, 10 * n + 9) for n in range(len(logits)))
    return Case(
        id="c",
        language="en",
        category=category,
        answerable=bool(gold) if answerable is None else answerable,
        logits=np.array(logits, dtype=np.float32),
        scores=np.array(scores or [0.0] * len(logits)),
        spans=spans,
        gold=tuple(spans[n] for n in gold),
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


def test_of_an_answer_that_nobody_has_marked_any_sentence_will_do() -> None:
    unmarked = case([0.0, 0.0], answerable=True)
    assert calibration.likelihood([unmarked], READ_ALONE) == pytest.approx(math.log(2 / 3))


# ------------------------------------------------------------------------------------ measures


def test_hits_count_gold_among_the_first() -> None:
    first, third = case([3.0, 2.0, 1.0], gold=[0]), case([3.0, 2.0, 1.0], gold=[0, 2])
    found = calibration.hits([first, third, case([5.0])], READ_ALONE)
    assert found == pytest.approx(
        {"hits@1": 0.75, "hits@2": 0.75, "hits@3": 1, "hits@5": 1, "hits@7": 1}
    )
    told = [replace(first, words=True), replace(first, words=False), third]
    assert calibration.hits(told, READ_ALONE)["words"] == 0.5


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
    at_half = calibration.balanced([sure, unsure], READ_ALONE, 0.5)
    assert at_half.balanced_accuracy == 0.5
    assert at_half.hallucination_rate == 1
    best = calibration.best_threshold([[sure, unsure]], READ_ALONE)
    assert 0.5 < best <= 0.8
    assert calibration.balanced([sure, unsure], READ_ALONE, best).balanced_accuracy == 1


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


def test_abstention():
    outcomes = (
        [(True, False)] * 6  # TP: answerable, answered
        + [(True, True)] * 2  # FN
        + [(False, False)] * 1  # FP
        + [(False, True)] * 4  # TN
    )
    hallucination, error, balanced = abstention(outcomes)
    assert hallucination == 1 / (1 + 4)
    assert error == 2 / (2 + 6)
    assert balanced == pytest.approx((4 / 5 + 6 / 8) / 2)


def test_abstention_without_questions_of_a_sort():
    assert abstention([(True, True), (True, False)]) == Abstention(None, 1 / 2, None)
    assert abstention([(False, False)]) == Abstention(1, None, None)
    assert abstention([]) == Abstention(None, None, None)


@given(st.lists(st.booleans(), max_size=20))
def test_balanced_accuracy_agrees_with_sklearn(abstained):
    abstained = [*abstained, True, False, True]
    answerable = [i % 3 == 0 for i in range(len(abstained))]
    expected = balanced_accuracy_score(answerable, [not a for a in abstained])
    got = abstention(zip(answerable, abstained, strict=True)).balanced_accuracy
    assert got == pytest.approx(expected)


# ------------------------------------------------------------------------------------ readings


class Longest(Reader):
    """Gives each sentence its length, and its first word for what answers."""

    def __init__(self) -> None:
        super().__init__(None, None, None, None)

    def read(self, question: str, passages: Sequence[PassageInput]) -> list[Reading]:
        return [
            Reading(
                np.array([end - start for start, end in p.sentences], dtype=np.float32),
                tuple(Span(start, start + p.text[start:].index(" ")) for start, _ in p.sentences),
            )
            for p in passages
        ]


class BareLongest(Longest, readings.Bare):
    """The same, bare."""


def test_both_readings_of_each_sentence_are_kept(
    retriever: Retriever, small: Settings, write_lines: WriteLines
) -> None:
    asked = question("q", "How heavy is the cat?", "en", SENTENCES["cat"], "4 kilos")
    settings = small.model_copy(
        update={"retrieval": small.retrieval.model_copy(update={"reader": "auto"})}
    )
    [found] = readings.of_questions(
        write_lines([asked]), settings, retriever.embedder, BareLongest()
    )
    assert len(found.spans) == len(SENTENCES)  # not the one that would be shown
    assert found.logits.tolist() == [end - start for _, start, end in found.spans]
    best = int(found.scores.argmax())
    assert found.holds.tolist() == [n == best for n in range(len(SENTENCES))]
    assert found.gold == (found.spans[best],)
    assert found.words is False  # its first word isn't its weight


def test_an_abstention_sets_passages_are_its_own(
    embedder: object, small: Settings, write_lines: WriteLines, tmp_path: Path
) -> None:
    lines = [
        {
            "id": id_,
            "question": "How heavy is the cat?",
            "question_language": "en",
            "answerable": answerable,
            "passages": [{"id": "p", "title": "T", "text": text}],
        }
        for id_, answerable, text in (("a", True, SENTENCES["cat"]), ("b", False, "A dog."))
    ]
    both = readings.of_abstention(
        write_lines(lines), tmp_path / "i", small, embedder, BareLongest()
    )  # type: ignore[arg-type]
    assert [c.answerable for c in both] == [True, False]
    assert {doc for doc, _, _ in both[0].spans} == {"00000/000.txt"}
    assert {doc for doc, _, _ in both[1].spans} == {"00001/000.txt"}
    assert both[0].gold == ()


# -------------------------------------------------------------------------------------- output


def test_what_is_measured_is_json_and_can_be_shown() -> None:
    cases = [case([2.0, 0.0], gold=[0]), case([-1.0], category="near")]
    result = calibrate.measured({"own": cases, "other": cases}, "own", READ_ALONE)
    assert json.loads(json.dumps(result))["hits"]["en"]["hits@1"] == 1
    assert set(result["at_threshold"]) == {"own", "other"}
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
