"""The storage folder: which index is current, what is refused, what is never touched."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rag import index, vectors
from rag.config import Settings, VectorsSettings
from rag.current import make_current, open_current, read_current
from rag.errors import IndexStorageError, NoIndexError, StaleIndexError
from rag.storage import FORMAT
from tests.conftest import WordEmbedder, Write
from tests.rag.test_index import contents, index_folder

INDEX = "index-0123456789abcdef"


def write_current(settings: Settings, content: str | bytes) -> Path:
    settings.storage.mkdir(exist_ok=True)
    path = settings.storage / "CURRENT"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_without_an_index_the_reader_is_told_to_make_one(settings: Settings) -> None:
    for _ in ("no folder", "an empty one"):
        with pytest.raises(NoIndexError, match="nothing is indexed there yet; run: rawi index"):
            open_current(settings, "words")
        assert read_current(settings.storage) is None
        settings.storage.mkdir(exist_ok=True)
    assert list(settings.storage.iterdir()) == []  # looking leaves no trace


def test_current_is_what_was_made_current(settings: Settings) -> None:
    (settings.storage / INDEX).mkdir(parents=True)
    make_current(settings.storage / INDEX, "words", settings.vectors)
    assert index_folder(settings) == settings.storage / INDEX
    assert [path.name for path in settings.storage.iterdir() if path.is_file()] == ["CURRENT"]


DAMAGED = {
    "empty": "",
    "cut off": '{"format": 3, "ind',
    "not UTF-8": b"\xff\xfe",
    "not an object": '["index"]',
    "a number": "1",
    "without a name": '{"format": 2}',
    "the name is a number": '{"format": 3, "index": 5}',
    "the name is nothing": '{"format": 3, "index": null}',
    "the name is a list": '{"format": 3, "index": ["index-0123456789abcdef"]}',
    "the name leads up": '{"format": 3, "index": "../index-0123456789abcdef"}',
    "the name leads up behind a prefix": '{"format": 3, "index": "index-/../../etc"}',
    "the name is absolute": '{"format": 3, "index": "/etc/passwd"}',
    "the name is of another folder": '{"format": 3, "index": "holiday"}',
    "the name has a newline": '{"format": 3, "index": "index-0123456789abcdef\\n"}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_current_is_refused_and_nothing_touched(
    settings: Settings, embedder: WordEmbedder, write: Write, content: str | bytes
) -> None:
    write("a.txt", "Cats.")
    path = write_current(settings, content)
    before = contents(settings.storage)
    for use in (
        lambda: open_current(settings, "words"),
        lambda: index.update(settings, embedder),
    ):
        with pytest.raises(IndexStorageError) as caught:
            use()
        message = f"{path}: is damaged; delete this one file and run: rawi index"
        assert str(caught.value) == message
    assert contents(settings.storage) == before


def test_deleting_a_damaged_current_loses_nothing(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    write("a.txt", "Cats.")
    index.update(settings, embedder)
    write_current(settings, "damaged").unlink()
    assert index.update(settings, embedder).unchanged == 1
    open_current(settings, "words").close()


def test_an_older_versions_index_is_stale_and_built_anew(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    write("a.txt", "Cats.")
    write_current(settings, json.dumps({"format": 1, "index": INDEX}))
    (settings.storage / INDEX).mkdir()
    (settings.storage / INDEX / "rawi.sqlite3").write_bytes(b"of the past")
    with pytest.raises(StaleIndexError, match="run: rawi index"):
        open_current(settings, "words")
    assert index.update(settings, embedder).added == 1
    assert not (settings.storage / INDEX).exists()
    open_current(settings, "words").close()


@pytest.mark.parametrize("version", [0, 99, "1", None])
def test_a_folder_of_another_version_is_refused_and_not_touched(
    settings: Settings, embedder: WordEmbedder, write: Write, version: Any
) -> None:
    write("a.txt", "Cats.")
    write_current(settings, json.dumps({"format": version, "index": INDEX}))
    (settings.storage / INDEX).mkdir()
    (settings.storage / INDEX / "rawi.sqlite3").write_bytes(b"of the future")
    before = contents(settings.storage)
    expected = (
        rf"another version of Rawi \(format {version}, this one has {FORMAT}\); give another --st"
    )
    with pytest.raises(StaleIndexError, match=expected):
        open_current(settings, "words")
    with pytest.raises(StaleIndexError, match=expected):
        index.update(settings, embedder)
    assert contents(settings.storage) == before


@pytest.mark.parametrize("part", ["", "rawi.sqlite3", "chroma"], ids=["all", "SQLite", "Chroma"])
def test_an_index_that_lost_a_part_never_answers_with_nothing(
    settings: Settings, embedder: WordEmbedder, write: Write, part: str
) -> None:
    write("a.txt", "Cats.")
    index.update(settings, embedder)
    lost = index_folder(settings) / part
    lost.unlink() if lost.is_file() else shutil.rmtree(lost)
    with pytest.raises(NoIndexError, match="is gone or in parts; run: rawi index"):
        open_current(settings, "words")
    index.update(settings, embedder)
    with open_current(settings, "words") as store:
        assert store.text("a.txt") == "Cats."
        assert store.collection.count() == 1


def test_foreign_files_in_the_folder_survive(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    write("a.txt", "Cats.")
    foreign = ["notes.txt", "index-of-my-books/chapter.txt", "index-cards", "photos/cat.jpg"]
    for name in foreign:
        path = settings.storage / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("precious", encoding="utf-8")
    index.update(settings, embedder)
    index.update(settings, WordEmbedder("other words"))  # swaps, and removes the old index
    for name in foreign:
        assert (settings.storage / name).read_text(encoding="utf-8") == "precious"
    assert len(list(settings.storage.glob("index-*"))) == 1 + 2


def test_a_storage_that_is_a_file_is_refused_and_kept(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    write("a.txt", "Cats.")
    settings.storage.write_text("precious", encoding="utf-8")
    with pytest.raises(IndexStorageError, match="File exists; give a --storage that is a fold"):
        index.update(settings, embedder)
    with pytest.raises(NoIndexError):
        open_current(settings, "words")
    assert settings.storage.read_text(encoding="utf-8") == "precious"


def test_threads_that_open_the_same_vectors_at_once_all_get_them(tmp_path: Path) -> None:
    for number in range(5):
        at_once = threading.Barrier(4)

        def opened(folder: Path, at_once: threading.Barrier = at_once) -> int:
            at_once.wait()
            _, collection = vectors.connect(VectorsSettings(), folder, "", writing=True)
            return collection.count()

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(opened, [tmp_path / str(number)] * 4)) == [0] * 4
