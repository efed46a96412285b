"""Damage: an index is looked through by who writes it, and looked at by who opens it to read."""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path

import numpy as np
from chromadb.errors import ChromaError

from rag import lexical
from rag.config import VectorsSettings
from rag.storage import CHROMA, ELSEWHERE, Storage, collection_of, is_full, is_writable, own_vector
from rag.vector_server import forget
from rag.vectors import is_whole, remove

# Passages from which on Chroma holds vectors in files of their own.
_IN_FILES = 1_000
_BLOCK_BYTES = 1 << 20
_FLOAT16_BYTES = 2


def find(folder: Path, vectors: VectorsSettings) -> tuple[Path, str] | None:
    """Look through a whole index, but for vectors on a server.

    :returns: What is to be discarded, the index or its vectors alone, and why; None for nothing.
    :raises OSError: As sqlite3 and Chroma, for what is no damage: a full disk, missing rights.
    """
    try:
        with Storage(folder) as store:
            if problem := _broken(store) or _missing(store, vectors=False):
                return folder, problem
            # Vectors that are missing are added by the next run anyway.
            if vectors.on_server:
                return None
            problem = torn(store, writing=True)
    except sqlite3.DatabaseError as exc:
        if type(exc) is not sqlite3.DatabaseError:  # a full disk, a lock, missing rights
            raise
        return folder, str(exc)
    try:
        if problem is None:
            with Storage(folder, vectors) as store:
                vector = np.array(_any_vector(store))
                store.collection.query(query_embeddings=[vector], n_results=1, include=[])
    except (ChromaError, ValueError) as exc:
        if is_full(folder) or not is_writable(folder):
            raise
        problem = str(exc).partition("\n")[0]
    return (folder / CHROMA, problem) if problem else None


def discard(damaged: Path, vectors: VectorsSettings) -> None:
    """Remove what is damaged.

    Of an index, also its collection on a server, unless its name is damaged or the server away.

    :raises OSError: As the file system.
    """
    name = collection_of(damaged)
    remove(damaged)
    if name:
        forget(vectors, name)


def at_first_sight(store: Storage) -> str | None:
    """Return what is wrong with an index that was opened, so far as it can be told at once."""
    # An older version's index doesn't say which vectors are its own, and has files.
    if not store.is_settled and (store.on_server or store.noted("vectors")):
        return ELSEWHERE
    return _missing(store, vectors=not store.on_server)


def torn(store: Storage, *, writing: bool = False) -> str | None:
    """Return what is wrong with the files of vectors: Chroma trusts them, and may die of it.

    Others than the last run left may be whole: a run is on its way, or was killed, or a reader's
    Chroma wrote them once more.

    :param writing: Whether nobody else may be writing them; then others are damaged.
    """
    if store.on_server:
        return None
    left = store.numbers("sums")
    found = sums(store)
    # Of a run that was killed no sums are left, though it may have had files.
    if found == left and (found or store.counted() or store.count("passages") < _IN_FILES):
        return None
    problem = "its vectors are damaged, and can be made again without embedding"
    if writing and left:
        return problem
    vector = _any_vector(store)
    whole = vector is None or is_whole(store.folder / CHROMA, vector)
    return None if whole else problem


def sums(store: Storage) -> dict[str, int]:
    """Return the checksums of the files that Chroma reads vectors from, by their names.

    Those that it has only begun, and reads nothing from, are not among them.
    """
    chroma = store.folder / CHROMA
    lists = chroma.glob("*/index_metadata.pickle")
    files = sorted(path for found in lists for path in found.parent.iterdir())
    return {path.relative_to(chroma).as_posix(): _checksum(path) for path in files}


def _checksum(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            found = zlib.crc32(block, found)
    return found


def _any_vector(store: Storage) -> list[float] | None:
    """Return the vector of a passage; None where none is whole, which ``_broken`` tells."""
    whole = (
        "SELECT vectors, json_array_length(sentences) FROM passages"
        " WHERE json_valid(sentences) AND length(vectors) LIMIT 1"
    )
    row = store.db.execute(whole).fetchone()
    return own_vector(*row) if row else None


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


def _missing(store: Storage, *, vectors: bool) -> str | None:
    """Return what isn't there of what the last run that came to its end had counted.

    :param vectors: Whether these are counted too.
    """
    counted, held = store.counted(), store.counts(vectors=vectors)
    if not held["documents"]:
        return "the index is empty"
    wrong = [name for name in held if held[name] != counted.get(name, held[name])]
    # Unless another process has begun to index since.
    if wrong and store.counted() == counted:
        return f"it holds {', '.join(f'{held[name]} {name} of {counted[name]}' for name in wrong)}"
    return None
