"""Cutting: what holds for every text, and what becomes of texts that are hard to cut."""

from __future__ import annotations

import dataclasses
import time
from itertools import pairwise
from pathlib import Path

import pytest

from rag.documents import Document, parse
from rag.language import Span, bare
from rag.passages import Passage, cut, of_document
from rag.sentences import SENTENCE_MAX_CHARS, Unit

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
    "marks and a figure": "... !!! ؟؟؟ *** — 7 ",
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
        read = of_document(document, passage)
        assert len(read.text) <= max_chars or sum(not u.opens for u in passage.units) == 1
        assert_units_stand_in_order(passage, text)
        assert len(read.sentences) == len(passage.units)
        for unit, (start, end) in zip(passage.units, read.sentences, strict=True):
            assert read.text[start:end] == bare(unit.said or " ".join(said(unit, text).split()))
    for before, after in pairwise(passages):
        assert before.end <= after.start


def said(unit: Unit, text: str) -> str:
    return text[unit.start : unit.end]


def assert_units_stand_in_order(passage: Passage, text: str) -> None:
    """They follow one another without space at their edges."""
    own = [unit for unit in passage.units if not unit.opens or unit.start >= passage.start]
    assert own[0].start == passage.start
    assert own[-1].end == passage.end
    for unit in passage.units:
        assert 0 < unit.end - unit.start <= SENTENCE_MAX_CHARS
        assert said(unit, text) == said(unit, text).strip()
    for before, after in pairwise(passage.units):
        assert before.end <= after.start


def test_of_prose_nothing_is_left_out() -> None:
    for text in (ARABIC, ENGLISH, f"{ARABIC} {ENGLISH}", TEXTS["seed article 000"]):
        document = parse("a.txt", text.encode())
        covered = {i for p in cut(document, 400) for u in p.units for i in range(u.start, u.end)}
        left = "".join(c for i, c in enumerate(document.text) if i not in covered)
        assert left.strip() == ""


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
    assert cut(document, 400)[0].id == "a96d2220bb3d4d5d0e59c3d543512342"


# Six sentences of 21 characters each.
SENTENCES = [f"Sentence number {n} is." for n in range(6)]


def groups(text: str, max_chars: int) -> list[list[str]]:
    document = parse("a.txt", text.encode())
    return [
        [document.text[unit.start : unit.end] for unit in passage.units]
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


def test_a_heading_is_read_with_what_it_heads_and_no_unit_itself() -> None:
    text = "Pets\n\nCats\n\nThey sleep a lot. They eat.\n\nDogs\n\nThey bark at everyone."
    document = parse("a.txt", text.encode())
    (passage,) = cut(document, 400)
    assert [said(unit, text) for unit in passage.units] == [
        "They sleep a lot.",
        "They eat.",
        "They bark at everyone.",
    ]
    read = of_document(document, passage)
    assert read.heading == "Pets"
    assert read.text == "Cats\nThey sleep a lot. They eat. Dogs\nThey bark at everyone."


def test_every_passage_of_a_section_is_read_with_its_heading() -> None:
    document = parse("a.md", b"# Pets\n\n## Cats\n\n" + b"They sleep. " * 20)
    for passage in cut(document, 60):
        assert of_document(document, passage).text.startswith("Cats\nThey sleep.")


def test_a_list_cut_in_two_is_read_with_what_announces_it_in_both() -> None:
    text = "Bring these:\n" + "\n".join(f"- a thing of number {n}" for n in range(9))
    document = parse("a.txt", text.encode())
    first, second, *_ = cut(document, 150)
    assert first.start == 0
    assert second.text.startswith("a thing of number")
    for passage in (first, second):
        assert of_document(document, passage).text.startswith("Bring these:\na thing of number")


def test_what_is_read_has_no_tashkeel_and_no_newlines() -> None:
    text = (
        "وُلِدَ الكَاتِبُ فِي مَدِينَـةٍ بَعِيدَةٍ عَلَى شَاطِئِ البَحْرِ الكَبِيرِ سَنَةَ\n"
        "1901 ثُمَّ سَكَنَ فِي العَاصِمَةِ مَعَ أَهْلِهِ وَأَصْحَابِهِ حَتَّى\nآخِرِ العُمْرِ."
    )
    document = parse("a.txt", text.encode())
    (passage,) = cut(document, 400)
    (unit,) = passage.units
    assert said(unit, document.text) == document.text  # what is cited is the author's own
    assert of_document(document, passage).text.startswith("ولد الكاتب في مدينة بعيدة على شاطئ")
    assert "سنة 1901 ثم سكن" in of_document(document, passage).text


def pieces(text: str) -> list[str]:
    return [sentence for group in groups(text, 400) for sentence in group]


def test_an_endless_line_is_cut_at_spaces() -> None:
    text = ("word " * 10_000).strip()  # 50,000 characters but the last space
    found = pieces(text)
    # 80 words and their spaces are 400 characters; the last of these spaces is cut off. What is
    # left at the end is no endless sentence any more.
    assert [len(piece) for piece in found[:-1]] == [399] * (len(found) - 1)
    assert " ".join(found) == text


def test_an_endless_word_is_cut_anyway() -> None:
    assert [len(piece) for piece in pieces("ق" * 50_000)] == [400] * 125


def test_an_endless_line_is_rather_cut_at_a_comma() -> None:
    for comma in "،,؛;:":
        first = "كلمة " * 59 + f"كلمة{comma}"
        assert pieces(f"{first} {'word ' * 150}end")[0] == first


def test_a_number_is_never_cut_at_its_comma_or_colon() -> None:
    text = "x " * 150 + "cost 25,000 at 10:30 and " + "y " * 400 + "z"
    first, *_, last = pieces(text)
    assert first.endswith(" y")
    assert "cost 25,000 at 10:30 and" in first
    assert last.endswith("y z")


@pytest.mark.timeout(20)
def test_time_is_linear_in_the_length_of_a_line() -> None:
    def seconds(length: int) -> float:
        document = Document("a.txt", "", "en", "word " * (length // 5) + ".", "")
        began = time.process_time()
        cut(document, 400)
        return time.process_time() - began

    seconds(200_000)
    # Eight times the text; quadratic would be 64 times the time.
    assert seconds(1_600_000) < 24 * max(seconds(200_000), 0.001)


def test_units_of_prose_are_its_sentences() -> None:
    document = parse("a.txt", b"Cats. Dogs.")
    (passage,) = cut(document, 400)
    assert passage.units == (Unit(0, 5), Unit(6, 11))
    assert of_document(document, passage).sentences == (Span(0, 5), Span(6, 11))
