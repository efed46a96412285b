"""Cutting: what holds for every text, and what becomes of texts that are hard to cut."""

from __future__ import annotations

import dataclasses
import time
from itertools import pairwise
from pathlib import Path

import pytest

from rag.documents import Document, parse
from rag.language import Span
from rag.passages import SENTENCE_MAX_CHARS, Passage, cut

SEEDS = Path(__file__).parents[2] / "seeds"
ARABIC = "تنام القطط في البيت. هل تنام الكلاب أيضًا؟ نعم؛ تنام كلها!"
ENGLISH = 'The cats sleep at home. Do the dogs, e.g. Rex, sleep too? "Yes." They all do!'

TEXTS = {
    "seed article 000": (SEEDS / "000_25063b146d92d0fe.txt").read_text(encoding="utf-8"),
    "seed article 002": (SEEDS / "002_b19104475cf0323d.txt").read_text(encoding="utf-8"),
    "one word": "قط",
    "Arabic": ARABIC,
    "English": ENGLISH,
    "both": f"{ARABIC} {ENGLISH}\n{ENGLISH} {ARABIC}",
    "Arabic paragraphs": "\n\n".join([ARABIC] * 40),
    "English paragraphs": "\n".join([ENGLISH * 3] * 20),
    "Windows newlines, tabs": f"{ENGLISH}\r\n\r\n\t{ARABIC}\r\n  \t\r\n{ENGLISH}",
    "headings and lists": "# Cats\n\n1. Sleep.\n2. Eat.\n- a\n\n## القطط\n١. النوم.\n٢. الأكل.",
    "tashkeel and emoji": "الدَّرْسُ الأَوَّلُ 🐈‍⬛. ثُمَّ 👩🏽‍🚀؟ " * 30,
    "marks alone": "... !!! ؟؟؟ *** — ",
    "no marks, no newlines": "cat قط " * 2_000,
    "one endless word": "ق" * 5_000,
    "commas at the end": "كلمة " * 150 + "، " + "word " * 150 + ", " + "x" * 3_000,
    "many newlines": f"Cats.{chr(10) * 2_000}Dogs.{' ' * 2_000}Fish.",
    "a long sentence between short ones": f"Cats sleep. {'and dogs ' * 80}sleep. Fish swim.",
}  # fmt: skip


@pytest.fixture(params=TEXTS)
def document(request: pytest.FixtureRequest) -> Document:
    return parse(f"{request.param}.txt", TEXTS[request.param].encode())


@pytest.fixture(params=[100, 400, 4_000])
def max_chars(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_invariants(document: Document, max_chars: int) -> None:
    passages = cut(document, max_chars)
    text = document.text
    for passage in passages:
        assert passage.doc == document.id
        assert text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip() != ""
        assert len(passage.text) <= max_chars or len(passage.sentences) == 1
        assert_sentences_partition(passage, text)
    for before, after in pairwise(passages):
        assert before.end <= after.start
    covered = [i for passage in passages for i in range(passage.start, passage.end)]
    assert [i for i in covered if not text[i].isspace()] == [
        i for i, char in enumerate(text) if not char.isspace()
    ]


def assert_sentences_partition(passage: Passage, text: str) -> None:
    """Nothing but whitespace lies between sentences, and none within their edges."""
    assert passage.sentences[0].start == passage.start
    assert passage.sentences[-1].end == passage.end
    for start, end in passage.sentences:
        assert 0 < end - start <= SENTENCE_MAX_CHARS
        assert text[start:end] == text[start:end].strip()
    for before, after in pairwise(passage.sentences):
        assert before.end <= after.start
        assert text[before.end : after.start].strip() == ""


def test_ids_are_stable_and_unique(document: Document, max_chars: int) -> None:
    ids = [passage.id for passage in cut(document, max_chars)]
    assert ids == [passage.id for passage in cut(document, max_chars)]
    assert len(set(ids)) == len(ids)


def test_ids_differ_between_documents_and_contents() -> None:
    document = parse("a.txt", b"Cats sleep.")
    others = [
        dataclasses.replace(document, id="b.txt"),
        dataclasses.replace(document, sha256="0" * 64),
    ]
    ids = {cut(one, 400)[0].id for one in [document, *others]}
    assert len(ids) == 3
    assert cut(document, 400)[0].id == "660739f2cea1790c792d5dc3b2871a7e"


# Six sentences of 21 characters each.
SENTENCES = [f"Sentence number {n} is." for n in range(6)]


def groups(text: str, max_chars: int) -> list[list[str]]:
    document = parse("a.txt", text.encode())
    return [
        [document.text[start:end] for start, end in passage.sentences]
        for passage in cut(document, max_chars)
    ]


def test_sentences_are_gathered_up_to_the_limit() -> None:
    one, two, three, four, five, six = SENTENCES
    line = " ".join(SENTENCES)
    assert len(one) == 21
    assert groups(line, 6 * 21 + 5) == [SENTENCES]
    assert groups(line, 6 * 21 + 4) == [[one, two, three, four, five], [six]]
    assert groups(line, 2 * 21 + 1) == [[one, two], [three, four], [five, six]]
    assert groups(line, 20) == [[sentence] for sentence in SENTENCES]


def test_a_paragraph_ends_a_passage_that_is_half_full() -> None:
    one, two, three, four, five, six = SENTENCES
    text = f"{one} {two}\n{three} {four} {five}\n{six}"
    # Half of 86 is 43, just as long as the first two; the next three are 65, the sixth makes 87.
    assert groups(text, 86) == [[one, two], [three, four, five], [six]]
    # Half of 88 is 44: the first two are too short to stand alone.
    assert groups(text, 88) == [[one, two, three, four], [five, six]]


def test_a_heading_goes_with_what_it_heads() -> None:
    assert groups("Cats\n\nThey sleep. They eat.", 100) == [["Cats", "They sleep.", "They eat."]]


def pieces(text: str) -> list[str]:
    return [sentence for group in groups(text, 400) for sentence in group]


def test_an_endless_line_is_cut_at_spaces() -> None:
    text = ("word " * 10_000).strip()  # 50,000 characters but the last space
    found = pieces(text)
    # 200 words and their spaces are 1,000 characters; the last of these spaces is cut off.
    assert [len(piece) for piece in found] == [999] * 50
    assert " ".join(found) == text


def test_an_endless_word_is_cut_anyway() -> None:
    assert [len(piece) for piece in pieces("ق" * 50_000)] == [SENTENCE_MAX_CHARS] * 50


def test_an_endless_line_is_rather_cut_at_a_comma() -> None:
    for comma in "،,؛;:":
        first = "كلمة " * 99 + f"كلمة{comma}"
        assert pieces(f"{first} {'word ' * 150}end")[0] == first


def test_a_number_is_never_cut_at_its_comma_or_colon() -> None:
    text = "x " * 400 + "cost 25,000 at 10:30 and " + "y " * 400 + "z"
    first, second = pieces(text)
    assert first.endswith(" y")
    assert "cost 25,000 at 10:30 and" in first
    assert second.endswith("y z")


@pytest.mark.timeout(20)
def test_time_is_linear_in_the_length_of_a_line() -> None:
    def seconds(length: int) -> float:
        document = Document("a.txt", "", "en", "word " * (length // 5) + ".", "")
        began = time.perf_counter()
        cut(document, 400)
        return time.perf_counter() - began

    seconds(200_000)
    # Eight times the text; quadratic would be 64 times the time.
    assert seconds(1_600_000) < 24 * max(seconds(200_000), 0.001)


def test_spans_are_named() -> None:
    (passage,) = cut(parse("a.txt", b"Cats. Dogs."), 400)
    assert passage.sentences == (Span(start=0, end=5), Span(start=6, end=11))
