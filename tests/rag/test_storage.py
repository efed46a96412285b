"""An open index: what it tells of a document, whose it is, what is said of libraries' errors."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest
from chromadb.errors import InternalError

from rag import current, index
from rag.config import PassagesSettings, Settings
from rag.embedding import Embedder
from rag.errors import IndexStorageError
from rag.storage import Origin, fingerprint, translated
from tests.conftest import WordEmbedder, Write
from tests.rag.test_index import index_folder


def test_a_document_is_told_by_its_name(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    about = "<meta name=author content='%s'><meta name=date content=2025-04-01>"
    write("a.html", f"<title>Cats</title>{about % ('A' * 5_000)}<p>A cat sat here.</p>")
    index.update(settings, embedder)
    with current.open_current(settings, embedder.fingerprint) as store:
        assert store.origin("a.html") == Origin("Cats", "A" * 200, "2025-04-01")
        assert store.text("a.html") == "A cat sat here."
        assert store.origin("b.html") == Origin()
        assert store.text("b.html") == ""


def test_an_index_is_its_owners_alone(
    settings: Settings, write: Write, embedder: Embedder, tmp_path: Path
) -> None:
    write("cat.txt", "The cat is in the garden.")
    index.update(settings, embedder)
    assert stat.S_IMODE(settings.storage.stat().st_mode) == 0o700
    assert stat.S_IMODE(index_folder(settings).stat().st_mode) == 0o700
    # Also where the storage folder was there before, open to all.
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    settings = settings.model_copy(update={"storage": shared})
    index.update(settings, embedder)
    assert stat.S_IMODE(index_folder(settings).stat().st_mode) == 0o700


def test_an_index_that_a_group_may_write_to_is_used_by_who_does_not_own_it(
    settings: Settings, write: Write, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, mode: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    write("cat.txt", "The cat is in the garden.")
    index.update(settings, embedder)
    index_folder(settings).chmod(0o770)
    monkeypatch.setattr(Path, "chmod", refused)
    with current.open_current(settings, embedder.fingerprint) as store:
        assert store.text("cat.txt")
    write("dog.txt", "The dog is in the house.")
    assert index.update(settings, embedder).added == 1


def test_other_weights_and_settings_have_other_fingerprints(settings: Settings) -> None:
    other = settings.model_copy(update={"passages": PassagesSettings(max_chars=500)})
    prints = {
        fingerprint(settings, "words"),
        fingerprint(settings, "other words"),
        fingerprint(other, "words"),
    }
    assert len(prints) == 3
    moved = settings.model_copy(update={"corpus": Path("/elsewhere")})
    assert fingerprint(moved, "words") == fingerprint(settings, "words")


ERRORS = {
    "file system": (OSError(28, "No space left on device"), "No space left on device; free some"),
    "quota": (OSError(122, "Disk quota exceeded"), "Disk quota exceeded; free some space"),
    "SQLite": (sqlite3.OperationalError("database or disk is full"), "disk is full; free some"),
    "Chroma": (InternalError("database or disk is full (code: 13)\nat y"), "(code: 13); free some"),
    "permission": (PermissionError(13, "Permission denied"), "give a --storage folder that can be"),
    "another's": (PermissionError(1, "Operation not permitted"), "give a --storage folder that"),
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
    with pytest.raises(IndexStorageError) as caught, translated(Path("/s")):
        raise error
    assert str(caught.value).startswith("/s: ")
    assert "\n" not in str(caught.value)
    assert part in str(caught.value)
    assert caught.value.__cause__ is error


def test_an_error_on_a_full_disk_that_does_not_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 0))
    with pytest.raises(IndexStorageError) as caught, translated(Path("/s")):
        raise InternalError("Failed to apply logs")
    assert "Failed to apply logs; free some space and run: rawi index" in str(caught.value)


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), translated(Path("/s")):
        raise ZeroDivisionError
