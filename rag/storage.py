"""The storage folder: which index is current, and its SQLite and Chroma halves.

::

    storage/
    ├── CURRENT               {"format": 3, "index": "index-3f9c…"}; replaced atomically
    ├── lock                  held while an index is being written
    └── index-3f9c…/          named by its fingerprint; an index of another one stands beside it
        ├── rawi.sqlite3      the truth: documents, passages, sentences; their words (FTS5); and
        │                     translations that were made of them
        └── chroma/           their vectors; follows SQLite

Only names listed here are ever written or removed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import chromadb
import chromadb.config
from chromadb.errors import ChromaError
from llama_index.core.vector_stores.types import BasePydanticVectorStore
from llama_index.vector_stores.chroma import ChromaVectorStore

from rag import lexical, translations
from rag.config import Settings
from rag.errors import IndexStorageError, NoIndexError, StaleIndexError
from rag.translations import Translations

# Raised by one whenever the tables, the cutting or the folding change; a table that may as well be
# empty comes by itself.
FORMAT = 3

# Opening an index, even to read it, takes some space; what Chroma says when there is none is
# often "Failed to apply logs".
_LITTLE_SPACE_BYTES = 10_000_000
# Bytes of index for a byte of text at most, with vectors of 384 dimensions and scratch space.
_GROWTH = 20

# The file of an index that holds the truth.
DATABASE = "rawi.sqlite3"

_NAME = re.compile(r"index-[0-9a-f]{16}")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, title TEXT NOT NULL, language TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS passages (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    doc TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, language TEXT NOT NULL,
    sentences TEXT NOT NULL,  -- JSON [[start, end], …] in the document's text
    vectors BLOB NOT NULL     -- float16: a row for the passage, then one for each sentence
) STRICT;
CREATE INDEX IF NOT EXISTS passages_of_document ON passages (doc);
CREATE TABLE IF NOT EXISTS failures (doc TEXT PRIMARY KEY, reason TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


def fingerprint(settings: Settings, embedder: str) -> str:
    """Name everything that decides what an index holds, apart from the documents.

    :param embedder: ``Embedder.fingerprint``.
    """
    parts = [FORMAT, embedder, settings.passages.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


class Storage:
    """One index, opened; use as a context manager.

    :ivar db: The SQLite connection; the caller commits.
    :ivar vectors: The vector store, keyed by passage id.
    :ivar translations: Of sentences, made while answering.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        # Chroma and the web server call from other threads; SQLite itself serialises them.
        self.db = sqlite3.connect(folder / DATABASE, check_same_thread=False)
        self.translations = Translations(self.db)
        self._client: Any = None
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA foreign_keys = ON")
        self.db.executescript(_SCHEMA + lexical.SCHEMA + translations.SCHEMA)
        self._client = chromadb.PersistentClient(
            str(self.folder / "chroma"), chromadb.config.Settings(anonymized_telemetry=False)
        )
        self.collection = self._client.get_or_create_collection(
            "passages", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
        )
        self.vectors: BasePydanticVectorStore = ChromaVectorStore(self.collection)

    def text(self, doc: str) -> str:
        """Return a document's cleaned text; empty when the index doesn't hold it."""
        row = self.db.execute("SELECT text FROM documents WHERE id = ?", (doc,)).fetchone()
        return str(row[0]) if row else ""

    def count(self, table: Literal["documents", "passages"]) -> int:
        """Return how many documents or passages the index holds."""
        query = {
            "documents": "SELECT count(*) FROM documents",
            "passages": "SELECT count(*) FROM passages",
        }[table]
        return int(self.db.execute(query).fetchone()[0])

    def title(self, doc: str) -> str:
        """Return a document's title; empty when the index doesn't hold it."""
        row = self.db.execute("SELECT title FROM documents WHERE id = ?", (doc,)).fetchone()
        return str(row[0]) if row else ""

    def languages(self) -> set[str]:
        """Return the languages of the documents."""
        return {row[0] for row in self.db.execute("SELECT DISTINCT language FROM documents")}

    def close(self) -> None:
        """Close both halves."""
        self.db.close()
        if self._client is not None:
            self._client.close()

    def __enter__(self) -> Storage:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def open_current(settings: Settings, embedder: str) -> Storage:
    """Open the current index for reading.

    :raises NoIndexError: When there is none.
    :raises StaleIndexError: When it was made with other weights, settings or by another version.
    """
    name = current(settings.storage)
    if name is None:
        raise NoIndexError(f"{settings.storage}: nothing is indexed there yet; run: rawi index")
    if name != _name(fingerprint(settings, embedder)):
        raise StaleIndexError(
            f"{settings.storage}: was made with other weights or settings; run: rawi index"
        )
    folder = settings.storage / name
    if not ((folder / DATABASE).is_file() and (folder / "chroma").is_dir()):
        raise NoIndexError(f"{folder}: the index is gone or in parts; run: rawi index")
    with translated(settings.storage):
        return Storage(folder)


def current(storage: Path) -> str | None:
    """Return the folder name of the current index, or None when there is none.

    :raises StaleIndexError: When a newer version of Rawi wrote it.
    :raises IndexStorageError: When ``CURRENT`` can't be read.
    """
    path = storage / "CURRENT"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, name = content["format"], content["index"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise IndexStorageError(f"{path}: can't be read ({exc.strerror})") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise IndexStorageError(_damaged(path)) from exc
    # What an older version made goes by another fingerprint: it is stale, and built anew.
    if version not in range(1, FORMAT + 1):
        raise StaleIndexError(
            f"{storage}: belongs to another version of Rawi (format {version}, this one has"
            f" {FORMAT}); give another --storage, or delete it and run: rawi index"
        )
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise IndexStorageError(_damaged(path))
    return name


def make_current(storage: Path, index: Path) -> None:
    """Point ``CURRENT`` at a finished index in one step and remove the others."""
    scratch = storage / "CURRENT.new"
    with scratch.open("w", encoding="utf-8") as file:
        json.dump({"format": FORMAT, "index": index.name}, file)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(storage / "CURRENT")
    for other in storage.iterdir():
        if other != index and _NAME.fullmatch(other.name):
            shutil.rmtree(other, ignore_errors=True)


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
    if "read-only" in reason.lower() or "readonly" in reason or "Permission" in reason:
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
