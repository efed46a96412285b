"""The storage folder: which index is current, and its SQLite and Chroma halves.

::

    storage/
    ├── CURRENT               {"format": 6, "index": "index-3f9c…", "embedder": …}; replaced
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

import errno
import fcntl
import hashlib
import json
import math
import os
import re
import secrets
import shutil
import sqlite3
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime, timezone
from pathlib import Path
from socket import gethostname
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.errors import ChromaError
from filelock import FileLock, Timeout
from llama_index.core.vector_stores.types import BasePydanticVectorStore
from llama_index.vector_stores.chroma import ChromaVectorStore

from rag import lexical
from rag.config import Settings, VectorsSettings
from rag.errors import IndexStorageError, NoIndexError, StaleIndexError
from rag.sentences import Unit
from rag.vector_server import AGAIN, forget
from rag.vectors import connect, is_whole, on_server

# Raised by one whenever the tables, the cutting or the folding change.
FORMAT = 6

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
# Passages from which on Chroma holds vectors in files of their own.
_IN_FILES = 1_000
_BLOCK_BYTES = 1 << 20
_FLOAT16_BYTES = 2
_HOLDER_CHARS = 200
_ELSEWHERE = "its vectors are not where vectors.backend and vectors.url say"

Table = Literal["documents", "passages"]
_TABLES: tuple[Table, ...] = ("documents", "passages")
_COUNTS: dict[Table, str] = {
    "documents": "SELECT count(*) FROM documents",
    "passages": "SELECT count(*) FROM passages",
}

_NAME = re.compile(r"index-[0-9a-f]{16}")

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
        self._writing = writing
        make_private(folder)
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
        name = self._noted("collection")
        if not name and not self._writing:
            raise IndexStorageError(f"{self.folder}: {_ELSEWHERE}; {AGAIN}")
        if not name:
            name = f"rawi-{secrets.token_hex(16)}"
            with self.db:  # before it is made: what is there is always known here
                self._keep("collection", name)
        return name

    @property
    def on_server(self) -> bool:
        """Whether its vectors are on a server."""
        return on_server(self._place)

    @property
    def is_settled(self) -> bool:
        """Whether these very vectors are those that a run has last made equal to SQLite's.

        Vectors of the other backend, of another server or of one that lost them are not.
        """
        return self._noted("vectors") == str(self.collection.id)

    def settle(self) -> None:
        """Note that these vectors are equal to SQLite's, and remove what is left of others.

        A collection on a server that can't be reached is left there; see ``vector_server.forget``.
        """
        with self.db:
            self._keep("vectors", str(self.collection.id))
        if self.on_server and (self.folder / CHROMA).exists():
            discard(self.folder / CHROMA, self._place)
        elif not self.on_server and (name := self._noted("collection")):
            forget(self._place, name)
            with self.db:
                self.db.execute("DELETE FROM state WHERE key = 'collection'")

    def refresh(self) -> None:
        """See the vectors that another process has written since; SQLite shows its own at once.

        Nothing may be searched meanwhile.

        :raises IndexStorageError: When they can't be read; what was open stays so.
        """
        with translated(self.folder):
            if problem := self.torn():
                raise IndexStorageError(f"{self.folder}: {problem}; run: rawi index")
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
        with translated(self.folder):
            rows = self.db.execute(
                'SELECT sentences FROM passages WHERE doc = ? AND start < ? AND "end" > ?',
                (doc, end, start),
            ).fetchall()
        found = {unit for (written,) in rows for unit in read_units(written)}
        return sorted(found, key=lambda unit: unit.start)

    def count(self, table: Table) -> int:
        """Return how many documents or passages the index holds."""
        with translated(self.folder):
            return int(self.db.execute(_COUNTS[table]).fetchone()[0])

    def counts(self) -> dict[str, int]:
        """Return how many documents, passages and vectors there are."""
        held: dict[str, int] = {table: self.count(table) for table in _TABLES}
        with translated(self.folder):
            return {**held, "vectors": self.collection.count()}

    def counted(self) -> dict[str, int]:
        """Return the counts that the last run left; nothing while one is on its way."""
        return self.note("clean")

    def note(self, key: str) -> dict[str, int]:
        """Return numbers by name that a run left under a key; none where it left nothing."""
        noted = self._noted(key)
        return dict(json.loads(noted)) if noted.startswith("{") else {}

    def leave(self, key: str, numbers: Mapping[str, int]) -> None:
        """Keep numbers by name under a key; the caller commits."""
        self._keep(key, json.dumps(numbers))

    def _noted(self, key: str) -> str:
        return self._field("SELECT value FROM state WHERE key = ?", key)

    def _keep(self, key: str, value: str) -> None:
        self.db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, value))

    def sums(self) -> dict[str, int]:
        """Return the checksums of the files that Chroma reads vectors from, by their names.

        Those that it has only begun, and reads nothing from, are not among them.
        """
        chroma = self.folder / CHROMA
        lists = chroma.glob("*/index_metadata.pickle")
        files = sorted(path for found in lists for path in found.parent.iterdir())
        return {path.relative_to(chroma).as_posix(): _checksum(path) for path in files}

    def torn(self, *, writing: bool = False) -> str | None:
        """Return what is wrong with those files: Chroma trusts them, and may die of it.

        Others than the last run left may be whole: a run is on its way, or was killed, or a
        reader's Chroma wrote them once more.

        :param writing: Whether nobody else may be writing them; then others are damaged.
        """
        if self.on_server:
            return None
        left = self.note("sums")
        found = self.sums()
        if found == left and (found or not self._may_have_files()):
            return None
        problem = "its vectors are damaged, and can be made again without embedding"
        if writing and left:
            return problem
        vector = self._any_vector()
        whole = vector is None or is_whole(self.folder / CHROMA, vector)
        return None if whole else problem

    def _may_have_files(self) -> bool:
        """Tell whether files of vectors may be missing of which no run has left a sum."""
        return not self.counted() and self.count("passages") >= _IN_FILES

    def _any_vector(self) -> list[float] | None:
        row = self.db.execute("SELECT vectors, sentences FROM passages LIMIT 1").fetchone()
        if row is None:
            return None
        size = len(row[0]) // (1 + len(json.loads(row[1])))
        return as_vector(row[0][:size])

    def title(self, doc: str) -> str:
        """Return a document's title; empty when the index doesn't hold it."""
        return self._field("SELECT title FROM documents WHERE id = ?", doc)

    def origin(self, doc: str) -> Origin:
        """Return a document's title, author and date; empty when the index doesn't hold it."""
        query = "SELECT title, substr(author, 1, ?), substr(date, 1, ?) FROM documents WHERE id = ?"
        with translated(self.folder):
            row = self.db.execute(query, (_MOST_SAID, _MOST_SAID, doc)).fetchone()
        return Origin(*row) if row else Origin()

    def page(self, doc: str, place: int) -> int | None:
        """Return the number of the page, from 1, that a place of a document stands on, if any."""
        pages = json.loads(self._field("SELECT pages FROM documents WHERE id = ?", doc) or "[]")
        return bisect_right(pages, place) if pages else None

    def _field(self, query: str, key: str) -> str:
        with translated(self.folder):
            row = self.db.execute(query, (key,)).fetchone()
        return str(row[0]) if row else ""

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


def as_vector(written: bytes) -> list[float]:
    """Return a vector that the index holds, as Chroma takes it."""
    return [float(x) for x in np.frombuffer(written, dtype=np.float16)]


def _checksum(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            found = zlib.crc32(block, found)
    return found


@dataclass(frozen=True)
class Current:
    """What ``CURRENT`` says.

    :ivar name: Of the index's folder.
    :ivar embedder: ``Embedder.fingerprint`` of its vectors; empty when an older version wrote it.
    :ivar written: Tells this state of ``CURRENT`` from every other.
    """

    name: str
    embedder: str
    written: tuple[int, int]


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
    own = found.name == _name(fingerprint(settings, embedder))
    if not own and not (any_passages and found.embedder == embedder):
        raise StaleIndexError(
            f"{settings.storage}: was made with other weights or settings; run: rawi index"
        )
    folder = settings.storage / found.name
    place = settings.vectors
    files = on_server(place) or (folder / CHROMA).is_dir()
    if not ((folder / DATABASE).is_file() and files):
        raise NoIndexError(f"{folder}: the index is gone or in parts; run: rawi index")
    with translated(settings.storage):
        writable = os.access(folder, os.W_OK)
        store = Storage(folder, place) if writable else Storage.copied(folder, place)
    try:
        if problem := _elsewhere(store) or _missing(store, _TABLES if store.on_server else ()):
            raise IndexStorageError(f"{folder}: {problem}; run: rawi index")
        if not store.on_server:
            store.refresh()  # who has counted vectors sees no later ones
    except BaseException:
        store.close()
        raise
    return store


def damage(folder: Path, vectors: VectorsSettings) -> tuple[Path, str] | None:
    """Look through a whole index, but for vectors on a server.

    :returns: What is to be discarded, the index or its vectors alone, and why; None for nothing.
    :raises OSError: As sqlite3 and Chroma, for what is no damage: a full disk, missing rights.
    """
    try:
        with Storage(folder) as store:
            if problem := _broken(store) or _missing(store, _TABLES):
                return folder, problem
            # Vectors that are missing are added by the next run anyway.
            if on_server(vectors):
                return None
            problem = store.torn(writing=True)
    except sqlite3.DatabaseError as exc:
        if type(exc) is not sqlite3.DatabaseError:  # a full disk, a lock, missing rights
            raise
        return folder, str(exc)
    try:
        if problem is None:
            with Storage(folder, vectors) as store:
                vector = np.array(store._any_vector())
                store.collection.query(query_embeddings=[vector], n_results=1, include=[])
    except (ChromaError, ValueError) as exc:
        if _free_bytes(folder) < _LITTLE_SPACE_BYTES or not os.access(folder, os.W_OK):
            raise
        problem = str(exc).partition("\n")[0]
    return (folder / CHROMA, problem) if problem else None


def discard(damaged: Path, vectors: VectorsSettings) -> None:
    """Remove what is damaged, from Chroma's memory too, which would be given to who opens the next.

    Of an index, also its collection on a server, unless its name is damaged or the server away.

    :raises OSError: As the file system.
    """
    name = _collection_of(damaged)
    shutil.rmtree(damaged)
    SharedSystemClient.clear_system_cache()
    if name:
        forget(vectors, name)


def _collection_of(index: Path) -> str:
    """Return the name of an index's collection on a server; empty where it has none to tell."""
    database = f"{(index / DATABASE).resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(database, uri=True)) as db:
            row = db.execute("SELECT value FROM state WHERE key = 'collection'").fetchone()
    except sqlite3.Error:
        return ""
    return str(row[0]) if row else ""


def _broken(store: Storage) -> str | None:
    """Return what SQLite finds wrong with its own file."""
    (found,) = store.db.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        return str(found).partition("\n")[0]
    lexical.check(store.db)
    width = (
        "SELECT DISTINCT CASE WHEN json_valid(sentences) AND length(vectors)"
        " THEN length(vectors) * 1.0 / (1 + json_array_length(sentences)) END FROM passages LIMIT 2"
    )
    widths = [found for (found,) in store.db.execute(width)]
    whole = not widths[1:] and all(found and not found % _FLOAT16_BYTES for found in widths)
    return None if whole else "vectors in it are damaged"


def _elsewhere(store: Storage) -> str | None:
    """Return what is wrong when the vectors that are open are not the index's."""
    # An older version's index doesn't say which are, and has files.
    older = not store.on_server and not store._noted("vectors")
    return None if older or store.is_settled else _ELSEWHERE


def _missing(store: Storage, tables: Sequence[Table] = ()) -> str | None:
    """Return what isn't there of what the last run that came to its end had counted.

    :param tables: What is counted; everything, vectors too, unless some are named.
    """
    counted = store.counted()
    held = {str(table): store.count(table) for table in tables} or store.counts()
    if not held["documents"]:
        return "the index is empty"
    wrong = [name for name in held if held[name] != counted.get(name, held[name])]
    # Unless another process has begun to index since.
    if wrong and store.counted() == counted:
        return f"it holds {', '.join(f'{held[name]} {name} of {counted[name]}' for name in wrong)}"
    return None


def current(storage: Path) -> str | None:
    """Return the folder name of the current index, or None when there is none.

    :raises IndexStorageError: As ``read_current``.
    """
    found = read_current(storage)
    return None if found is None else found.name


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
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise IndexStorageError(f"{path}: can't be read ({exc.strerror})") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise IndexStorageError(_damaged(path)) from exc
    # What an older version made goes by another fingerprint: it is stale, and built anew.
    if version not in range(1, FORMAT + 1):
        raise StaleIndexError(
            f"{storage}: belongs to another version of Rawi (format {version}, this one has"
            f" {FORMAT}); give another --storage, or delete it and run: rawi index"
        )
    if not (isinstance(name, str) and _NAME.fullmatch(name) and isinstance(embedder, str)):
        raise IndexStorageError(_damaged(path))
    return Current(name, embedder, (stat.st_ino, stat.st_mtime_ns))


def make_private(folder: Path) -> None:
    """Make a folder that its owner alone can look into.

    :raises OSError: As the file system.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def make_current(storage: Path, index: Path, embedder: str, vectors: VectorsSettings) -> None:
    """Point ``CURRENT`` at a finished index in one step and remove the others.

    One that is being read stays until the next run. Collections on a server that can't be reached
    are left there, and the log says so: the new index stands all the same.
    """
    scratch = storage / "CURRENT.new"
    with scratch.open("w", encoding="utf-8") as file:
        json.dump({"format": FORMAT, "index": index.name, "embedder": embedder}, file)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(storage / "CURRENT")
    _remove_others(storage, index, vectors)


@contextmanager
def locked(storage: Path) -> Iterator[None]:
    """Hold a storage folder, for writing.

    :raises IndexStorageError: When somebody else holds it; it says who.
    """
    note = storage / "holder"
    try:
        with FileLock(storage / "lock", timeout=0):
            since = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
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


def drop(storage: Path, vectors: VectorsSettings) -> None:
    """Remove every index of a storage folder; one that is being read stays until the next run.

    Collections as ``make_current``.

    :raises OSError: As the file system.
    """
    (storage / "CURRENT").unlink(missing_ok=True)
    _remove_others(storage, None, vectors)


def _remove_others(storage: Path, index: Path | None, vectors: VectorsSettings) -> None:
    for other in list(storage.iterdir()):
        if other != index and _NAME.fullmatch(other.name) and not _is_read(other):
            name = _collection_of(other)
            shutil.rmtree(other, ignore_errors=True)
            if name:
                forget(vectors, name)


def _is_read(index: Path) -> bool:
    """Tell whether a process has an index open."""
    try:
        with (index / _IN_USE).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # not a folder, not ours
        return False
    return False


def folder_for(storage: Path, print_: str) -> Path:
    """Return the folder of the index with this fingerprint."""
    return storage / _name(print_)


def require_space(storage: Path, document_bytes: int) -> None:
    """Stop before a document would fill the disk: on a full one, the index can't even be read.

    :raises OSError: As the file system would.
    """
    if _free_bytes(storage) < _LITTLE_SPACE_BYTES + _GROWTH * document_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


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


def _damaged(path: Path) -> str:
    return f"{path}: is damaged; delete this one file and run: rawi index"


def _hint(storage: Path, reason: str) -> str:
    full = any(sign in reason for sign in ("full", "No space", "quota", "File too large"))
    if full or _free_bytes(storage) < _LITTLE_SPACE_BYTES:
        return "free some space and run: rawi index (what is indexed so far is kept)"
    denied = "read-only" in reason.lower() or "readonly" in reason or "Permission" in reason
    if denied or (storage.exists() and not os.access(storage, os.W_OK)):
        return "give a --storage folder that can be written to"
    if reason in ("Not a directory", "File exists"):
        return "give a --storage that is a folder"
    return f"if it happens again, delete {storage}/index-* and run: rawi index"


def _free_bytes(folder: Path) -> float:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return math.inf


def _name(print_: str) -> str:
    return f"index-{print_}"
