"""Hundreds of hostile files in one folder, indexed at once: each is read, or its reason is told.

None crashes the run, holds it up past its limit, asks a server or opens what is outside of the
folder; and the good files among them are answered as if they were alone.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rag import current, index, markdown
from rag.cli import plain
from rag.config import Settings
from rag.engine import Answer, Engine
from rag.retrieval import Retriever
from tests.conftest import WordEmbedder
from tests.rag import hostile
from tests.rag.files import ENGLISH, Text
from tests.rag.hostile import Bait
from tests.rag.test_mirror import MAKERS
from tests.ui.hosts import Host, hosted
from ui import reasons

pytestmark = pytest.mark.slow

SEED = 20_261
SECRET = "zqsecret of the disk"
PLACES = ("Ashford", "Belmore", "Corvale", "Dunwich", "Elmstead", "Farholt", "Gresham", "Harwick",
          "Inverley", "Jarrow", "Kelford", "Lowick", "Marlow", "Norbury", "Oakham")  # fmt: skip
# Seconds: generous, since other processes may have the cores.
MOST_S = 120.0


@dataclass
class Watch:
    """What this process does while it is looked at; its readers have an audit of their own."""

    on: bool = False
    opened: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event == "open" and isinstance(arguments[0], (str, bytes)):
            self.opened.add(os.path.realpath(os.fsdecode(arguments[0])))
        elif self.on and event in ("socket.connect", "socket.getaddrinfo"):
            self.asked.append(repr(arguments[1:]))


WATCH = Watch()


@pytest.fixture
def watch() -> Iterator[Watch]:
    if not WATCH.opened and not WATCH.asked:
        sys.addaudithook(WATCH.hear)  # for good; it hears nothing unless it is on
    yield WATCH
    WATCH.on = False


@pytest.fixture
def canary() -> Iterator[Host]:
    with hosted("127.0.0.1") as host:
        yield host


@pytest.fixture
def bait(tmp_path: Path, canary: Host) -> Bait:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text(SECRET)
    return Bait(outside / "secret.txt", canary.origin)


def good(corpus: Path) -> dict[str, str]:
    """Write a good file of each type; return the places that they tell of, by their names."""
    (corpus / "good").mkdir()
    told = {}
    for (suffix, make), place in zip(sorted(MAKERS.items()), PLACES, strict=True):
        said = f"The cat of {place} guards the lighthouse of {place}."
        rows = ((place, said, "1"), ("Nobody", "Nothing", "2"))
        text = Text(**vars(ENGLISH) | {"last": said, "rows": rows})
        (corpus / "good" / f"{place}.{suffix}").write_bytes(make(text))
        told[f"good/{place}.{suffix}"] = place
    return told


@contextmanager
def limited(seconds: float, slow: list[tuple[str, float]]) -> Iterator[Any]:
    """Give what is told of each file as it begins; those that took longer are noted."""
    last = ["", time.monotonic()]

    def progress(doc: str, *_: int) -> None:
        took = time.monotonic() - float(last[1])
        if took > seconds:
            slow.append((str(last[0]), took))
        if took > 5:
            print(f"{took:.0f} s: {last[0]}")
        last[:] = [doc, time.monotonic()]

    yield progress


def held_up(settings: Settings, bait: Bait, watch: Watch, canary: Host, *, count: int) -> None:
    """Index so many hostile files with good ones among them, and look at what came of it."""
    bounds = {"max_seconds": MOST_S, "max_memory_bytes": 400_000_000, "max_chars": 200_000}
    settings = settings.model_copy(
        update={"documents": settings.documents.model_copy(update=bounds)}
    )
    made = hostile.written(settings.corpus, bait, count=count, seed=SEED)
    told = good(settings.corpus)
    slow: list[tuple[str, float]] = []
    embedder = WordEmbedder()
    # One that wore its reader out is read once more.
    with limited(2 * MOST_S + 5, slow) as progress:
        watch.on = True
        report = index.update(settings, embedder, progress)
        watch.on = False
    assert slow == []
    assert canary.asked == []
    assert watch.asked == []
    assert str(bait.secret.resolve()) not in watch.opened

    with current.open_current(settings, embedder.fingerprint) as store:
        texts = dict(store.db.execute("SELECT id, text FROM documents"))
        retriever = Retriever(store, embedder, settings.retrieval)
        rawi = Engine(settings, retriever, None)
        for doc, place in told.items():
            question = f"Which cat guards the lighthouse of {place}?"
            assert retriever.passages(question, 1)[0].doc == doc
            (answer,) = (one for one in rawi.answer(question) if isinstance(one, Answer))
            assert place in answer.answer, (doc, answer)
            assert doc in {citation.doc for citation in answer.citations}
    names = {index._shown(name): kind for name, kind in made.items()}
    assert texts.keys() | report.failed.keys() == names.keys() | told.keys()
    assert texts.keys() & report.failed.keys() == set()
    assert [doc for doc, text in texts.items() if SECRET.split()[0] in text] == []
    for doc, reason in report.failed.items():
        assert reasons.phrase(reason) is not None, (doc, reason)
        shown = plain(doc) + plain(reason)
        assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")], doc
    # As it stands, nothing is left to do: nothing is read in vain again and again.
    again = index.update(settings, embedder)
    assert (again.added, again.changed, again.removed) == (0, 0, 0)
    assert again.failed == report.failed


@pytest.mark.parametrize("text", hostile.ENDLESS, ids=range(len(hostile.ENDLESS)))
def test_no_markdown_takes_long(text: str) -> None:
    def seconds(of: str) -> float:
        began = time.process_time()
        markdown.layout(of)
        return time.process_time() - began

    ordinary = seconds("- The *cat* sleeps.\n" * 10_000)
    assert seconds(text) < 8 * ordinary  # about as long; it was hours, or 10 to 400 times


@pytest.mark.timeout(1_800)
def test_some_hostile_files(settings: Settings, bait: Bait, watch: Watch, canary: Host) -> None:
    held_up(settings, bait, watch, canary, count=40)


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_five_hundred_hostile_files(
    settings: Settings, bait: Bait, watch: Watch, canary: Host
) -> None:
    held_up(settings, bait, watch, canary, count=500)


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    found = []
    for number in range(2):
        corpus = tmp_path / str(number)
        corpus.mkdir()
        made = hostile.written(
            corpus, Bait(Path("/nowhere/x"), "http://127.0.0.1:9"), count=60, seed=3
        )
        sums = {
            name: hashlib.sha256((corpus / name).read_bytes()).hexdigest()
            for name in made
            if (corpus / name).stat().st_size < 100_000_000
        }
        found.append((made, sums))
        hostile.valid.cache_clear()
    assert found[0] == found[1]
