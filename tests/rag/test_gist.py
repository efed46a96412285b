from __future__ import annotations

import numpy as np

from rag import gist
from rag.retrieval import Found


def sentences(*texts: str) -> list[Found]:
    starts = np.cumsum([0, *(len(text) + 1 for text in texts)])
    return [
        Found("a.txt", a, a + len(t), t, 0.0, "en") for a, t in zip(starts, texts, strict=False)
    ]


TITLE = "The old mill"
TOLD = sentences(
    "The old mill",
    "It was built in 1900.",
    "A cat lives in it.",
    "Page 2",
    "It was built by two brothers.",
    "It was built in 1900.",
)
# Three are near to each other, the cat stands apart: their mean is (4, 1, 1) / 6.
NEAR = [1.0, 0.0, 0.0]
VECTORS = np.array([NEAR, NEAR, [0, 1, 0], [0, 0, 1], NEAR, NEAR], dtype=np.float32)


def texts(found: list[Found]) -> list[str]:
    return [sentence.text for sentence in found]


def test_the_most_central_sentences_come_in_the_documents_order():
    found = gist.gist(TOLD, VECTORS, TITLE, most=2)
    assert texts(found) == ["It was built in 1900.", "It was built by two brothers."]


def test_neither_title_nor_repetitions_nor_scraps_tell_anything():
    assert texts(gist.gist(TOLD, VECTORS, TITLE)) == [
        "It was built in 1900.",
        "A cat lives in it.",
        "It was built by two brothers.",
    ]


def test_near_the_beginning_tells_somewhat_more():
    # .1 / 2 and .1 / 3 more, of what is equally central.
    two = sentences("Title", "One is told here.", "Two is told here.")
    assert texts(gist.gist(two, np.ones((3, 1), np.float32), "Title", most=1)) == [two[1].text]


def test_a_document_of_scraps_is_told_by_them():
    scraps = sentences("Milk", "Bread")
    assert gist.gist(scraps, np.ones((2, 1), np.float32), "List") == scraps


def test_an_empty_document_tells_nothing():
    assert gist.gist([], np.zeros((0, 1), np.float32), "") == []
    assert gist.opening([], "") is None


def test_the_opening_is_the_first_sentence_after_the_title():
    assert gist.opening(TOLD, TITLE) == TOLD[1]
    assert gist.opening(TOLD[:1], TITLE) == TOLD[0]
