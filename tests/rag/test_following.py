"""A folder that changes: indexed when it rests, again when that failed, and not for nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Event

import pytest

from rag import following, index
from rag.config import Settings
from rag.errors import DocumentError, IndexStorageError, RawiError
from rag.following import follow
from rag.index import IndexReport
from tests.conftest import WordEmbedder, Write


class Waits(Event):
    """Never set: at each wait something is done to the folder, until there is no more to do."""

    def __init__(self, *done: Callable[[], object]) -> None:
        super().__init__()
        self._done = iter(done)
        self.pauses: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout)
        do = next(self._done, None)
        if do is not None:
            do()
        return do is None


def rest() -> None:
    """Change nothing."""


def test_the_index_follows_the_folder_once_it_rests(settings: Settings, write: Write) -> None:
    path = write("cat.txt", "The cat sleeps.")
    dog = path.with_name("dog.txt")
    waits = Waits(
        *(rest, rest, rest),  # what is there already
        *(lambda: write("dog.txt", "The dog"), lambda: write("dog.txt", "The dog barks."), rest),
        *(lambda: os.utime(dog, ns=(0, 0)), rest),
        *(lambda: dog.rename(path.with_name("fox.txt")), rest),
        *(path.unlink, rest, rest),
    )
    seen = []
    for report in follow(settings, lambda: index.update(settings, WordEmbedder()), waits, 5.0):
        assert isinstance(report, IndexReport)
        looks = len(waits.pauses)
        seen.append((looks, report.added, report.changed, report.removed, report.documents))
    assert seen == [
        (2, 1, 0, 0, 1),
        (6, 1, 0, 0, 2),  # not when it was half written
        (8, 0, 0, 0, 2),  # another date, and the same text
        (10, 1, 0, 1, 2),
        (12, 0, 0, 1, 1),
    ]


def test_what_was_indexed_before_is_not_indexed_again(settings: Settings, write: Write) -> None:
    write("cat.txt", "The cat sleeps.")
    seen = following.look(settings)
    assert list(follow(settings, pytest.fail, Waits(rest, rest, rest), 0.0, seen)) == []


def test_where_a_look_takes_long_there_are_few(
    settings: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("cat.txt", "The cat sleeps.")
    times = iter([0.0, 0.1, 10.0, 12.0])
    monkeypatch.setattr("rag.following.time.monotonic", lambda: next(times))
    waits = Waits(rest, rest)
    list(follow(settings, pytest.fail, waits, 5.0, following.look(settings)))
    assert waits.pauses == [5.0, 5.0, 40.0]  # twenty times the two seconds


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
    assert list(follow(settings, run, Waits(rest, rest, rest, rest), 0.0)) == [error] * told
    assert len(tried) == runs
