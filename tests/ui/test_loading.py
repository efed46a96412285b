"""What a running server makes of an index that another process mends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rag import index, storage
from rag.config import Settings
from rag.embedding import Embedder
from rag.retrieval import Retriever
from tests.conftest import Write
from tests.rag.test_damage import chroma_header, header
from ui.loading import Loader


@pytest.mark.parametrize("kind", [chroma_header, header])
def test_a_server_that_has_it_open_follows_the_mended_one(
    settings: Settings,
    write: Write,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    kind: Callable[[Settings], Any],
) -> None:
    @contextmanager
    def opened(settings: Settings, **_: Any) -> Iterator[Retriever]:
        with storage.open_current(settings, embedder.fingerprint) as store:
            yield Retriever(store, embedder, settings.retrieval)

    monkeypatch.setattr("ui.loading.engine.open_retriever", opened)
    monkeypatch.setattr("ui.loading.examples.examples", lambda _: ())
    write("cat.txt", "The cat is in the garden.")
    index.update(settings, embedder)
    embedding = settings.embedding.model_copy(update={"model": "words"})
    loader = Loader(settings.model_copy(update={"embedding": embedding}))
    loader.embedder = embedder
    loader.reopen()
    assert loader.engine is not None
    assert loader.engine.retriever.passages("cat")
    kind(settings)
    write("dog.txt", "The dog is in the house.")
    assert index.update(settings, embedder).added == 2
    loader.reopen()
    vector = embedder.embed_query("dog")
    held = loader.engine.retriever.storage.collection
    assert held.count() == 2
    assert held.query(query_embeddings=[vector], n_results=2, include=[])["ids"][0]
    assert [found.doc for found in loader.engine.retriever.passages("dog", 1)] == ["dog.txt"]
    loader.close()
