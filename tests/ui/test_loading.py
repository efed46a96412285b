"""What a running server follows: a mended index, an emptied folder, an LLM server that comes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rag import current, index
from rag.config import Settings
from rag.embedding import Embedder
from rag.errors import GenerationError
from rag.retrieval import Retriever
from tests.chroma import ChromaServer, at, nowhere
from tests.conftest import WordEmbedder, Write, in_child
from tests.rag.test_damage import chroma_header, header
from tests.ui.serving import Loaded, engine, until
from ui import documents, indexing
from ui.loading import Loader


@pytest.fixture
def loader(
    settings: Settings, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Loader]:
    """A loader that opens indexes with the words' embedder, and no reader."""

    @contextmanager
    def opened(settings: Settings, **_: Any) -> Iterator[Retriever]:
        with current.open_current(settings, embedder.fingerprint) as store:
            yield Retriever(store, embedder, settings.retrieval)

    monkeypatch.setattr("ui.loading.engine.open_retriever", opened)
    monkeypatch.setattr("ui.loading.examples.examples", lambda _: ())
    monkeypatch.setattr("rag.reader.built_in", lambda *_: None)
    loader = Loader(settings)
    loader.embedder = embedder
    yield loader
    loader.close()


@pytest.mark.parametrize(("kind", "anew"), [(chroma_header, 1), (header, 2)])
def test_a_server_that_has_it_open_follows_the_mended_one(
    loader: Loader,
    settings: Settings,
    write: Write,
    embedder: Embedder,
    kind: Callable[[Settings], Any],
    anew: int,
) -> None:
    write("cat.txt", "The cat is in the garden.")
    index.update(settings, embedder)
    loader.reopen()
    assert loader.engine is not None
    assert loader.engine.retriever.passages("cat")
    kind(settings)
    write("dog.txt", "The dog is in the house.")
    assert index.update(settings, embedder).added == anew
    loader.reopen()
    vector = embedder.embed_query("dog")
    held = loader.engine.retriever.storage.collection
    assert held.count() == 2
    assert held.query(query_embeddings=[vector], n_results=2, include=[])["ids"][0]
    assert [found.doc for found in loader.engine.retriever.passages("dog", 1)] == ["dog.txt"]


def test_a_folder_that_was_emptied_answers_no_more_until_there_is_another(
    loader: Loader, settings: Settings, write: Write, embedder: Embedder
) -> None:
    last = write("cat.txt", "The cat is in the garden.")
    index.update(settings, embedder)
    loader.reopen()
    documents.remove(settings, "cat.txt")
    assert not last.exists()
    *_, job = indexing.reindex(loader, may_empty=True)
    assert job.problem == ""
    assert loader.engine is None
    assert loader.progress().stage == "no index"
    write("dog.txt", "The dog is in the house.")
    *_, job = indexing.reindex(loader)
    assert job.problem == ""
    assert loader.progress().stage == "ready"


def test_a_server_that_fails_at_the_start_is_told_once_and_asked_until_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ui.loading._WARM_AGAIN_S", 0.01)
    down = GenerationError("no server there")
    rawi = engine(tmp_path, down, down, "1: yes")
    loader = Loaded(rawi)
    with caplog.at_level(logging.WARNING):
        threading.Thread(target=loader._warm).start()
        assert until(lambda: not rawi._drafter._model.replies, 5)  # type: ignore[union-attr]
        assert until(lambda: not rawi.llm_failure, 5)
    assert [record.message for record in caplog.records] == ["no server there"]
    loader.close()


def test_the_folder_is_followed_and_answered_from(
    loader: Loader, settings: Settings, write: Write, embedder: Embedder
) -> None:
    write("cat.txt", "The cat is in the garden.")
    watched = settings.documents.model_copy(update={"watch_s": 0.05})
    loader.settings = settings.model_copy(update={"documents": watched})
    threads = [
        threading.Thread(target=loader._follow, args=[embedder]),
        threading.Thread(target=loader._watch),
    ]
    for thread in threads:
        thread.start()
    assert until(lambda: len(loader.listing.documents) == 1, 30)
    write("dog.txt", "The dog is in the house.")
    assert until(lambda: len(loader.listing.documents) == 2, 30)
    assert loader.engine is not None
    assert loader.engine.retriever.passages("dog", 1)[0].doc == "dog.txt"
    loader.close()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)


def indexed(settings: Settings) -> int:
    return index.update(settings, WordEmbedder()).documents


def test_vectors_in_a_chroma_server_are_waited_for_and_followed_when_another_process_writes(
    loader: Loader,
    settings: Settings,
    write: Write,
    embedder: Embedder,
    chroma: ChromaServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ui.loading.engine.load_llm", lambda _: None)
    monkeypatch.setattr("ui.loading.load_embedder", lambda _: embedder)
    monkeypatch.setattr("ui.loading._WATCH_S", 0.02)
    unwatched = settings.documents.model_copy(update={"watch_s": 0.0})
    remote = at(settings, url=chroma.url).model_copy(update={"documents": unwatched})
    write("cat.txt", "The cat is in the garden.")
    assert in_child(indexed, remote) == 1
    loader.settings = at(remote, url=nowhere())
    loader.start()
    assert until(lambda: loader.progress().stage == "failed", 20)
    assert "no Chroma server can be reached there" in loader.progress().reason
    loader.settings = remote
    assert until(lambda: loader.progress().stage == "ready", 20)
    opened = loader.engine
    assert opened is not None
    assert [found.doc for found in opened.retriever.passages("dog")] == ["cat.txt"]
    write("dog.txt", "The dog is in the house.")
    assert in_child(indexed, remote) == 2
    best = opened.retriever
    assert until(lambda: [found.doc for found in best.passages("dog", 1)] == ["dog.txt"], 20)
    assert loader.engine is opened
