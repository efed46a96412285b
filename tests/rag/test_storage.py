"""The storage folder: which index is current, what is refused, what is never touched."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from chromadb.errors import InternalError

from rag import index, storage
from rag.config import PassagesSettings, Settings
from rag.errors import IndexStorageError, NoIndexError, StaleIndexError
from rag.storage import Origin
from tests.conftest import WordEmbedder, Write

INDEX = "index-0123456789abcdef"


def write_current(settings: Settings, content: str | bytes) -> Path:
    settings.storage.mkdir(exist_ok=True)
    path = settings.storage / "CURRENT"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_without_an_index_the_reader_is_told_to_make_one(settings: Settings) -> None:
    for _ in ("no folder", "an empty one"):
        with pytest.raises(NoIndexError, match="nothing is indexed there yet; run: rawi index"):
            storage.open_current(settings, "words")
        assert storage.current(settings.storage) is None
        settings.storage.mkdir(exist_ok=True)
    assert list(settings.storage.iterdir()) == []  # looking leaves no trace


def test_current_is_what_was_made_current(settings: Settings) -> None:
    (settings.storage / INDEX).mkdir(parents=True)
    storage.make_current(settings.storage, settings.storage / INDEX, "words", settings.vectors)
    assert storage.current(settings.storage) == INDEX
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
        lambda: storage.open_current(settings, "words"),
        lambda: index.update(settings, embedder),
    ):
        with pytest.raises(IndexStorageError) as caught:
            use()
        message = f"{path}: is damaged; delete this one file and run: rawi index"
        assert str(caught.value) == message
    assert contents(settings.storage) == before


def test_a_document_says_where_it_is_from(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    about = "<meta name=author content='%s'><meta name=date content=2025-04-01>"
    write("a.html", f"<title>Cats</title>{about % ('A' * 5_000)}<p>A cat sat here.</p>")
    index.update(settings, embedder)
    with storage.open_current(settings, embedder.fingerprint) as store:
        assert store.origin("a.html") == Origin("Cats", "A" * 200, "2025-04-01")
        assert store.origin("b.html") == Origin()


def test_deleting_a_damaged_current_loses_nothing(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    write("a.txt", "Cats.")
    index.update(settings, embedder)
    write_current(settings, "damaged").unlink()
    assert index.update(settings, embedder).unchanged == 1
    storage.open_current(settings, "words").close()


def test_an_older_versions_index_is_stale_and_built_anew(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    write("a.txt", "Cats.")
    write_current(settings, json.dumps({"format": 1, "index": INDEX}))
    (settings.storage / INDEX).mkdir()
    (settings.storage / INDEX / "rawi.sqlite3").write_bytes(b"of the past")
    with pytest.raises(StaleIndexError, match="run: rawi index"):
        storage.open_current(settings, "words")
    assert index.update(settings, embedder).added == 1
    assert not (settings.storage / INDEX).exists()
    storage.open_current(settings, "words").close()


@pytest.mark.parametrize("version", [0, 99, "1", None])
def test_a_folder_of_another_version_is_refused_and_not_touched(
    settings: Settings, embedder: WordEmbedder, write: Write, version: Any
) -> None:
    write("a.txt", "Cats.")
    write_current(settings, json.dumps({"format": version, "index": INDEX}))
    (settings.storage / INDEX).mkdir()
    (settings.storage / INDEX / "rawi.sqlite3").write_bytes(b"of the future")
    before = contents(settings.storage)
    expected = rf"another version of Rawi \(format {version}, this one has 6\); give another --st"
    with pytest.raises(StaleIndexError, match=expected):
        storage.open_current(settings, "words")
    with pytest.raises(StaleIndexError, match=expected):
        index.update(settings, embedder)
    assert contents(settings.storage) == before


@pytest.mark.parametrize("part", ["", "rawi.sqlite3", "chroma"], ids=["all", "SQLite", "Chroma"])
def test_an_index_that_lost_a_part_never_answers_with_nothing(
    settings: Settings, embedder: WordEmbedder, write: Write, part: str
) -> None:
    write("a.txt", "Cats.")
    index.update(settings, embedder)
    lost = settings.storage / str(storage.current(settings.storage)) / part
    lost.unlink() if lost.is_file() else shutil.rmtree(lost)
    with pytest.raises(NoIndexError, match="is gone or in parts; run: rawi index"):
        storage.open_current(settings, "words")
    index.update(settings, embedder)
    with storage.open_current(settings, "words") as store:
        assert store.text("a.txt") == "Cats."
        assert store.collection.count() == 1


@pytest.mark.parametrize("part", ["rawi.sqlite3", "chroma/chroma.sqlite3"])
def test_a_part_that_is_not_a_database_is_one_clear_line(
    settings: Settings, embedder: WordEmbedder, write: Write, part: str
) -> None:
    write("a.txt", "Cats.")
    index.update(settings, embedder)
    folder = settings.storage / str(storage.current(settings.storage))
    (folder / part).write_bytes(b"no database at all" * 1_000)
    with pytest.raises(IndexStorageError, match=r"delete .*index-\* and run: rawi index") as caught:
        storage.open_current(settings, "words")
    assert "\n" not in str(caught.value)


def test_other_weights_and_settings_have_other_fingerprints(settings: Settings) -> None:
    other = settings.model_copy(update={"passages": PassagesSettings(max_chars=500)})
    prints = {
        storage.fingerprint(settings, "words"),
        storage.fingerprint(settings, "other words"),
        storage.fingerprint(other, "words"),
    }
    assert len(prints) == 3
    assert storage.fingerprint(settings, "words") in prints
    moved = settings.model_copy(update={"corpus": Path("/elsewhere")})
    assert storage.fingerprint(moved, "words") == storage.fingerprint(settings, "words")


def test_an_index_of_other_weights_is_refused(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    write("a.txt", "Cats.")
    index.update(settings, embedder)
    with pytest.raises(StaleIndexError, match="other weights or settings; run: rawi index"):
        storage.open_current(settings, "other words")


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
        storage.open_current(settings, "words")
    assert settings.storage.read_text(encoding="utf-8") == "precious"


ERRORS = {
    "file system": (OSError(28, "No space left on device"), "No space left on device; free some"),
    "quota": (OSError(122, "Disk quota exceeded"), "Disk quota exceeded; free some space"),
    "SQLite": (sqlite3.OperationalError("database or disk is full"), "disk is full; free some"),
    "Chroma": (InternalError("database or disk is full (code: 13)\nat y"), "(code: 13); free some"),
    "permission": (PermissionError(13, "Permission denied"), "give a --storage folder that can be"),
    "read-only": (OSError(30, "Read-only file system"), "give a --storage folder that can be"),
    "read-only SQLite": (
        sqlite3.OperationalError("attempt to write a readonly database"),
        "give a --storage folder that can be",
    ),
    "anything else": (sqlite3.DatabaseError("file is not a database"), "if it happens again, del"),
    "without a reason": (OSError(), "/s: OSError; if it happens again"),
}


@pytest.mark.parametrize(("error", "part"), ERRORS.values(), ids=ERRORS)
def test_errors_of_libraries_become_one_line_with_advice(error: Exception, part: str) -> None:
    with pytest.raises(IndexStorageError) as caught, storage.translated(Path("/s")):
        raise error
    assert str(caught.value).startswith("/s: ")
    assert "\n" not in str(caught.value)
    assert part in str(caught.value)
    assert caught.value.__cause__ is error


def test_an_error_on_a_full_disk_that_does_not_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 0))
    with pytest.raises(IndexStorageError) as caught, storage.translated(Path("/s")):
        raise InternalError("Failed to apply logs")
    assert "Failed to apply logs; free some space and run: rawi index" in str(caught.value)


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), storage.translated(Path("/s")):
        raise ZeroDivisionError


def test_a_text_is_told_by_its_document(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    write("a.txt", "Cats.")
    index.update(settings, embedder)
    with storage.open_current(settings, "words") as store:
        assert store.text("a.txt") == "Cats."
        assert store.text("gone.txt") == ""
