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


def cite(answer, evidence, embedder=None, text=TEXT):
    return grounding.cite(answer, evidence, embedder or SameVector(), {"a.txt": text}.__getitem__)


def test_each_sentence_is_cited_by_the_evidence_that_holds_its_number():
    answer, citations = cite("Others gave 10 billion. SoftBank gave 30.", [SOFTBANK, OTHERS])
    assert answer == "Others gave 10 billion. [1] SoftBank gave 30. [2]"
    assert citations == (
        Citation(1, "a.txt", 26, 49, "Others gave 10 billion."),
        Citation(2, "a.txt", 0, 25, "SoftBank gave 30 billion."),
    )


def test_one_source_has_one_marker():
    answer, citations = cite("SoftBank gave 30. It was SoftBank.", [SOFTBANK, OTHERS])
    assert answer == "SoftBank gave 30. [1] It was SoftBank. [1]"
    assert len(citations) == 1


def test_a_number_that_no_evidence_holds_is_not_cited():
    assert cite("SoftBank gave 77 billion.", [SOFTBANK, OTHERS]) == (
        "SoftBank gave 77 billion.",
        (),
    )


def test_arabic_indic_digits_meet_ascii_ones():
    answer, citations = cite("٣٠ مليار", [OTHERS, SOFTBANK])
    assert answer == "٣٠ مليار [1]"
    assert [c.start for c in citations] == [0]


def test_markers_written_by_the_model_are_removed():
    answer, citations = cite("SoftBank gave 30 [7] billion [1].", [SOFTBANK])
    assert answer == "SoftBank gave 30 billion. [1]"
    assert [c.marker for c in citations] == [1]


def test_a_fragment_is_cited_by_the_sentence_that_holds_its_words():
    answer, citations = cite("30 billion", [OTHERS, SOFTBANK], NoLikeness())
    assert answer == "30 billion [1]"
    assert [c.start for c in citations] == [0]


def test_unrelated_sentence_is_not_cited():
    assert cite("Nothing alike.", [META], NoLikeness()) == ("Nothing alike.", ())


def test_a_quote_that_is_not_in_the_document_is_never_shown():
    assert cite("SoftBank gave 30.", [SOFTBANK], text="Another text altogether, longer.") == (
        "SoftBank gave 30.",
        (),
    )


@pytest.mark.parametrize("answer", ["", "   ", "[1]"])
def test_empty_answer(answer):
    assert cite(answer, [SOFTBANK]) == ("", ())


def test_no_evidence():
    assert cite("Something.", []) == ("Something.", ())


@pytest.mark.parametrize(("score", "enough"), [(0.5, True), (0.499, False)])
@pytest.mark.parametrize("language", ["ar", "en"])
def test_enough_is_one_threshold_for_both_languages(score, language, enough):
    found = Found("a.txt", 0, 1, "x", score, language)
    assert grounding.is_enough([found], RetrievalSettings(min_score=0.5)) is enough


def test_no_evidence_is_not_enough():
    assert not grounding.is_enough([], RetrievalSettings())


def test_terms():
    assert grounding.terms("Gemini 2.0 and GPT-4 cost ٦٫٦ مليار") == (
        {"2.0", "4", "6.6"},
        {"gemini", "and", "gpt-4", "cost"},
    )
