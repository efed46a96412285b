"""The judge's arithmetic: probability · exp(log-odds), the best of which decides."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace

import pytest

from rag.config import Settings
from rag.errors import GenerationError
from rag.judging import Judge, Judgement, Part
from rag.retrieval import Found
from tests.doubles import JudgingLLM

QUESTION = "Who came?"


def found(text: str, score: float, start: int = 0) -> Found:
    return Found("a.txt", start, start + len(text), text, score, "en")


CAT, DOG = found("A cat came.", 0.4), found("A dog left.", 0.3, 20)


def judgement(model, *parts, text="") -> Judgement:
    asked = [Part(QUESTION, tuple(evidence)) for evidence in parts]
    pieces = Judge(model, Settings(), lambda _: text).judged(asked)
    try:
        while True:
            assert next(pieces) == ""
    except StopIteration as done:
        return done.value


def model(*yes: float | Exception) -> JudgingLLM:
    return JudgingLLM(replies=deque(), verdicts=deque(yes))


def test_each_sentence_that_the_reader_would_choose_is_asked_about():
    llm = model(0.5, 0.5)
    judgement(llm, [CAT, DOG, found("A bird.", 0.1, 40)])
    assert [prompt[-1].content for prompt in llm.judged] == [
        f"Text: {CAT.text}\nQuestion: {QUESTION}",
        f"Text: {DOG.text}\nQuestion: {QUESTION}",
    ]


def test_the_llms_odds_are_weighed_with_the_readers_probability():
    # Odds of 1 and 4: .4 · 1/4 = .1 against .3 · 1.
    judged = judgement(model(0.5, 0.8), [CAT, DOG])
    assert [f.text for f in judged.parts[0]] == [DOG.text, CAT.text]
    assert [f.score for f in judged.parts[0]] == pytest.approx([0.3, 0.1])
    # Odds of 1 and 1.2: .4 / 1.2 = .33 is still more.
    judged = judgement(model(0.5, 6 / 11), [CAT, DOG])
    assert [f.text for f in judged.parts[0]] == [CAT.text, DOG.text]


def test_the_best_sentence_decides_whether_it_is_enough():
    settings = Settings().answer
    judged = judgement(model(0.1, 0.8), [CAT, DOG])
    beyond = math.log(4) - settings.min_yes
    assert judged.enough
    assert judged.confidence == pytest.approx(settings.judge_below / (1 + math.exp(-beyond)))
    assert not judgement(model(0.1, 0.2), [CAT, DOG]).enough


def test_where_the_reader_is_sure_the_llm_is_not_asked():
    sure = replace(CAT, score=0.95)
    llm = model()
    assert judgement(llm, [sure]) == Judgement(((sure,),), True, 0.95)
    assert llm.judged == []


@pytest.mark.parametrize("score", [0.7, 0.1])
def test_without_an_llm_the_reader_decides(score):
    cat = replace(CAT, score=score)
    assert judgement(None, [cat]) == Judgement(((cat,),), score > 0.5, score)


def test_each_part_is_judged_by_itself_and_one_that_is_answered_is_enough():
    judged = judgement(model(0.1, 0.8), [CAT], [DOG])
    assert judged.parts == ((CAT,), (DOG,))
    assert judged.enough
    assert judged.confidence == judgement(model(0.8), [DOG]).confidence
    assert not judgement(model(0.1, 0.1), [CAT], [DOG]).enough


def test_a_failing_llm_leaves_it_to_the_reader():
    judged = judgement(model(0.1, GenerationError("it broke")), [CAT, DOG])
    assert (judged.parts, judged.enough, judged.confidence) == (((CAT, DOG),), True, 0.7)
    assert judged.failure == "it broke"


def test_a_list_is_judged_with_its_items():
    text = "Two came:\n1. A cat.\n2. A dog."
    llm = model(0.5)
    judgement(llm, [found(text[:9], 0.4)], text=text)
    assert llm.judged[0][-1].content == f"Text: Two came: 1. A cat. 2. A dog.\nQuestion: {QUESTION}"


def test_it_costs_what_every_sentence_costs():
    assert judgement(model(0.5, 0.5), [CAT, DOG]).usage.prompt_tokens == 10
