from __future__ import annotations

import numpy as np
import pytest

from rag import grounding
from rag.config import RetrievalSettings
from rag.grounding import Citation
from rag.retrieval import Found

TEXT = "SoftBank gave 30 billion. Others gave 10 billion. Meta was silent."
SOFTBANK = Found("a.txt", 0, 25, TEXT[0:25], 0.9, "en")
OTHERS = Found("a.txt", 26, 49, TEXT[26:49], 0.8, "en")
META = Found("a.txt", 50, 66, TEXT[50:66], 0.8, "en")
ARABIC_TEXT = "ساهم سام ألتمان في ٩ كانون الأول بمبلغ 6.6 مليار."
ARABIC = Found("b.txt", 0, len(ARABIC_TEXT), ARABIC_TEXT, 0.9, "ar")


class SameVector:
    """Every text is alike, so that numbers and names alone decide."""

    def embed_texts(self, texts):
        return np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(texts), 1))


class NoLikeness:
    """The first text, the answer, is at right angles to all evidence."""

    def embed_texts(self, texts):
        vectors = np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(texts), 1))
        vectors[0] = [0.0, 1.0]
        return vectors


def check(answer, evidence, embedder=None, *, question="Who?", language="en", text=TEXT):
    texts = {"a.txt": text, "b.txt": ARABIC_TEXT}
    return grounding.check(
        answer, question, language, evidence, embedder or SameVector(), texts.__getitem__
    )


def test_each_sentence_is_cited_by_the_evidence_that_holds_its_number():
    found = check("Others gave 10 billion. SoftBank gave 30 billion.", [SOFTBANK, OTHERS])
    assert found.text == "Others gave 10 billion. [1] SoftBank gave 30 billion. [2]"
    assert found.citations == (
        Citation(1, "a.txt", 26, 49, "Others gave 10 billion."),
        Citation(2, "a.txt", 0, 25, "SoftBank gave 30 billion."),
    )
    assert found.faults == ()


def test_one_source_has_one_marker():
    found = check("SoftBank gave 30 billion. It was generous.", [SOFTBANK])
    assert found.text == "SoftBank gave 30 billion. [1] It was generous. [1]"
    assert len(found.citations) == 1


def test_what_one_sentence_does_not_carry_alone_is_cited_from_two():
    found = check("SoftBank gave 30 billion, others 10 billion.", [SOFTBANK, OTHERS])
    assert found.text.endswith("[1] [2]")
    assert not found.faults


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("SoftBank gave 77 billion.", "77000000000"),
        ("SoftBank gave 30 million.", "30000000"),
        ("SoftBank gave 30 billion in December.", "month 12"),
        ("The donor Oracle gave 30 billion.", "Oracle"),
    ],
)
def test_what_no_evidence_holds_is_a_fault_and_is_left_out(answer, fault):
    found = check(f"{answer} Meta was silent.", [SOFTBANK, META])
    assert found.faults == (fault,)
    assert found.text == "Meta was silent. [1]"


@pytest.mark.parametrize(
    "answer",
    [
        "It was Sam Altman, on 9 December.",
        "The sum was $6.6B.",
        "The sum was 6.6 billion, from Altman.",
    ],
)
def test_figures_months_and_names_are_held_across_scripts(answer):
    assert check(answer, [ARABIC]).faults == ()


def faults_of(answer: str, text: str) -> tuple[str, ...]:
    """Return the faults of an English answer written from one Arabic sentence."""
    found = Found("c.txt", 0, len(text), text, 0.9, "ar")
    return grounding.check(answer, "?", "en", [found], SameVector(), lambda doc: text).faults


@pytest.mark.parametrize(
    ("answer", "faults"),
    [
        ("The clips last 8 seconds.", ()),
        ("The clips last eight seconds.", ()),
        ("The clips last 8 minutes.", ("8 minute",)),
        ("The clips have 720 pixels.", ()),
    ],
)
def test_a_number_of_another_unit_of_time_is_a_fault(answer, faults):
    text = "تصل مدة المقاطع إلى 8 ثوانٍ ودقة 720 بكسل."
    assert faults_of(answer, text) == faults


@pytest.mark.parametrize(
    ("answer", "faults"),
    [
        ("Later, the Federal Court heard Chief Scientist Ilya Sutskever.", ()),
        ("Later, the Federal Court heard Chief Scientist Elias Khoury.", ("Elias Khoury",)),
    ],
)
def test_an_office_is_no_name_but_who_holds_it_has_one(answer, faults):
    text = "ثم استمعت المحكمة الفيدرالية إلى كبير العلماء إيليا سوتسكيفر."
    assert faults_of(answer, text) == faults


@pytest.mark.parametrize(
    ("translation", "lost"),
    [
        ("In May, Altman raised 6.6 billion for GPT-4o.", []),
        ("In May, he raised 6.6B for GPT-4o.", ["altman"]),
        ("In May, Altman raised money for GPT-4o.", ["6600000000"]),
        ("Money was raised.", ["6600000000", "may", "altman", "gpt-4o"]),
    ],
)
def test_what_a_translation_leaves_out(translation, lost):
    source = "جمع Altman في May مبلغ 6.6 billion من أجل GPT-4o."
    assert sorted(grounding.lost(source, translation)) == sorted(lost)


def test_a_number_in_words_and_a_name_in_the_other_script_are_not_lost():
    assert grounding.lost("غادر 9 مديرين شركة Google.", "غادر تسعة مديرين شركة جوجل.") == []


def test_arabic_answers_are_held_too():
    found = check("ساهم بمبلغ ٦٫٦ مليار.", [ARABIC], question="كم؟", language="ar")
    assert found.text == "ساهم بمبلغ ٦٫٦ مليار. [1]"
    assert check("ساهمت شركة Oracle.", [ARABIC], language="ar").faults == ("Oracle",)


def test_another_language_is_a_fault():
    assert check("ساهم بمبلغ كبير.", [ARABIC]) == grounding.Checked("", (), ("language",))


def test_letters_of_a_third_script_are_a_fault_unless_the_source_has_them():
    for said in (
        "SoftBank gave 30 мiллion.",
        "SoftBank gave 30 billion 元.",
        "ה SoftBank gave 30.",
    ):
        assert check(said, [SOFTBANK]).faults == ("language",)
    greek = "SoftBank gave 30 billion for the α series."
    source = Found("a.txt", 0, len(greek), greek, 0.9, "en")
    assert check(greek, [source], text=greek).faults == ()


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ("ساهم SoftBank بمبلغ 30 مليار", True),  # as the source writes it
        ("ساهم large بمبلغ 30 مليار", False),
        ("ساهم سوفتBank بمبلغ 30 مليار", False),
    ],
)
def test_words_of_the_other_script_must_stand_in_the_source(said, held):
    assert (check(said, [SOFTBANK], language="ar").faults == ()) == held


def test_nor_does_an_english_answer_hold_arabic_words_of_its_own():
    assert check("The sum of كلها was 30 billion.", [SOFTBANK]).faults == ("language",)


def test_a_number_of_another_currency_is_a_fault():
    said, text = "It cost 6.6 billion dinars.", "كلف 6.6 مليار درهم."
    assert faults_of(said, text) == ("6600000000 dinar",)
    assert faults_of("It cost 6.6 billion dirhams.", text) == ()


def test_the_question_said_again_is_a_fault():
    found = check("SoftBank gave how much.", [SOFTBANK], question="How much gave SoftBank?")
    assert found == grounding.Checked("", (), ("echo",))


def test_markers_written_by_the_model_are_removed():
    found = check("SoftBank gave 30 [7] billion [1].", [SOFTBANK])
    assert found.text == "SoftBank gave 30 billion. [1]"


def test_a_fragment_is_cited_by_the_sentence_that_holds_its_words():
    found = check("30 billion", [OTHERS, SOFTBANK], NoLikeness())
    assert [c.start for c in found.citations] == [0]


def test_an_unrelated_sentence_is_a_fault():
    found = check("Nothing alike.", [META], NoLikeness())
    assert found == grounding.Checked("", (), ("Nothing alike.",))


def test_a_quote_that_is_not_in_the_document_is_never_shown():
    found = check("SoftBank gave 30 billion.", [SOFTBANK], text="Another text, longer than it.")
    assert found.citations == ()
    assert found.faults


@pytest.mark.parametrize(("answer", "evidence"), [("", [SOFTBANK]), ("[1]", [SOFTBANK]), ("x", [])])
def test_nothing_comes_of_nothing(answer, evidence):
    assert check(answer, evidence) == grounding.Checked("", (), ("empty",))


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
