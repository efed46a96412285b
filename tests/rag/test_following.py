"""A folder that changes: indexed when it rests, again when that failed, and not for nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from threading import Event

import pytest

from rag import index
from rag.config import Settings
from rag.errors import DocumentError, IndexStorageError, RawiError
from rag.following import Folder, follow
from rag.index import IndexReport
from tests.conftest import WordEmbedder, Write


class Look(Event):
    """Never set: each wait is a change of the folder, until there are no more."""

    def __init__(self, *changes: object) -> None:
        super().__init__()
        self._changes: Iterator[object] = iter(changes)

    def wait(self, timeout: float | None = None) -> bool:
        change = next(self._changes, StopIteration)
        if callable(change) and change is not StopIteration:
            change()
        return change is StopIteration


def still() -> None:
    """Change nothing."""


def test_a_change_is_indexed_once_it_rests(settings: Settings, write: Write) -> None:
    folder = Folder(settings, 5.0)
    write("cat.txt", "The cat sleeps.")
    assert not folder.is_to_be_indexed()  # it may still be being written
    assert folder.is_to_be_indexed()
    folder.indexed()
    assert not folder.is_to_be_indexed()
    path = write("cat.txt", "The cat sleeps in the house.")
    assert [folder.is_to_be_indexed() for _ in range(2)] == [False, True]
    folder.indexed()
    os.utime(path, ns=(0, 0))  # as a copy of the same size may be
    assert [folder.is_to_be_indexed() for _ in range(2)] == [False, True]
    folder.indexed()
    path.rename(path.with_name("dog.txt"))
    assert [folder.is_to_be_indexed() for _ in range(2)] == [False, True]


def test_looks_take_little_of_the_time(settings: Settings, write: Write) -> None:
    write("cat.txt", "The cat sleeps.")
    folder = Folder(settings, 0.0)
    folder.is_to_be_indexed()
    assert 0 < folder.pause_s < 5  # twenty times what the look took


def test_the_index_follows_the_folder(settings: Settings, write: Write) -> None:
    def run() -> IndexReport:
        return index.update(settings, WordEmbedder())

    path = write("cat.txt", "The cat sleeps.")
    looks = Look(
        *(still, still, still),
        *(lambda: write("dog.txt", "The dog barks."), still, still),
        *(path.unlink, still),
    )
    reports = list(follow(Folder(settings, 0.0), run, looks))
    seen = [(r.added, r.removed, r.documents) for r in reports if isinstance(r, IndexReport)]
    assert seen == [(1, 0, 1), (1, 0, 2), (0, 1, 1)]


@pytest.mark.parametrize(
    ("error", "runs", "told"),
    [
        (DocumentError("holds no documents"), 1, 1),  # nothing to do until it changes
        (IndexStorageError("another rawi is indexing there"), 3, 1),
    ],
)
def test_what_fails_is_told_once_and_tried_again_where_that_may_help(
    settings: Settings, write: Write, error: RawiError, runs: int, told: int
) -> None:
    tried = []

    def run() -> IndexReport:
        tried.append(1)
        raise error

    write("cat.txt", "The cat sleeps.")
    said = list(follow(Folder(settings, 0.0), run, Look(*[still] * 4)))
    assert said == [error] * told
    assert len(tried) == runs
