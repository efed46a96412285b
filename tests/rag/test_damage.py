"""A damaged index: told where it is read, and mended from the folder by the next run."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag import index, storage
from rag.config import Settings
from rag.embedding import Embedder
from rag.errors import IndexStorageError
from rag.retrieval import Retriever
from tests.conftest import Write


def folder(settings: Settings) -> Path:
    name = storage.current(settings.storage)
    assert name is not None
    return settings.storage / name


def run_sql(settings: Settings, *statements: str) -> None:
    with sqlite3.connect(folder(settings) / storage.DATABASE) as db:
        for statement in statements:
            db.execute(statement)
    db.close()


def lexical_page(settings: Settings) -> None:
    run_sql(settings, "UPDATE grams_data SET block = randomblob(length(block)) WHERE id > 10")


def vectors(settings: Settings) -> None:
    run_sql(settings, "UPDATE passages SET vectors = substr(vectors, 1, length(vectors) - 3)")


def no_vectors(settings: Settings) -> None:
    run_sql(settings, "UPDATE passages SET vectors = x''")


def sentences(settings: Settings) -> None:
    run_sql(settings, "UPDATE passages SET sentences = '[[0'")


def documents(settings: Settings) -> None:
    run_sql(settings, "DELETE FROM documents WHERE id = 'cat.txt'", "DELETE FROM passages")


def emptied(settings: Settings) -> None:
    (folder(settings) / storage.DATABASE).write_bytes(b"")


def header(settings: Settings) -> None:
    with (folder(settings) / storage.DATABASE).open("r+b") as file:
        file.write(b"\0" * 100)


def cut_off(settings: Settings) -> None:
    path = folder(settings) / storage.DATABASE
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // 4_096 * 4_096)


def chroma_header(settings: Settings) -> None:
    with (folder(settings) / "chroma" / "chroma.sqlite3").open("r+b") as file:
        file.write(b"\0" * 100)


def chroma_pages(settings: Settings) -> None:
    path = folder(settings) / "chroma" / "chroma.sqlite3"
    content = path.read_bytes()
    path.write_bytes(content[:4_096] + b"\xff" * (len(content) - 4_096))


def chroma_emptied(settings: Settings) -> None:
    (folder(settings) / "chroma" / "chroma.sqlite3").write_bytes(b"")


KINDS = [
    lexical_page, vectors, no_vectors, sentences, documents, emptied, header, cut_off,
    chroma_header, chroma_pages, chroma_emptied,
]  # fmt: skip


def asked(settings: Settings, embedder: Embedder) -> list[str]:
    """Search as every command does."""
    with storage.open_current(settings, embedder.fingerprint) as store:
        found = Retriever(store, embedder, settings.retrieval).evidence("Where is the cat?")
        return [store.text(sentence.doc) for sentence in found]


@pytest.mark.parametrize("kind", KINDS)
def test_is_told_and_mended(
    settings: Settings, write: Write, embedder: Embedder, kind: Callable[[Settings], Any]
) -> None:
    for animal in ("cat", "dog", "fish", "bird"):
        write(f"{animal}.txt", f"The {animal} is in the garden. It sleeps there all day.")
    index.update(settings, embedder)
    whole = asked(settings, embedder)
    for leftover in (folder(settings)).glob(f"{storage.DATABASE}-*"):
        leftover.unlink()
    kind(settings)
    with pytest.raises(IndexStorageError, match="rawi index"):
        asked(settings, embedder)
    report = index.update(settings, embedder)
    assert (report.added, report.documents) == (4, 4)
    assert asked(settings, embedder) == whole
    assert index.update(settings, embedder).unchanged == 4


def test_an_index_is_its_owners_alone(
    settings: Settings, write: Write, embedder: Embedder, tmp_path: Path
) -> None:
    write("cat.txt", "The cat is in the garden.")
    index.update(settings, embedder)
    assert stat.S_IMODE(settings.storage.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder(settings).stat().st_mode) == 0o700
    # Also where the storage folder was there before, open to all.
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    settings = settings.model_copy(update={"storage": shared})
    index.update(settings, embedder)
    assert stat.S_IMODE(folder(settings).stat().st_mode) == 0o700
