from __future__ import annotations

import math

import pytest

from rag import grounding
from rag.config import RetrievalSettings
from rag.grounding import Citation
from rag.language import Span
from rag.retrieval import Found
from tests.doubles import BelievingChecker, WordChecker

TEXT = "SoftBank gave 30 billion. Others gave 10 billion. Meta was silent."
SOFTBANK = Found("a.txt", 0, 25, TEXT[0:25], 0.9, "en")
OTHERS = Found("a.txt", 26, 49, TEXT[26:49], 0.8, "en")
META = Found("a.txt", 50, 66, TEXT[50:66], 0.8, "en")
ARABIC_TEXT = "ساهم ألتمان في ٩ كانون الأول بمبلغ 6.6 مليار."
ARABIC = Found("b.txt", 0, len(ARABIC_TEXT), ARABIC_TEXT, 0.9, "ar")
NOTHING = grounding.Checked("", (), -math.inf, ())


def check(answer, evidence, checker=None, *, question="Who?", language="en"):
    checker = checker or WordChecker()
    return grounding.check(answer, question, language, evidence, checker, 0.0)


def test_each_sentence_is_cited_by_the_evidence_that_holds_it():
    found = check("Others gave 10 billion. SoftBank gave 30 billion.", [SOFTBANK, OTHERS])
    assert found.text == "Others gave 10 billion. [1] SoftBank gave 30 billion. [2]"
    assert [(c.marker, c.start, c.quote) for c in found.citations] == [
        (1, 26, "Others gave 10 billion."),
        (2, 0, "SoftBank gave 30 billion."),
    ]
    assert found.support == 4
    assert found.carriers == (OTHERS, SOFTBANK)


def test_one_source_has_one_marker():
    found = check("SoftBank gave 30 billion. SoftBank gave.", [SOFTBANK])
    assert found.text == "SoftBank gave 30 billion. [1] SoftBank gave. [1]"
    assert len(found.citations) == 1


def test_one_sentence_is_cited_where_one_is_enough():
    assert check("10 billion", [SOFTBANK, OTHERS, META]).carriers == (OTHERS,)


def test_what_no_sentence_carries_alone_is_cited_from_two_in_their_order():
    found = check("Meta silent, SoftBank 30 billion", [META, OTHERS, SOFTBANK])
    assert found.text == "Meta silent, SoftBank 30 billion [1] [2]"
    assert found.carriers == (SOFTBANK, META)


def test_the_words_that_carry_the_answer_are_marked_in_the_document():
    found = check("10 billion", [SOFTBANK, OTHERS])
    (cited,) = found.citations
    assert [TEXT[a:z] for a, z in cited.marks] == ["10", "billion"]


def test_marks_of_two_sentences_lie_each_in_its_own():
    found = check("SoftBank 30 billion, others 10 billion.", [OTHERS, SOFTBANK])
    assert [[TEXT[a:z] for a, z in c.marks] for c in found.citations] == [
        ["SoftBank", "30"],
        ["Others", "10", "billion"],
    ]


def test_sentences_alone_are_marked_by_the_question():
    (cited,) = grounding.marked("How much?", [OTHERS], WordChecker())
    assert cited == Citation(1, "a.txt", 26, 49, OTHERS.text, (Span(38, 40),))


def test_what_nothing_carries_is_left_out():
    found = check("Oracle gave 30 billion. Meta was silent.", [SOFTBANK, META])
    assert found.text == "Meta was silent. [1]"
    assert found.support == -4


@pytest.mark.parametrize(
    "answer",
    [
        "SoftBank gave 77 billion.",
        "SoftBank gave 30 million.",
        "SoftBank gave 30 billion in December.",
    ],
)
def test_figures_and_months_must_stand_in_the_source_whatever_the_checker_says(answer):
    found = check(answer, [SOFTBANK, META], BelievingChecker())
    assert found.text == ""
    assert found.support == -math.inf


@pytest.mark.parametrize(
    "answer", ["It was on 9 December.", "The sum was $6.6B.", "Altman, 6.6 billion"]
)
def test_figures_and_months_are_held_across_scripts(answer):
    assert check(answer, [ARABIC], BelievingChecker()).text == f"{answer} [1]"


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        ("The clips last 8 seconds.", True),
        ("The clips last eight seconds.", True),
        ("The clips last 8 minutes.", False),
        ("The clips have 720 pixels.", True),
    ],
)
def test_a_number_of_another_unit_does_not_hold(answer, held):
    text = "تصل مدة المقاطع إلى 8 ثوانٍ ودقة 720 بكسل."
    source = Found("c.txt", 0, len(text), text, 0.9, "ar")
    assert bool(check(answer, [source], BelievingChecker()).text) == held


def test_a_number_of_the_question_may_be_said():
    assert check(
        "30 billion, of the 40 asked for", [SOFTBANK], BelievingChecker(), question="Of 40?"
    ).text


def test_arabic_answers_are_held_too():
    found = check("بمبلغ 6.6 مليار", [ARABIC], question="كم؟", language="ar")
    assert found.text == "بمبلغ 6.6 مليار [1]"


def test_another_language_does_not_hold():
    assert check("ساهم بمبلغ كبير.", [ARABIC], BelievingChecker()) == NOTHING
    assert check("a large sum", [ARABIC], BelievingChecker(), language="ar") == NOTHING


def test_a_name_as_the_source_writes_it_is_an_answer_in_either_language():
    assert check("SoftBank", [SOFTBANK], question="من؟", language="ar").text == "SoftBank [1]"
    assert not check("Oracle", [SOFTBANK], BelievingChecker(), question="من؟", language="ar").text


def test_words_of_the_other_script_must_stand_in_the_source():
    for said in ("ساهم large بمبلغ", "ساهم سوفتBank بمبلغ"):
        assert not check(said, [ARABIC], BelievingChecker(), question="كم؟", language="ar").text


def test_letters_of_a_third_script_do_not_hold_unless_the_source_has_them():
    for said in (
        "SoftBank gave 30 мiллion.",
        "SoftBank gave 30 billion 元.",
        "ה SoftBank gave 30.",
    ):
        assert check(said, [SOFTBANK], BelievingChecker()).text == ""
    greek = "SoftBank gave 30 billion for the α series."
    assert check(greek, [Found("a.txt", 0, len(greek), greek, 0.9, "en")]).text == f"{greek} [1]"


def test_the_question_said_again_is_no_answer():
    asked = "How much SoftBank gave?"
    assert (
        check("SoftBank gave how much.", [SOFTBANK], BelievingChecker(), question=asked) == NOTHING
    )


@pytest.mark.parametrize(("said", "language"), [("Yes.", "en"), ("لا", "ar")])
def test_a_bare_yes_or_no_can_not_be_held_against_anything(said, language):
    assert check(said, [SOFTBANK], BelievingChecker(), language=language) == NOTHING


def test_markers_written_by_the_model_are_removed():
    found = check("SoftBank gave 30 [7] billion [1].", [SOFTBANK])
    assert found.text == "SoftBank gave 30 billion. [1]"


@pytest.mark.parametrize(("answer", "evidence"), [("", [SOFTBANK]), ("[1]", [SOFTBANK]), ("x", [])])
def test_nothing_comes_of_nothing(answer, evidence):
    assert check(answer, evidence) == NOTHING


def test_reader_and_checker_decide_together():
    assert grounding.joined(0.5, 4.0) > grounding.joined(0.5, 0.0) > grounding.joined(0.2, 0.0)
    assert 0 < grounding.joined(0.0, -math.inf) < grounding.joined(1.0, math.inf) < 1


def found(score, language="en"):
    return Found("a.txt", 0, 1, "x", score, language)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_without_a_reader_the_best_score_decides(language):
    settings = RetrievalSettings(reader="none", min_score=0.5)
    evidence = [found(0.5, language), found(0.4, language)]
    assert grounding.confidence(evidence, settings) == 0.5
    assert grounding.confidence([], settings) == -1
    assert grounding.is_enough(0.5, settings)
    assert not grounding.is_enough(0.499, settings)


def test_with_a_reader_the_probabilities_add_up():
    settings = RetrievalSettings(min_probability=0.5)
    assert grounding.confidence([found(0.25), found(0.125)], settings) == 0.375
    assert grounding.confidence([], settings) == 0
    assert grounding.is_enough(0.5, settings)
    assert not grounding.is_enough(0.499, settings)
