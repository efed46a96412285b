"""One index, opened: its SQLite half, which is the truth, and its Chroma half, which follows."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import numpy as np
from chromadb.errors import ChromaError
from llama_index.core.vector_stores.types import BasePydanticVectorStore
from llama_index.vector_stores.chroma import ChromaVectorStore

from rag import lexical
from rag.config import Settings, VectorsSettings
from rag.errors import IndexStorageError
from rag.sentences import Unit
from rag.vector_server import AGAIN, forget
from rag.vectors import connect, remove

# Raised by one whenever the tables, the cutting or the folding change.
FORMAT = 9

# Opening an index, even to read it, takes some space; what Chroma says when there is none is
# often "Failed to apply logs".
_LITTLE_SPACE_BYTES = 10_000_000
# Bytes of index for a byte of text at most, with vectors of 384 dimensions and scratch space.
_GROWTH = 20

# Characters of an author or a date: a file may give anything for either.
_MOST_SAID = 200

# The file of an index that holds the truth.
DATABASE = "rawi.sqlite3"
CHROMA = "chroma"
_IN_USE = "in-use"
ELSEWHERE = "its vectors are not where vectors.backend and vectors.url say"

Table = Literal["documents", "passages"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, title TEXT NOT NULL, language TEXT NOT NULL,
    text TEXT NOT NULL, author TEXT NOT NULL, date TEXT NOT NULL,
    pages TEXT NOT NULL       -- JSON: where each begins; of a file without pages, none
) STRICT;
CREATE TABLE IF NOT EXISTS passages (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    doc TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, language TEXT NOT NULL,
    sentences TEXT NOT NULL,  -- JSON: its units, see written_units()
    read TEXT NOT NULL,       -- what models read of it, see passages.read_hash()
    vectors BLOB NOT NULL     -- float16: a row for the passage, then one for each unit
) STRICT;
CREATE INDEX IF NOT EXISTS passages_of_document ON passages (doc);
CREATE INDEX IF NOT EXISTS passages_by_read ON passages (read);
CREATE TABLE IF NOT EXISTS failures (
    doc TEXT PRIMARY KEY, reason TEXT NOT NULL,
    sha256 TEXT NOT NULL      -- of what was refused; empty for what is tried again
) STRICT;
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


def written_units(units: Sequence[Unit]) -> str:
    """Return units as the index holds them: ``[[start, end, lead, said, list], …]``."""
    return json.dumps([astuple(unit) for unit in units], ensure_ascii=False)


def read_units(written: str) -> tuple[Unit, ...]:
    """Return the units that the index holds.

    :raises ValueError: When they are damaged.
    :raises TypeError: Likewise.
    """
    return tuple(Unit(*unit) for unit in json.loads(written))


def fingerprint(settings: Settings, embedder: str) -> str:
    """Name everything that decides what an index holds, apart from the documents.

    :param embedder: ``Embedder.fingerprint``.
    """
    parts = [FORMAT, embedder, settings.passages.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Origin:
    """What a document is called and says of itself; see ``documents.Document``."""

    title: str = ""
    author: str = ""
    date: str = ""


class Storage:
    """One index, opened; use as a context manager.

    :ivar db: The SQLite connection; the caller commits.
    :ivar vectors: The vector store, keyed by passage id.
    :ivar on_server: Whether it is on a server.
    """

    def __init__(
        self, folder: Path, vectors: VectorsSettings | None = None, *, writing: bool = False
    ) -> None:
        """Open an index, or make an empty one.

        :param vectors: Where its Chroma half is, to be opened too; None leaves it.
        :param writing: Whether a collection on a server is made where there is none.
        :raises IndexStorageError: When there is none, or the server can't be asked.
        """
        self.folder = folder
        self._place = vectors or VectorsSettings()
        self.on_server = self._place.on_server
        self._writing = writing
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.stat().st_mode & 0o077:
            with suppress(PermissionError):  # another user's, who lets a group write there
                folder.chmod(0o700)
        # Held as long as this is open, by whatever end: nobody removes what is being read.
        self._in_use = (folder / _IN_USE).open("a")
        fcntl.flock(self._in_use, fcntl.LOCK_SH)
        # Chroma and the web server call from other threads; SQLite itself serialises them.
        self.db = sqlite3.connect(folder / DATABASE, check_same_thread=False)
        self._client: Any = None
        self._copy: TemporaryDirectory[str] | None = None
        try:
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA foreign_keys = ON")
            self.db.executescript(_SCHEMA + lexical.SCHEMA)
            if vectors is not None:
                self._connect()
        except BaseException:
            self.close()
            raise

    @classmethod
    def copied(cls, folder: Path, vectors: VectorsSettings) -> Storage:
        """Open a copy of an index that can't be written to, as SQLite and Chroma must to read it.

        The copy is removed when it is closed.
        """
        copy = TemporaryDirectory(prefix="rawi-")
        try:
            shutil.copytree(folder, copy.name, copy_function=shutil.copyfile, dirs_exist_ok=True)
            for name, _, _ in os.walk(copy.name):
                Path(name).chmod(0o700)
            store = cls(Path(copy.name), vectors)
        except BaseException:
            copy.cleanup()
            raise
        store._copy = copy
        return store

    def _connect(self) -> None:
        name = self._collection_name() if self.on_server else ""
        self._client, self.collection = connect(
            self._place, self.folder / CHROMA, name, writing=self._writing
        )
        self.vectors: BasePydanticVectorStore = ChromaVectorStore(self.collection)

    def _collection_name(self) -> str:
        """Return the name that the collection on a server has there, among those of others."""
        name = self.noted("collection")
        if not name and not self._writing:
            raise IndexStorageError(f"{self.folder}: {ELSEWHERE}; {AGAIN}")
        if not name:
            name = f"rawi-{secrets.token_hex(16)}"
            with self.db:  # before it is made: what is there is always known here
                self._keep("collection", name)
        return name

    @property
    def is_settled(self) -> bool:
        """Whether these very vectors are those that a run has last made equal to SQLite's.

        Vectors of the other backend, of another server or of one that lost them are not.
        """
        return self.noted("vectors") == str(self.collection.id)

    def settle(self) -> None:
        """Note that these vectors are equal to SQLite's, and remove what is left of others.

        A collection on a server that can't be reached is left there; see ``vector_server.forget``.
        """
        with self.db:
            self._keep("vectors", str(self.collection.id))
        if self.on_server and (self.folder / CHROMA).exists():
            remove(self.folder / CHROMA)
        elif not self.on_server and (name := self.noted("collection")):
            forget(self._place, name)
            with self.db:
                self.db.execute("DELETE FROM state WHERE key = 'collection'")

    def reconnect(self) -> None:
        """Open the vectors again, whole or not; who searches them uses ``current.refresh``."""
        before = self._client
        if self.on_server:  # a collection that was lost and made again is another one
            self._connect()
            before.close()
        else:
            before.close()
            self._connect()

    def text(self, doc: str) -> str:
        """Return a document's cleaned text; empty when the index doesn't hold it."""
        return self._field("SELECT text FROM documents WHERE id = ?", doc)

    def units(self, doc: str, start: int, end: int) -> list[Unit]:
        """Return a document's units of the passages that touch a place, in order."""
        query = 'SELECT sentences FROM passages WHERE doc = ? AND start < ? AND "end" > ?'
        rows = self._rows(query, doc, end, start)
        found = {unit for (written,) in rows for unit in read_units(written)}
        return sorted(found, key=lambda unit: unit.start)

    def count(self, table: Table) -> int:
        """Return how many documents or passages the index holds."""
        return int(self._rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608

    def counts(self, *, vectors: bool = True) -> dict[str, int]:
        """Return how many documents and passages there are, and how many vectors."""
        held: dict[str, int] = {table: self.count(table) for table in get_args(Table)}
        if vectors:
            with translated(self.folder):
                held["vectors"] = self.collection.count()
        return held

    def counted(self) -> dict[str, int]:
        """Return the counts that the last run left; nothing while one is on its way."""
        return self.numbers("clean")

    def numbers(self, key: str) -> dict[str, int]:
        """Return numbers by name that a run left under a key; none where it left nothing."""
        noted = self.noted(key)
        return dict(json.loads(noted)) if noted.startswith("{") else {}

    def leave(self, key: str, numbers: Mapping[str, int]) -> None:
        """Keep numbers by name under a key; the caller commits."""
        self._keep(key, json.dumps(numbers))

    def noted(self, key: str) -> str:
        """Return what a run left under a key; empty where it left nothing."""
        return self._field("SELECT value FROM state WHERE key = ?", key)

    def _keep(self, key: str, value: str) -> None:
        self.db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, value))

    def title(self, doc: str) -> str:
        """Return a document's title; empty when the index doesn't hold it."""
        return self._field("SELECT title FROM documents WHERE id = ?", doc)

    def origin(self, doc: str) -> Origin:
        """Return a document's title, author and date; empty when the index doesn't hold it."""
        query = "SELECT title, substr(author, 1, ?), substr(date, 1, ?) FROM documents WHERE id = ?"
        rows = self._rows(query, _MOST_SAID, _MOST_SAID, doc)
        return Origin(*rows[0]) if rows else Origin()

    def page(self, doc: str, place: int) -> int | None:
        """Return the number of the page, from 1, that a place of a document stands on, if any."""
        pages = json.loads(self._field("SELECT pages FROM documents WHERE id = ?", doc) or "[]")
        return bisect_right(pages, place) if pages else None

    def _field(self, query: str, key: str) -> str:
        rows = self._rows(query, key)
        return str(rows[0][0]) if rows else ""

    def _rows(self, query: str, *values: object) -> list[Any]:
        with translated(self.folder):
            return self.db.execute(query, values).fetchall()

    def close(self) -> None:
        """Close both halves."""
        self.db.close()
        self._in_use.close()
        if self._client is not None:
            self._client.close()
        if self._copy is not None:
            self._copy.cleanup()

    def __enter__(self) -> Storage:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def own_vector(written: bytes, units: int) -> list[float]:
    """Return a passage's own vector, the first of those that the index holds, for Chroma."""
    own = written[: len(written) // (1 + units)]
    return [float(x) for x in np.frombuffer(own, dtype=np.float16)]


def remove_unread(index: Path, vectors: VectorsSettings) -> None:
    """Remove an index and its collection on a server, unless a process has it open."""
    try:
        with (index / _IN_USE).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    except OSError:  # not a folder, not ours
        pass
    name = collection_of(index)
    shutil.rmtree(index, ignore_errors=True)
    if name:
        forget(vectors, name)


def collection_of(index: Path) -> str:
    """Return the name of an index's collection on a server; empty where it has none to tell."""
    database = f"{(index / DATABASE).resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(database, uri=True)) as db:
            row = db.execute("SELECT value FROM state WHERE key = 'collection'").fetchone()
    except sqlite3.Error:
        return ""
    return str(row[0]) if row else ""


def is_writable(folder: Path) -> bool:
    """Tell whether a folder and all that is in it can be written to."""
    within = (Path(at, name) for at, *names in os.walk(folder) for name in chain(*names))
    # Another process may have removed some since.
    return all(os.access(path, os.W_OK) or not path.exists() for path in (folder, *within))


def require_space(storage: Path, document_bytes: int) -> None:
    """Stop before a document would fill the disk: on a full one, the index can't even be read.

    :raises OSError: As the file system would.
    """
    if is_full(storage, document_bytes):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def is_full(folder: Path, document_bytes: int = 0) -> bool:
    """Tell whether a disk has no space to open an index, once a document is added."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return False
    return free < _LITTLE_SPACE_BYTES + _GROWTH * document_bytes


@contextmanager
def translated(storage: Path) -> Iterator[None]:
    """Turn what SQLite, Chroma and the file system raise into one clear line.

    :raises IndexStorageError: In their place.
    """
    try:
        yield
    except (OSError, sqlite3.Error, ChromaError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        reason = reason.partition("\n")[0] or type(exc).__name__
        raise IndexStorageError(f"{storage}: {reason}; {_hint(storage, reason)}") from exc


def _hint(storage: Path, reason: str) -> str:
    full = any(sign in reason for sign in ("full", "No space", "quota", "File too large"))
    if full or is_full(storage):
        return "free some space and run: rawi index (what is indexed so far is kept)"
    signs = ("read-only", "readonly", "permission", "not permitted")
    if any(sign in reason.lower() for sign in signs) or not is_writable(storage):
        return "give a --storage folder that can be written to"
    if reason in ("Not a directory", "File exists"):
        return "give a --storage that is a folder"
    return f"if it happens again, delete {storage}/index-* and run: rawi index"
