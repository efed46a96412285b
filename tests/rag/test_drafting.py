from __future__ import annotations

from dataclasses import replace

import pytest

from rag import drafting, grounding
from rag.config import AnswerSettings
from rag.retrieval import Found


def found(text: str, score: float, start: int = 0) -> Found:
    return Found("a.txt", start, start + len(text), text, score, "en")


def quoted(sentences, language, max_words, *, foreign=False):
    return drafting.quoted(grounding.citations(sentences), language, max_words, foreign=foreign)


def choose(*parts, language="en", **settings):
    return drafting.choose(parts, language, AnswerSettings(**settings))


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [([0.9, 0.05], 1), ([0.4, 0.3], 2), ([0.4, 0.12], 2), ([0.4, 0.11], 1), ([0.3] * 4, 3)],
)
def test_another_sentence_joins_when_it_is_nearly_as_likely(scores, chosen):
    evidence = [found("A cat.", score, n * 10) for n, score in enumerate(scores)]
    assert choose(evidence) == evidence[:chosen]


def test_each_part_of_a_question_has_its_best_sentence():
    cat, dog, fish = (found(f"A {x}.", 0.4, n * 10) for n, x in enumerate(("cat", "dog", "fish")))
    assert choose([cat, dog], [replace(dog, score=0.01), fish]) == [cat, replace(dog, score=0.01)]
    assert choose([cat, dog], [replace(cat, score=0.9), fish]) == [cat]
    assert choose([fish, dog], [cat], [fish]) == [fish, cat]


def test_the_parts_of_a_question_share_the_words():
    long, longer = found("word " * 40, 0.5), found("word " * 50, 0.5, 500)
    assert choose([long], [longer]) == [long, longer]
    assert choose([long, longer]) == [long]


def test_another_sentence_stays_out_past_the_limit():
    evidence = [found("word " * 15, 0.5), found("word " * 15, 0.5, 100), found("A cat.", 0.5, 200)]
    assert choose(evidence[:2], max_words=32) == evidence[:2]  # each with its marker
    assert choose(evidence, max_words=31) == [evidence[0], evidence[2]]


def test_arabic_that_becomes_english_grows_by_a_third():
    evidence = [Found("a.txt", n, n + 9, "كلمة " * 12, 0.5, "ar") for n in (0, 100)]
    assert len(choose(evidence, max_words=34)) == 2  # 2 · (12 · 4/3 + 1)
    assert len(choose(evidence, max_words=33)) == 1
    assert len(choose(evidence, language="ar", max_words=26)) == 2


def test_a_long_sentence_is_cut_after_a_clause_and_cited_whole():
    text = "one two three, four five six, seven eight nine."
    draft = quoted([found(text, 0.9)], "en", 8)
    assert draft.text == "one two three, four five six, … [1]"
    assert draft.citations[0].quote == text
    assert quoted([found("a b c d", 0.9)], "en", 4).text == "a b … [1]"


def test_a_clause_that_says_little_is_followed_by_words():
    item = "1. Speed: it is fast and it is cheap, they say."
    assert drafting.fitted([item], 8) == ["1. Speed: it is fast and …"]


def test_sentences_that_are_too_long_together_share_the_words():
    long = "one two three, four five six, seven eight nine."
    assert drafting.fitted([long, "a b c"], 12) == [
        "one two three, four five six, …",
        "a b c",
    ]
    assert drafting.fitted([long] * 2, 12) == ["one two three, …"] * 2
    assert drafting.fitted([long], 10) == [long]


def test_a_sentence_of_the_other_language_is_pointed_at():
    arabic = Found("b.txt", 0, 5, "قطة.", 0.9, "ar")
    assert quoted([arabic], "en", 60, foreign=True).text.endswith("in Arabic: [1]")


def test_sentences_are_quoted_each_with_its_citation():
    draft = quoted([found("A cat.", 0.5), found("A dog.", 0.5, 10)], "en", 60)
    assert draft.text == "A cat. [1] A dog. [2]"
    assert [c.start for c in draft.citations] == [0, 10]
