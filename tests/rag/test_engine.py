from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest

from rag import prompts
from rag.config import Settings
from rag.engine import Answer, Engine, Evidence, Token, Turn, check_question
from rag.errors import DeadlineError, GenerationError, QuestionError
from rag.retrieval import Found
from tests.doubles import ScriptedLLM

TEXT = "SoftBank gave 30 billion."
FOUND = Found("a.txt", 0, 25, TEXT, 0.9, "en")


class OneSentence:
    """A retriever whose every search finds the same evidence."""

    def __init__(self, *evidence: Found) -> None:
        self.asked: list[tuple[str, str]] = []
        self._evidence = list(evidence)
        self.storage = SimpleNamespace(text=lambda doc: TEXT)
        self.embedder = SimpleNamespace(
            embed_texts=lambda texts: np.ones((len(texts), 1), dtype=np.float32)
        )

    def evidence(self, question: str, context: str = "") -> list[Found]:
        self.asked.append((question, context))
        return self._evidence


def engine(*replies: object, evidence: tuple[Found, ...] = (FOUND,)) -> Engine:
    return Engine(Settings(), OneSentence(*evidence), ScriptedLLM(replies=deque(replies)))


def test_evidence_comes_before_the_llm_is_asked():
    rawi = engine("It gave 30 billion.")
    events = rawi.answer("How much did SoftBank give?")
    assert next(events) == Evidence((FOUND,))
    assert rawi._llm.prompts == []


def test_events_come_in_order_and_tokens_make_up_the_answer():
    events = list(engine("It gave 30 billion.").answer("How much did SoftBank give?"))
    assert [type(event) for event in events] == [Evidence, Token, Token, Token, Token, Answer]
    assert "".join(e.text for e in events if isinstance(e, Token)) == "It gave 30 billion."
    answer = events[-1]
    assert answer.answer == "It gave 30 billion. [1]"
    assert answer.language == "en"
    assert not answer.abstained
    assert answer.evidence == (FOUND,)
    assert [c.quote for c in answer.citations] == [TEXT]
    timings = answer.timings
    assert 0 < timings.retrieve_s <= timings.first_token_s <= timings.total_s
    assert (timings.prompt_tokens, timings.completion_tokens) == (7, 4)


@pytest.mark.parametrize("found", [(), (Found("a.txt", 0, 25, TEXT, 0.4, "en"),)])
@pytest.mark.parametrize(("question", "language"), [("Who?", "en"), ("من؟", "ar")])
def test_too_little_evidence_is_refused_in_the_askers_language(found, question, language):
    events = list(engine(evidence=found).answer(question))
    assert [type(event) for event in events] == [Evidence, Answer]
    assert events[-1].answer == prompts.REFUSAL[language]
    assert events[-1].abstained
    assert events[-1].citations == ()


ARABIC = Found("a.txt", 0, 25, TEXT, 0.9, "ar")


def test_working_before_the_answer_marker_is_not_shown():
    events = list(engine("Quote: أعطى Answer: It gave 30.", evidence=(ARABIC,)).answer("How much?"))
    assert "".join(e.text for e in events if isinstance(e, Token)) == "It gave 30."


def test_without_the_marker_the_whole_reply_is_the_answer():
    events = list(engine("It gave 30.", evidence=(ARABIC,)).answer("How much?"))
    assert events[-1].answer == "It gave 30. [1]"
    assert events[-1].timings.completion_tokens == 3


def test_a_follow_up_is_searched_with_the_exchange_before_it():
    rawi = engine("It gave 30.")
    history = [
        Turn("user", "What is Meta?"),
        Turn("assistant", "A company."),
        Turn("user", "Who led the round?"),
        Turn("assistant", "SoftBank."),
    ]
    list(rawi.answer("And how much was it?", history))
    assert rawi.retriever.asked == [("And how much was it?", "Who led the round?\nSoftBank.")]


def test_closing_the_answer_stops_the_llm():
    rawi = engine("one two three four")
    events = rawi.answer("How much?")
    next(events), next(events)
    events.close()
    assert rawi._llm.abandoned == 1


def test_a_failing_llm_is_an_error_of_ours():
    with pytest.raises(GenerationError, match="broke"):
        list(engine(GenerationError("the LLM broke")).answer("How much?"))


def test_deadline(monkeypatch):
    rawi = engine("one two three")
    llm = rawi.settings.llm.model_copy(update={"timeout_s": 0.0})
    rawi.settings = rawi.settings.model_copy(update={"llm": llm})
    with pytest.raises(DeadlineError, match="timeout_s"):
        list(rawi.answer("How much?"))


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("", "empty"),
        (" \n\u200b", "empty"),
        ("x" * 100_000, r"100,000 characters; at most 2,000"),
        ("Quelle est la capitale de la France ?", "Arabic and English"),
        ("Сколько денег собрала компания?", "Arabic and English"),
    ],
)
def test_questions_that_cannot_be_asked(question, message):
    with pytest.raises(QuestionError, match=message):
        check_question(question, Settings().question)


def test_a_question_is_cleaned():
    assert check_question(" كم\u200f؟\r\n", Settings().question) == "كم؟"
