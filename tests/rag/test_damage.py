"""A damaged index: told where it is read, and mended from the folder by the next run."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chromadb
import pytest
from chromadb.errors import InternalError

from rag import current, index, storage
from rag.config import PassagesSettings, Settings
from rag.embedding import Embedder
from rag.errors import IndexStorageError
from rag.index import IndexReport
from rag.retrieval import Retriever
from tests.conftest import VOCABULARY, WordEmbedder, Write, in_child
from tests.rag.test_index import index_folder, state


def run_sql(settings: Settings, *statements: str) -> None:
    with sqlite3.connect(index_folder(settings) / storage.DATABASE) as db:
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
    (index_folder(settings) / storage.DATABASE).write_bytes(b"")


def header(settings: Settings) -> None:
    with (index_folder(settings) / storage.DATABASE).open("r+b") as file:
        file.write(b"\0" * 100)


def cut_off(settings: Settings) -> None:
    path = index_folder(settings) / storage.DATABASE
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // 4_096 * 4_096)


def chroma_header(settings: Settings) -> None:
    with (index_folder(settings) / "chroma" / "chroma.sqlite3").open("r+b") as file:
        file.write(b"\0" * 100)


def chroma_pages(settings: Settings) -> None:
    path = index_folder(settings) / "chroma" / "chroma.sqlite3"
    content = path.read_bytes()
    path.write_bytes(content[:4_096] + b"\xff" * (len(content) - 4_096))


def chroma_emptied(settings: Settings) -> None:
    (index_folder(settings) / "chroma" / "chroma.sqlite3").write_bytes(b"")


# What is damaged, and how many of four documents are then read and embedded again.
KINDS = [
    (lexical_page, 4), (vectors, 4), (no_vectors, 4), (sentences, 4), (documents, 4), (emptied, 4),
    (header, 4), (cut_off, 4), (chroma_header, 0), (chroma_pages, 0), (chroma_emptied, 0),
]  # fmt: skip


def asked(settings: Settings, embedder: Embedder) -> list[str]:
    """Search as every command does."""
    with current.open_current(settings, embedder.fingerprint) as store:
        found = Retriever(store, embedder, settings.retrieval).evidence("Where is the cat?")
        return [store.text(sentence.doc) for sentence in found]


@pytest.mark.parametrize(("kind", "anew"), KINDS)
def test_is_told_and_mended(
    settings: Settings,
    write: Write,
    embedder: Embedder,
    kind: Callable[[Settings], Any],
    anew: int,
) -> None:
    for animal in ("cat", "dog", "fish", "bird"):
        write(f"{animal}.txt", f"The {animal} is in the garden. It sleeps there all day.")
    index.update(settings, embedder)
    whole = asked(settings, embedder)
    for leftover in index_folder(settings).glob(f"{storage.DATABASE}-*"):
        leftover.unlink()
    kind(settings)
    with pytest.raises(IndexStorageError, match="rawi index") as told:
        asked(settings, embedder)
    assert "\n" not in str(told.value)
    report = index.update(settings, embedder)
    assert (report.added, report.documents) == (anew, 4)
    assert asked(settings, embedder) == whole
    assert index.update(settings, embedder).unchanged == 4


# Files of vectors, which Chroma writes from a thousand passages on.


def segment(settings: Settings) -> Path:
    (found,) = (index_folder(settings) / "chroma").glob("*/")
    return found


def filled(settings: Settings) -> None:
    path = segment(settings) / "data_level0.bin"
    path.write_bytes(b"\xff" * path.stat().st_size)


def zeroed(settings: Settings) -> None:
    path = segment(settings) / "data_level0.bin"
    path.write_bytes(b"\0" * path.stat().st_size)  # as a machine leaves it that lost its power


def one_number(settings: Settings) -> None:
    with (segment(settings) / "data_level0.bin").open("r+b") as file:
        file.seek(-28, os.SEEK_END)  # of the last vector, before its label
        file.write(b"\xff\xff\x7f\x41")


def shortened(settings: Settings) -> None:
    path = segment(settings) / "data_level0.bin"
    os.truncate(path, path.stat().st_size // 2)


def no_segment(settings: Settings) -> None:
    shutil.rmtree(segment(settings))


def no_list(settings: Settings) -> None:
    (segment(settings) / "index_metadata.pickle").unlink()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An index of so many passages, made once; each test has a copy."""
    place = tmp_path_factory.mktemp("large")
    made = Settings(
        corpus=place / "corpus",
        storage=place / "storage",
        passages=PassagesSettings(max_chars=100),
    )
    made.corpus.mkdir()
    lines = (f"{VOCABULARY[n % 4]} number {n} is {'very ' * 12}large." for n in range(1_100))
    (made.corpus / "many.txt").write_text("\n".join(lines))
    (made.corpus / "cat.txt").write_text("The cat is in the garden.")
    index.update(made, WordEmbedder())
    return made


@pytest.fixture
def many(large: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(large.storage, tmp_path / "copy")
    return large.model_copy(update={"storage": tmp_path / "copy"})


def asked_or_told(settings: Settings) -> list[str] | str:
    try:
        return asked(settings, WordEmbedder())
    except IndexStorageError as exc:
        return str(exc)


def updated(settings: Settings) -> tuple[IndexReport, list[str]]:
    embedder = WordEmbedder()
    return index.update(settings, embedder), embedder.seen


def unclean(settings: Settings) -> None:
    """Leave the index as a run that was killed does."""
    run_sql(settings, "DELETE FROM state")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "killed"),
    [
        (filled, False), (one_number, False), (shortened, False), (no_segment, False),
        (no_list, False), (filled, True), (no_segment, True), (zeroed, True),
    ],
)  # fmt: skip
def test_files_of_vectors_are_told_and_made_again_without_embedding(
    many: Settings, embedder: WordEmbedder, kind: Callable[[Settings], Any], killed: bool
) -> None:
    before = state(many)
    whole = asked(many, embedder)
    kind(many)
    if killed:
        unclean(many)
    if kind is not one_number:  # with which Chroma lives
        told = in_child(asked_or_told, many)
        assert "vectors" in str(told)
        assert str(told).endswith("run: rawi index")
    report, seen = in_child(updated, many)
    assert (report.unchanged, report.added, report.passages) == (2, 0, 1_101)
    assert seen == []
    assert state(many) == before
    assert asked(many, embedder) == whole


@pytest.mark.slow
def test_sentences_that_are_damaged_beside_files_of_a_killed_run_are_told(
    many: Settings, embedder: WordEmbedder
) -> None:
    unclean(many)
    sentences(many)
    with pytest.raises(IndexStorageError, match="run: rawi index"):
        asked(many, embedder)


@pytest.mark.slow
def test_files_of_vectors_that_are_whole_may_be_others_than_were_left(
    many: Settings, embedder: WordEmbedder
) -> None:
    whole = asked(many, embedder)
    one_number(many)  # as another reader's Chroma may write them meanwhile
    assert asked(many, embedder) == whole
    unclean(many)
    assert asked(many, embedder) == whole


@pytest.mark.slow
def test_an_open_reader_is_told_of_files_that_were_damaged_since(
    many: Settings, embedder: WordEmbedder
) -> None:
    with current.open_current(many, embedder.fingerprint) as store:
        filled(many)
        with pytest.raises(IndexStorageError, match=r"vectors.*run: rawi index"):
            current.refresh(store)
        found = Retriever(store, embedder, many.retrieval).evidence("Where is the cat?")
        assert found  # from what it had open


@pytest.mark.slow
def test_what_chroma_says_while_it_searches_is_one_clear_line(
    many: Settings, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise InternalError("Error loading hnsw index\nat line 1")

    with current.open_current(many, embedder.fingerprint) as store:
        monkeypatch.setattr(chromadb.Collection, "query", failing)
        with pytest.raises(IndexStorageError, match=r"Error loading hnsw index; .*rawi index$"):
            Retriever(store, embedder, many.retrieval).evidence("Where is the cat?")
