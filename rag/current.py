"""The storage folder: which of the indexes in it is current.

::

    storage/
    ├── CURRENT               {"format": 7, "index": "index-3f9c…", "embedder": …}; replaced
    │                         atomically at the end of every run that writes an index
    ├── lock                  held while an index is being written
    ├── holder                who holds it, or has last
    └── index-3f9c…/          named by its fingerprint; an index of another one stands beside it
        ├── in-use            locked by whoever has it open
        ├── rawi.sqlite3      the truth: documents, passages, sentences; their words (FTS5)
        └── chroma/           their vectors; follows SQLite; or on a server, as the settings say

Only names listed here are ever written or removed. What holds a document's text is its owner's
alone to read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname

from filelock import FileLock, Timeout

from rag.config import Settings, VectorsSettings
from rag.damage import at_first_sight, torn
from rag.errors import IndexStorageError, NoIndexError, StaleIndexError
from rag.storage import (
    CHROMA,
    DATABASE,
    FORMAT,
    Storage,
    fingerprint,
    is_writable,
    remove_unread,
    translated,
)

_NAME = re.compile(r"index-[0-9a-f]{16}")
_HOLDER_CHARS = 200


@dataclass(frozen=True)
class Current:
    """What ``CURRENT`` says.

    :ivar folder: The index's.
    :ivar embedder: ``Embedder.fingerprint`` of its vectors; empty when an older version wrote it.
    :ivar written: Tells this state of ``CURRENT`` from every other.
    """

    folder: Path
    embedder: str
    written: tuple[int, int]


def read_current(storage: Path) -> Current | None:
    """Return what ``CURRENT`` says, or None when there is none.

    :raises StaleIndexError: When a newer version of Rawi wrote it.
    :raises IndexStorageError: When it can't be read.
    """
    path = storage / "CURRENT"
    try:
        with path.open(encoding="utf-8") as file:
            content = json.load(file)
            stat = os.fstat(file.fileno())
        version, name = content["format"], content["index"]
        embedder = content.get("embedder", "")
        # What an older version made goes by another fingerprint: it is stale, and built anew.
        if version not in range(1, FORMAT + 1):
            raise StaleIndexError(
                f"{storage}: belongs to another version of Rawi (format {version}, this one has"
                f" {FORMAT}); give another --storage, or delete it and run: rawi index"
            )
        if not (_NAME.fullmatch(name) and isinstance(embedder, str)):
            raise ValueError(name)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise IndexStorageError(f"{path}: can't be read ({exc.strerror})") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise IndexStorageError(
            f"{path}: is damaged; delete this one file and run: rawi index"
        ) from exc
    return Current(storage / name, embedder, (stat.st_ino, stat.st_mtime_ns))


def folder_for(settings: Settings, embedder: str) -> Path:
    """Return the folder of the index that these settings make.

    :param embedder: ``Embedder.fingerprint``.
    """
    return settings.storage / f"index-{fingerprint(settings, embedder)}"


def open_current(settings: Settings, embedder: str, *, any_passages: bool = False) -> Storage:
    """Open the current index for reading.

    :param any_passages: Also when it was cut by other settings, as long as its vectors are this
        embedder's.
    :raises NoIndexError: When there is none.
    :raises StaleIndexError: When it was made with other weights, settings or by another version.
    :raises IndexStorageError: When it can't be read or isn't whole.
    """
    found = read_current(settings.storage)
    if found is None:
        raise NoIndexError(f"{settings.storage}: nothing is indexed there yet; run: rawi index")
    own = found.folder == folder_for(settings, embedder)
    if not own and not (any_passages and found.embedder == embedder):
        raise StaleIndexError(
            f"{settings.storage}: was made with other weights or settings, or by another version of"
            " Rawi; run: rawi index"
        )
    folder, place = found.folder, settings.vectors
    files = place.on_server or (folder / CHROMA).is_dir()
    if not ((folder / DATABASE).is_file() and files):
        raise NoIndexError(f"{folder}: the index is gone or in parts; run: rawi index")
    with translated(settings.storage):
        opened = Storage if is_writable(folder) else Storage.copied
        store = opened(folder, place)
    try:
        if problem := at_first_sight(store):
            raise IndexStorageError(f"{folder}: {problem}; run: rawi index")
        if not store.on_server:
            refresh(store)  # who has counted vectors sees no later ones
    except BaseException:
        store.close()
        raise
    return store


def refresh(store: Storage) -> None:
    """See the vectors that another process has written since; SQLite shows its own at once.

    Nothing may be searched meanwhile.

    :raises IndexStorageError: When they can't be read; what was open stays so.
    """
    with translated(store.folder):
        if problem := torn(store):
            raise IndexStorageError(f"{store.folder}: {problem}; run: rawi index")
        store.reconnect()


@contextmanager
def locked(storage: Path) -> Iterator[None]:
    """Hold a storage folder, for writing.

    :raises IndexStorageError: When somebody else holds it; it says who.
    """
    note = storage / "holder"
    try:
        with FileLock(storage / "lock", timeout=0):
            since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            note.write_text(
                f"process {os.getpid()} on {gethostname()} since {since}", encoding="utf-8"
            )
            try:
                yield
            finally:
                note.unlink(missing_ok=True)
    except Timeout as exc:
        try:
            who = f" ({note.read_text(encoding='utf-8')[:_HOLDER_CHARS]})"
        except (OSError, UnicodeDecodeError):
            who = ""
        raise IndexStorageError(
            f"{storage}: another rawi is indexing there{who}; wait for it to finish"
        ) from exc


def make_current(index: Path, embedder: str, vectors: VectorsSettings) -> None:
    """Point ``CURRENT`` at a finished index in one step and remove the others.

    One that is being read stays until the next run. Collections on a server that can't be reached
    are left there, and the log says so: the new index stands all the same.
    """
    scratch = index.parent / "CURRENT.new"
    with scratch.open("w", encoding="utf-8") as file:
        json.dump({"format": FORMAT, "index": index.name, "embedder": embedder}, file)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(index.parent / "CURRENT")
    _remove_others(index.parent, index, vectors)


def drop(storage: Path, vectors: VectorsSettings) -> None:
    """Remove every index of a storage folder; one that is being read stays until the next run.

    Collections as ``make_current``.

    :raises OSError: As the file system.
    """
    (storage / "CURRENT").unlink(missing_ok=True)
    _remove_others(storage, None, vectors)


def _remove_others(storage: Path, index: Path | None, vectors: VectorsSettings) -> None:
    for other in list(storage.iterdir()):
        if other != index and _NAME.fullmatch(other.name):
            remove_unread(other, vectors)
