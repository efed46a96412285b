from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import pytest

from rag.config import Settings
from rag.engine import Engine
from rag.errors import GenerationError, QuestionError
from rag.retrieval import Found
from rag.translating import Translator
from tests.doubles import ScriptedLLM, WordChecker

TEXT = "كلف الجسر 70 مليون درهم."
SENTENCE = Found("a.txt", 0, len(TEXT), TEXT, 1.0, "ar")
SAME = {"bridge": "الجسر", "cost": "كلف", "the": "الجسر", "million": "مليون", "dirhams": "درهم"}


def translator(*replies: object) -> Translator:
    return Translator(ScriptedLLM(replies=deque(replies)), Settings(), WordChecker(SAME))


def test_what_holds_is_shown():
    said = "The bridge cost 70 million dirhams."
    rawi = translator(said)
    assert rawi.translation(SENTENCE, TEXT) == said
    (prompt,) = rawi._model.prompts
    assert prompt[-1].content == "كلف الجسر 70 million درهم."


@pytest.mark.parametrize(
    "said",
    ["The dam cost 70 million dirhams.", "The bridge cost 80 million dirhams.", "كلف الجسر", "."],
)
def test_what_does_not_hold_is_not(said):
    assert translator(said).translation(SENTENCE, TEXT) == ""


def test_all_of_it_must_hold():
    assert translator("The bridge cost 70 million. The dam too.").translation(SENTENCE, TEXT) == ""


def test_names_that_the_document_spells_in_latin_are_given_so():
    text = "قال ماسك (Musk) إنه سيدفع."
    said = Found("a.txt", 0, 8, text[:8], 1.0, "ar")
    rawi = translator("Musk said")
    rawi.translation(said, text)
    assert rawi._model.prompts[0][-1].content == "قال Musk"


def text_of(doc: str) -> str:
    return f"{TEXT} ثم فتح." if doc == "a.txt" else ""


DOCUMENTS = SimpleNamespace(storage=SimpleNamespace(text=text_of))


def engine(*replies: object) -> Engine:
    return Engine(Settings(), DOCUMENTS, ScriptedLLM(replies=deque(replies)), WordChecker(SAME))


def test_a_sentence_of_a_document_is_translated():
    assert engine("The bridge cost 70 million").translation("a.txt", 0, 20).startswith("The bridge")
    assert Engine(Settings(), DOCUMENTS, None, WordChecker()).translation("a.txt", 0, 20) == ""


@pytest.mark.parametrize("place", [("b.txt", 0, 5), ("a.txt", 0, 40), ("a.txt", 9, 3)])
def test_nothing_else_is(place):
    with pytest.raises(QuestionError, match="a sentence of a document"):
        engine("x").translation(*place)


def test_a_failing_llm_is_said():
    with pytest.raises(GenerationError):
        engine(GenerationError("it broke")).translation("a.txt", 0, 20)
