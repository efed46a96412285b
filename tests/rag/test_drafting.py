from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest

from rag import drafting, excerpts, llm, sayings
from rag.config import AnswerSettings, Settings
from rag.conversation import Asked
from rag.drafting import Drafter
from rag.retrieval import Found
from tests.doubles import JudgingLLM, ScriptedLLM


def found(text: str, score: float, start: int = 0, words: str = "") -> Found:
    return Found("a.txt", start, start + len(text), text, score, "en", words=words)


def quoted(sentences, language, max_words, question=""):
    return drafting.quoted(sentences, language, max_words, question)


def choose(*parts, language="en", **settings):
    return drafting.choose(parts, language, AnswerSettings(**settings))


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [([0.9, 0.05], 1), ([0.4, 0.3], 2), ([0.4, 0.2], 2), ([0.4, 0.19], 1), ([0.3] * 4, 3)],
)
def test_another_sentence_joins_when_it_is_nearly_as_likely(scores, chosen):
    evidence = [found(f"Cat {n}.", score, n * 10) for n, score in enumerate(scores)]
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
    evidence = [found("word " * 15, 0.5), found("term " * 15, 0.5, 100), found("A cat.", 0.5, 200)]
    assert choose(evidence[:2], max_words=32) == evidence[:2]  # each with its marker
    assert choose(evidence, max_words=31) == [evidence[0], evidence[2]]


def test_arabic_that_becomes_english_grows_by_a_third():
    evidence = [Found("a.txt", 9, 19, f"{word} " * 12, 0.5, "ar") for word in ("كلمة", "جملة")]
    assert len(choose(evidence, max_words=34)) == 2  # 2 · (12 · 4/3 + 1)
    assert len(choose(evidence, max_words=33)) == 1
    assert len(choose(evidence, language="ar", max_words=26)) == 2


def test_a_long_sentence_is_cut_after_a_clause_and_cited_whole():
    text = "one two three, four five six, seven eight nine."
    draft = quoted([found(text, 0.9)], "en", 8)
    assert draft.text == "one two three, four five six, … [1]"
    assert draft.citations[0].quote == text
    assert quoted([found("a b c d e", 0.9)], "en", 4).text == "a b … [1]"


def test_a_clause_that_says_little_is_followed_by_words():
    item = "1. Speed: it is fast and it is cheap, they say."
    assert excerpts.fitted([item], 8) == ["1. Speed: it is fast and …"]


def test_sentences_that_are_too_long_together_share_the_words():
    long = "one two three, four five six, seven eight nine."
    assert excerpts.fitted([long, "a b c"], 12) == [
        "one two three, four five six, …",
        "a b c",
    ]
    assert excerpts.fitted([long] * 2, 12) == ["one two three, …"] * 2
    assert excerpts.fitted([long], 10) == [long]


def test_a_sentence_of_the_other_language_is_pointed_at():
    arabic = Found("b.txt", 0, 5, "قطة.", 0.9, "ar")
    assert quoted([arabic], "en", 60).text.endswith("in Arabic: [1]")


def test_sentences_are_quoted_each_with_its_citation():
    draft = quoted([found("A cat.", 0.5), found("A dog.", 0.5, 10)], "en", 60)
    assert draft.text == "A cat. [1] A dog. [2]"
    assert [c.start for c in draft.citations] == [0, 10]


LONG = (
    "the committee met on Sunday in the old hall, it spoke about the garden and the gate, the rent"
    " of the shop was raised to 700 pounds from June, and then everybody went home by the late bus"
)


def test_a_long_sentence_is_cut_around_the_clause_that_answers():
    text = quoted([found(LONG, 0.9)], "en", 16, "How much is the rent of the shop?").text
    assert text == "… the rent of the shop was raised to 700 pounds from June, … [1]"
    said = "اجتمعت اللجنة صباح الأحد في القاعة القديمة، ثم تحدثت عن الحديقة والبوابة، ورفعت أجرة"
    said += " المحل إلى سبعمئة جنيه، ثم عاد الجميع إلى بيوتهم بالحافلة الأخيرة"
    arabic = Found("b.txt", 0, len(said), said, 0.9, "ar")
    draft = quoted([arabic], "ar", 12, "كم صارت أجرة المحل؟")
    assert draft.text == "… ورفعت أجرة المحل إلى سبعمئة جنيه، … [1]"
    assert draft.citations[0].quote == said


def test_a_sentence_without_clauses_is_cut_amid_them():
    text = LONG.replace(",", "")
    said = quoted([found(text, 0.9)], "en", 16, "How much is the rent of the shop?").text
    assert "shop was raised to 700 pounds" in said
    assert len(said.split()) <= 16 + 1


def test_a_question_that_tells_nothing_leaves_the_beginning():
    assert quoted([found(LONG, 0.9)], "en", 16, "Warum?").text.startswith("the committee met")


def test_what_says_the_same_is_quoted_once():
    copies = [replace(found("A cat.", 0.5), doc=doc) for doc in ("a.txt", "b.txt", "c.txt")]
    assert drafting.distinct([*copies, found("A  CAT.", 0.4, 90)]) == copies[:1]


def test_copies_that_differ_in_the_marks_at_their_end_are_quoted_once():
    for first, *others in (["A cat.", "A cat", "A cat!"], ["قط أسود", "قط أسود.", "قط أسود؛"]):
        copies = [found(text, 0.5, n * 90) for n, text in enumerate([first, *others])]
        assert drafting.distinct(copies) == copies[:1]
    assert len(drafting.distinct([found("A cat.", 0.5), found("A cat?", 0.5, 90)])) == 2


def test_a_row_is_said_in_pairs_and_cited_as_it_stands():
    row = replace(found("| Hail | 7 |", 0.9), said="Town: Hail; Staff: 7")
    draft = quoted([row], "en", 60)
    assert draft.text == "Town: Hail; Staff: 7 [1]"
    assert draft.citations[0].quote == "| Hail | 7 |"


def test_a_wrapped_sentence_is_said_on_one_line():
    assert quoted([found("A cat\nsleeps.", 0.9)], "en", 60).text == "A cat sleeps. [1]"


# ------------------------------------------------------------------------- what the LLM says

FINE = "It costs £45, or £25 when paid early."


def said(model, evidence, question="كم الغرامة؟", language="ar"):
    drafter = Drafter(model, Settings())
    asked = Asked(question, question, "", "", (question,))
    return llm.whole(drafter.short(asked, [evidence], language))


def test_an_answer_without_end_is_left():
    model = JudgingLLM(replies=deque(["1: " + "and on " * 500]))
    draft = said(model, found(FINE, 0.9), "How much?", "en")
    assert model.abandoned == 1
    assert not draft.checked


def test_nothing_is_marked_in_the_closest_sentence_of_a_refusal():
    sentence = found(FINE, 0.9, words="£25")
    assert quoted([sentence], "en", 60).citations[0].marks
    refused = drafting.refused([sentence], "en", Settings(), 0.1)
    assert refused.citations[0].marks == ()


def test_thoughts_take_as_many_words_as_they_like():
    model = ScriptedLLM(replies=deque(["hmm, " * 200 + "</think>1: £25"]))
    assert said(model, found(FINE, 0.9), "How much?", "en").checked == "£25"
    assert model.abandoned == 0


@pytest.mark.parametrize("is_held", [True, False])
def test_words_of_the_last_answer_are_read_until_the_sentence_is_settled(is_held, monkeypatch):
    monkeypatch.setattr("rag.llm.is_held", lambda _: is_held)
    model = JudgingLLM(replies=deque(["1: £45 → 45 جنيهًا"]))
    first, asked = (
        model.first_token,
        Asked("وكم الغرامة؟", "التذكرة 2 جنيه. وكم الغرامة؟", "", "", ("",)),
    )
    firsts = []
    monkeypatch.setattr(JudgingLLM, "first_token", lambda *a: firsts.append(a[1]) or first(*a[1:]))
    llm.whole(Drafter(model, Settings()).short(asked, [found(FINE, 0.9)], "ar"))
    assert firsts[0][-1].content.endswith(f"السؤال: {asked.standalone}")
    said_of = asked.question if is_held else asked.standalone
    assert model.prompts[0][-1].content.endswith(f"السؤال: {said_of}")


@pytest.mark.parametrize(
    ("quote", "words"),
    [
        ("a fine of £45", "a fine of £45"),
        ("Salma Haddad, who has led the office of fines since March", "Salma Haddad"),
        # A clause that only leads to what is said, and words without a clause.
        ("To have it back, show your ticket at the office of fines", ""),
        ("the passenger who has no ticket pays the fine at once", ""),
    ],
)
def test_of_many_words_in_the_other_language_the_first_clause_is_said(quote, words):
    model = JudgingLLM(replies=deque([f"1: {quote} → ؟"]), yes=0.1)
    cited = said(model, found(f"Rules: {quote}.", 0.9))
    draft = drafting.in_its_words(cited, [], "ar", "من يدفع؟")
    assert draft.text == sayings.pointer("ar", {1: words})
    assert [c.marks for c in draft.citations] == [((7, 7 + len(quote)),)]


@pytest.mark.parametrize(("score", "best"), [(0.2, 1), (0.04, 0)])
def test_the_llm_chooses_among_what_the_reader_finds_plausible(score, best):
    read = [found(FINE, 0.9), found("Answer: nothing.", score, 100)]
    asked = Asked("How much?", "How much?", "", "", ("How much?",))
    drafter = Drafter(JudgingLLM(replies=deque(), likeliest="2"), Settings())
    assert drafter.answered(asked, read, "en")[1] == read[best]
