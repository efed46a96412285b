from __future__ import annotations

import math
from collections import deque
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rag import grounding, prompts, sayings
from rag.config import Settings
from rag.documents import parse
from rag.engine import Answer, Engine, Evidence, Token, Turn, check_question
from rag.errors import DeadlineError, GenerationError, QuestionError
from rag.messages import KINDS
from rag.retrieval import Found
from rag.sentences import Unit
from rag.storage import Origin
from tests.doubles import JudgingLLM, ScriptedLLM

TEXT = "SoftBank gave 30 billion."
FOUND = Found("a.txt", 0, 25, TEXT, 0.9, "en")


ARABIC_TEXT = "ساهم سوفت بنك بمبلغ 30 مليار."
ARABIC = Found("b.txt", 0, len(ARABIC_TEXT), ARABIC_TEXT, 0.9, "ar")
SHARED_TEXT = "ساهم البنك بمبلغ 30 مليار، مع 10 مليارات إضافية."
SHARED = Found("c.txt", 0, len(SHARED_TEXT), SHARED_TEXT, 0.9, "ar")
LIST_TEXT = "Animals came.\n1. A cat.\n2. A dog.\n3. A cow."
LAST_OF_THREE = Found(
    "e.txt", len(LIST_TEXT) - 9, len(LIST_TEXT), "3. A cow.", 0.9, "en", list=len("Animals came.\n")
)
MAY_TEXT = "SoftBank gave 5 billion in May."
MAY = Found("d.txt", 0, len(MAY_TEXT), MAY_TEXT, 0.1, "en")
TEXTS = {
    "a.txt": TEXT,
    "b.txt": ARABIC_TEXT,
    "c.txt": SHARED_TEXT,
    "d.txt": MAY_TEXT,
    "e.txt": LIST_TEXT,
}


def units_of(doc: str, start: int, end: int) -> list[Unit]:
    return [unit for block in parse(doc, TEXTS[doc].encode()).units for unit in block]


class OneSentence:
    """A retriever whose every search finds the same evidence."""

    def __init__(self, *evidence: Found) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self._evidence = list(evidence)
        self.storage = SimpleNamespace(
            text=TEXTS.__getitem__,
            units=units_of,
            page=lambda *_: None,
            origin=lambda doc: Origin(doc, "Salma", "2025-04-01"),
        )

    def evidence(self, question: str, context: str = "", *, read_as: str = "") -> list[Found]:
        self.asked.append((question, context, read_as))
        return self._evidence


def engine(*replies: object, evidence: tuple[Found, ...] = (FOUND,), style: str = "auto") -> Engine:
    settings = Settings()
    answer = settings.answer.model_copy(update={"style": style})
    settings = settings.model_copy(update={"answer": answer})
    kind = JudgingLLM if style == "written" else ScriptedLLM
    model = kind(replies=deque(replies))
    return Engine(settings, OneSentence(*evidence), model)


def written(*replies: object, evidence: tuple[Found, ...] = (FOUND,)) -> Engine:
    return engine(*replies, evidence=evidence, style="written")


def prompts_of(rawi: Engine) -> list[list[str]]:
    return [[m.content or "" for m in prompt] for prompt in rawi._drafter._model.prompts]


def tokens(events: list[object]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


def test_evidence_comes_before_the_llm_is_asked():
    rawi = written("SoftBank gave 30 billion.")
    events = rawi.answer("How much did SoftBank give?")
    assert next(events) == Evidence((FOUND,))
    assert prompts_of(rawi) == []


def test_it_is_as_sure_as_of_the_sentence_that_is_shown():
    shown, other = replace(FOUND, score=0.4), replace(MAY, score=0.15)
    rawi = Engine(Settings(), OneSentence(shown, other), JudgingLLM(replies=deque(), none=0.1))
    *_, answer = rawi.answer("How much did SoftBank give?")
    assert answer.answer == "SoftBank gave 30 billion. [1]"
    assert answer.confidence == pytest.approx(grounding.joined(0.4, math.log(9)))


def test_events_come_in_order_and_tokens_make_up_the_answer():
    events = list(written("SoftBank gave 30 billion.").answer("How much did SoftBank give?"))
    assert [type(event) for event in events] == [Evidence, *[Token] * 7, Answer]
    answer = events[-1]
    assert tokens(events) == answer.answer == "SoftBank gave 30 billion. [1]"
    assert (answer.language, answer.how) == ("en", "written")
    assert not answer.abstained
    assert answer.evidence == (FOUND,)
    (cited,) = answer.citations
    assert (cited.quote, cited.title, cited.author) == (TEXT, "a.txt", "Salma")
    assert cited.date == "2025-04-01"
    timings = answer.timings
    assert 0 < timings.retrieve_s <= timings.first_token_s <= timings.total_s
    assert (timings.prompt_tokens, timings.completion_tokens) == (5 + 7 + 5, 1 + 4 + 1)


def test_the_askers_language_is_quoted_without_the_llm():
    rawi = engine()
    events = list(rawi.answer("How much did SoftBank give?"))
    assert tokens(events) == events[-1].answer == f"{TEXT} [1]"
    assert events[-1].how == "quoted"
    assert prompts_of(rawi) == []


HALF_SURE = replace(FOUND, score=0.5)


def judging(
    yes: float, reply: str, *evidence: Found, none: float = 0.1, likeliest: str = "1"
) -> Engine:
    """An engine whose LLM says one thing, and finds it right with a probability."""
    model = JudgingLLM(replies=deque([reply]), yes=yes, none=none, likeliest=likeliest)
    return Engine(Settings(), OneSentence(*evidence), model)


def test_the_llm_is_asked_whether_any_sentence_answers_where_the_reader_is_not_sure():
    rawi = judging(0.99, "30 billion", HALF_SURE)
    events = list(rawi.answer("How much did SoftBank give?"))
    assert tokens(events) == events[-1].answer == f"{TEXT} [1]"
    assert (events[-1].how, events[-1].short_answer) == ("quoted", "")
    assert prompts_of(rawi) == []  # nothing is written that isn't shown
    assert events[-1].timings.prompt_tokens == 5


def test_reader_and_llm_choose_together_what_is_quoted():
    # By hand, log-probabilities: of the first -2.30 + .5 · -.69, of the second -.11 + .5 · -2.30.
    events = list(judging(0.99, "", HALF_SURE, MAY, likeliest="2").answer("How much in May?"))
    assert tokens(events) == events[-1].answer == f"{MAY_TEXT} [1]"


def test_where_they_choose_a_sentence_of_the_other_language_the_answer_is_short():
    foreign = replace(ARABIC, score=0.1)
    rawi = judging(0.99, "2: 30 مليار → 30 billion", HALF_SURE, foreign, likeliest="2")
    answer = list(rawi.answer("How much did the bank give?"))[-1]
    assert (answer.short_answer, answer.citations[0].doc) == ("30 billion", "b.txt")
    assert answer.timings.prompt_tokens == 5 + 5 + 7 + 5  # twice which, the answer, whether right


def test_what_an_llm_without_probabilities_finds_leaves_the_readers_choice():
    answer = list(engine("0", evidence=(HALF_SURE,)).answer("How much did SoftBank give?"))[-1]
    assert answer.answer == f"{TEXT} [1]"


def test_it_is_asked_once_more_whether_its_answer_is_right():
    rawi = judging(0.99, "1: 30 billion", ARABIC)
    list(rawi.answer("How much did it give?"))
    (prompt,) = rawi._drafter._model.judged
    assert [m.content for m in prompt[-2:]] == ["1: 30 billion", prompts.CHECK]


def test_where_the_llm_finds_no_answer_it_is_refused():
    rawi = judging(0.99, "0", ARABIC, none=0.99)
    answer = list(rawi.answer("How much did it give?"))[-1]
    assert (answer.how, rawi._drafter._model.judged) == ("refused", [])


@pytest.mark.parametrize("found", [FOUND, ARABIC])
def test_what_the_llm_does_not_find_right_is_refused(found):
    # By hand: .13 · log(.5 / .5) + .69 · log(.1 / .9) + .25 is -1.27, a probability of .22.
    rawi = judging(0.1, "30 billion", replace(found, score=0.5), none=0.9)
    events = list(rawi.answer("Who designed the bridge?"))
    assert (events[-1].how, events[-1].abstained) == ("refused", True)
    assert [c.quote for c in events[-1].citations] == [found.text]
    assert "30 billion [1]" not in tokens(events)


def test_across_languages_the_answer_is_short_and_the_quote_stands_beside_it():
    events = list(judging(0.99, "30 billion", ARABIC).answer("How much did it give?"))
    assert tokens(events) == events[-1].answer == "30 billion [1]"
    assert (events[-1].how, events[-1].short_answer) == ("written", "30 billion")
    (cited,) = events[-1].citations
    assert cited.quote == ARABIC_TEXT
    assert [ARABIC_TEXT[a:z] for a, z in cited.marks] == ["30"]


@pytest.mark.parametrize(
    ("yes", "reply"),
    [(0.2, "30 billion"), (0.9, "40 billion"), (0.9, "30 مليار"), (0.9, "30 百")],
)
def test_a_short_answer_that_may_not_hold_is_never_shown(yes, reply):
    events = list(judging(yes, reply, ARABIC).answer("How much did it give?"))
    assert reply not in tokens(events)
    assert events[-1].answer.endswith("in Arabic: [1]")
    assert (events[-1].how, events[-1].short_answer) == ("quoted", "")
    assert [c.quote for c in events[-1].citations] == [ARABIC_TEXT]


@pytest.mark.parametrize(
    ("yes", "reply", "words"),
    [
        (0.2, "1: بمبلغ 30 مليار → with thirty billion", "بمبلغ 30 مليار"),
        (0.9, "1: بمبلغ 30 مليار → with 40 billion", "بمبلغ 30 مليار"),
        (0.9, "1: بمبلغ … مليار → 30", "بمبلغ … مليار"),
    ],
)
def test_what_the_llm_makes_of_its_words_may_not_hold_but_they_do(yes, reply, words):
    answer = list(judging(yes, reply, ARABIC).answer("How much did it give?"))[-1]
    assert (answer.how, answer.short_answer) == ("quoted", "")
    assert answer.answer == sayings.pointer("en", {1: words})
    (cited,) = answer.citations
    assert [cited.quote[a - cited.start : z - cited.start] for a, z in cited.marks] == words.split(
        " … "
    )


def test_nothing_but_a_figure_needs_no_second_word():
    answer = list(judging(0.2, "1: 30 مليار → 30 billion", ARABIC).answer("How much?"))[-1]
    assert (answer.how, answer.short_answer) == ("written", "30 billion")


@pytest.mark.parametrize(("yes", "short"), [(0.6, "30 billion"), (0.4, "")])
def test_the_figures_that_a_quote_begins_with_are_said_where_the_llm_finds_them_right(yes, short):
    reply = "1: 30 مليار، مع 10 مليارات إضافية → 30 billion and 10 million"
    answer = list(judging(yes, reply, SHARED).answer("How much did it give?"))[-1]
    assert answer.short_answer == short
    (cited,) = answer.citations
    assert cited.quote == SHARED_TEXT


def test_where_the_llm_gives_more_figures_than_it_quotes_they_are_not_dropped():
    reply = "1: 30 مليار → 30 billion of 40"
    answer = list(judging(0.99, reply, ARABIC).answer("How much of the 40?"))[-1]
    assert (answer.how, answer.short_answer) == ("written", "30 billion of 40")


def test_words_that_no_sentence_has_are_not_shown():
    answer = list(judging(0.2, "1: بمبلغ كبير → a large sum", ARABIC).answer("How much?"))[-1]
    assert answer.answer == sayings.pointer("en", {1: ""})


def test_where_the_llm_tells_no_probabilities_what_can_be_told_for_certain_decides():
    held = list(engine("30 billion", evidence=(ARABIC,)).answer("How much did it give?"))[-1]
    assert held.short_answer == "30 billion"
    amiss = list(engine("40 billion", evidence=(ARABIC,)).answer("How much did it give?"))[-1]
    assert (amiss.how, amiss.short_answer) == ("quoted", "")


def test_a_question_after_three_things_is_answered_by_the_list_of_three():
    rawi = engine(evidence=(LAST_OF_THREE, FOUND))
    answer = list(rawi.answer("Which three animals came?"))[-1]
    assert answer.answer == "1. A cat. [1] 2. A dog. [2] 3. A cow. [3]"
    assert [c.quote for c in answer.citations] == ["1. A cat.", "2. A dog.", "3. A cow."]


def test_a_list_is_quoted_whole_where_the_llm_names_one_item():
    rawi = judging(0.99, "1: a dog", replace(LAST_OF_THREE, score=0.5))
    answer = list(rawi.answer("Which three animals came?"))[-1]
    assert answer.answer == "1. A cat. [1] 2. A dog. [2] 3. A cow. [3]"


def test_across_languages_a_part_that_the_llm_left_out_is_pointed_at():
    other = Found("b.txt", 5, 13, ARABIC_TEXT[5:13], 0.8, "ar")

    class Parts(OneSentence):
        def evidence(self, question, context="", *, read_as=""):
            return [other] if question.startswith("who") else [ARABIC]

    rawi = judging(0.99, "1: 30 billion", ARABIC)
    rawi.retriever = Parts()
    answer = list(rawi.answer("How much did it give, and who led the round?"))[-1]
    assert answer.short_answer == "30 billion"
    assert answer.answer == f"30 billion [1] {sayings.pointer('en', {2: ''})}"
    assert [c.quote for c in answer.citations] == [ARABIC_TEXT, other.text]


def test_a_written_claim_that_nothing_holds_is_never_the_answer():
    answer = list(written("SoftBank gave 77 billion.").answer("How much?"))[-1]
    assert answer.answer == f"{TEXT} [1]"
    assert answer.how == "quoted"


def test_each_part_of_a_question_is_searched_for():
    rawi = engine(evidence=(FOUND,))
    list(rawi.answer("How much did SoftBank give, and who led the round?"))
    whole, first, second = rawi.retriever.asked
    assert whole[0] == first[1] == second[1]
    assert (first[0], second[0]) == ("How much did SoftBank give", "who led the round?")


def test_what_is_not_shown_may_be_stopped_too():
    rawi = engine("one two three four", evidence=(ARABIC,))
    events = rawi.answer("How much did SoftBank give?")
    next(events)
    assert next(events) == next(events) == Token("")
    events.close()
    assert rawi._drafter._model.abandoned == 1


def test_the_llm_reads_ahead_what_its_prompts_begin_with():
    rawi = engine("x")
    rawi.warm()
    assert prompts_of(rawi)[0][0] == prompts.SYSTEM


def test_a_sentence_that_leads_is_scored_no_better_than_those_of_the_whole_question():
    unlikely = replace(FOUND, score=0.2)

    class Parts(OneSentence):
        def evidence(self, question, context="", *, read_as=""):
            return [ARABIC] if question.startswith("who") else [unlikely]

    rawi = engine()
    rawi.retriever = Parts()
    evidence = next(rawi.answer("How much did SoftBank give, and who led the round?"))
    assert evidence.sentences == (unlikely, replace(ARABIC, score=0.2))


@pytest.mark.parametrize("found", [(), (Found("a.txt", 0, 25, TEXT, 0.001, "en"),)])
@pytest.mark.parametrize(("question", "language"), [("Who?", "en"), ("من؟", "ar")])
def test_too_little_evidence_is_refused_in_the_askers_language(found, question, language):
    events = list(engine(evidence=found).answer(question))
    assert [type(event) for event in events] == [Evidence, Token, Answer]
    assert events[-1].answer == sayings.refusal(language, None, foreign=False)
    assert (events[-1].abstained, events[-1].how) == (True, "refused")
    assert events[-1].citations == ()


def test_a_refusal_cites_the_closest_that_the_documents_say():
    close = Found("a.txt", 0, 25, TEXT, 0.1, "en")
    answer = list(engine("5 billion", evidence=(close,)).answer("How much did Oracle give?"))[-1]
    assert answer.abstained
    assert TEXT in answer.answer
    assert [c.quote for c in answer.citations] == [TEXT]


def test_a_follow_up_is_searched_and_read_with_what_it_follows():
    rawi = engine()
    history = [
        Turn("user", "What is Meta?"),
        Turn("assistant", "A company."),
        Turn("user", "Who led the round?"),
        Turn("assistant", "SoftBank."),
    ]
    list(rawi.answer("And how much?", history))
    assert rawi.retriever.asked == [
        (
            "And how much?",
            "Who led the round?\nSoftBank.",
            "Who led the round? And how much?",
        ),
    ]


def thanked() -> Engine:
    """An engine that takes every message for thanks."""
    retriever = OneSentence(FOUND)
    retriever.titles = lambda: {"a.txt": "A"}
    logits = np.array([kind == "thanks" for kind in KINDS], np.float32)
    kinds: Any = SimpleNamespace(logits=lambda message: 10 * logits)
    return Engine(Settings(), retriever, ScriptedLLM(replies=deque()), kinds)


def test_thanks_are_answered_without_evidence_or_llm():
    rawi = thanked()
    events = list(rawi.answer("Thanks!", [Turn("user", "Who?"), Turn("assistant", "SoftBank.")]))
    assert events[:2] == [Evidence(()), Token(sayings.welcome("en"))]
    assert events[2].answer == sayings.welcome("en")
    assert (events[2].how, events[2].abstained, events[2].citations) == ("told", False, ())
    assert rawi.retriever.asked == []


def test_closing_the_answer_stops_the_llm():
    rawi = written("one two three four")
    events = rawi.answer("How much?")
    next(events), next(events), next(events)
    events.close()
    assert rawi._drafter._model.abandoned == 1


@pytest.mark.parametrize("error", [GenerationError("it broke"), DeadlineError("too slow")])
def test_when_the_llm_fails_the_evidence_is_the_answer(error):
    answer = list(written(error).answer("How much?"))[-1]
    assert answer.answer == f"{TEXT} [1]"
    assert (answer.how, answer.failure) == ("quoted", str(error))


def test_an_empty_reply_is_a_failure():
    assert "nothing" in list(written("").answer("How much?"))[-1].failure


def test_without_an_llm_answers_are_quotes():
    rawi = Engine(Settings(), OneSentence(FOUND), None)
    assert list(rawi.answer("How much?"))[-1].answer == f"{TEXT} [1]"
    foreign = Engine(Settings(), OneSentence(ARABIC), None)
    assert list(foreign.answer("How much?"))[-1].answer.endswith("in Arabic: [1]")


def test_deadline():
    rawi = written("one two three")
    llm = rawi.settings.llm.model_copy(update={"timeout_s": 0.0})
    settings = rawi.settings.model_copy(update={"llm": llm})
    rawi = Engine(settings, rawi.retriever, rawi._drafter._model)
    assert "timeout_s" in list(rawi.answer("How much?"))[-1].failure


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
