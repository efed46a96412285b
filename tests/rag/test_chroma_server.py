"""Vectors in a Chroma server: the index equals the folder there too, and what is wrong is told."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rag import config, current, vector_server, vectors
from rag.config import Settings
from rag.errors import ConfigError, IndexStorageError, NoIndexError
from rag.index import update
from rag.retrieval import Retriever
from rag.storage import Storage, collection_of
from tests.chroma import ChromaServer, at, nowhere
from tests.conftest import WordEmbedder, Write
from tests.rag.test_index import counts, index_folder, state_of, texts
from ui import doctor, reasons

pytestmark = pytest.mark.slow


@pytest.fixture
def remote(settings: Settings, chroma: ChromaServer) -> Settings:
    return at(settings, url=chroma.url)


@pytest.fixture
def animals(write: Write) -> None:
    write("cat.txt", "A cat sits here.")
    write("dog.txt", "A dog runs there.")


def found(settings: Settings, question: str) -> list[str]:
    """Return the documents that a search finds, best first."""
    embedder = WordEmbedder()
    with current.open_current(settings, embedder.fingerprint) as store:
        return docs(store, question)


def docs(store: Storage, question: str) -> list[str]:
    retriever = Retriever(store, WordEmbedder(), config.RetrievalSettings())
    return [passage.doc for passage in retriever.passages(question)]


def collection(settings: Settings) -> str:
    return collection_of(index_folder(settings))


def test_the_index_equals_the_folder_after_every_change(
    remote: Settings, write: Write, animals: None, chroma: ChromaServer, embedder: WordEmbedder
) -> None:
    assert counts(update(remote, embedder)) == (2, 0, 0, 0)
    assert found(remote, "dog") == ["dog.txt", "cat.txt"]
    name = collection(remote)
    assert name in chroma.collections()
    assert not list(remote.storage.glob("*/chroma"))
    (remote.corpus / "dog.txt").rename(remote.corpus / "hound.txt")
    write("cat.txt", "A cat and a fish.")
    assert counts(update(remote, embedder)) == (1, 1, 1, 0)
    assert set(texts(remote)) == {"cat.txt", "hound.txt"}
    (remote.corpus / "cat.txt").unlink()
    assert counts(update(remote, embedder)) == (0, 0, 1, 1)
    assert set(texts(remote)) == {"hound.txt"}
    assert found(remote, "dog") == ["hound.txt"]
    (remote.corpus / "hound.txt").unlink()
    update(remote, embedder, may_empty=True)
    assert name not in chroma.collections()


def test_another_index_has_its_own_collection_and_the_old_one_goes(
    remote: Settings, animals: None, chroma: ChromaServer, embedder: WordEmbedder
) -> None:
    update(remote, embedder)
    before = collection(remote)
    other = remote.model_copy(update={"passages": config.PassagesSettings(max_chars=300)})
    update(other, embedder)
    after = collection(other)
    assert after != before
    assert chroma.collections() & {before, after} == {after}
    assert found(other, "cat")[0] == "cat.txt"


def test_storages_share_a_server_and_a_copy_finds_the_same_vectors(
    remote: Settings, tmp_path: Path, animals: None, embedder: WordEmbedder
) -> None:
    second = remote.model_copy(update={"storage": tmp_path / "second"})
    update(remote, embedder)
    update(second, embedder)
    assert collection(remote) != collection(second)
    copy = remote.model_copy(update={"storage": tmp_path / "copy"})
    shutil.copytree(remote.storage, copy.storage)
    (remote.corpus / "dog.txt").unlink()
    update(remote, embedder)
    assert set(texts(remote)) == {"cat.txt"}
    assert set(texts(second)) == {"cat.txt", "dog.txt"}
    assert found(copy, "cat")[0] == "cat.txt"  # though it is behind


def test_what_is_lost_is_told_and_filled_without_embedding(
    remote: Settings, chroma: ChromaServer, animals: None, embedder: WordEmbedder
) -> None:
    update(remote, embedder)
    with current.open_current(remote, embedder.fingerprint) as open_before:
        before, embedder.seen = state_of(open_before), []
        chroma.lose()
        for ask in (lambda: docs(open_before, "cat"), lambda: found(remote, "cat")):
            with pytest.raises(NoIndexError) as told:
                ask()
            assert str(told.value) == (
                f"vectors.url {chroma.url}: the Chroma server doesn't hold the index's vectors;"
                " run: rawi index, which embeds nothing again"
            )
            assert reasons.phrase(str(told.value))
        assert counts(update(remote, embedder)) == (0, 0, 0, 2)
        assert embedder.seen == []
        current.refresh(open_before)  # as a running server does, once there is another CURRENT
        assert state_of(open_before) == before
        assert docs(open_before, "cat") == ["cat.txt", "dog.txt"]


def test_a_collection_that_lost_some_is_told_by_the_doctor_and_filled(
    remote: Settings, animals: None, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_embedder", lambda _: remote.storage)
    monkeypatch.setattr(doctor, "weights_fingerprint", lambda *_: embedder.fingerprint)
    update(remote, embedder)
    with current.open_current(remote, embedder.fingerprint) as store:
        store.collection.delete(store.collection.get(include=[])["ids"][:1])
    with pytest.raises(IndexStorageError, match="of 2 passages, 1 have vectors; run: rawi index"):
        doctor._index(remote)
    embedder.seen = []
    update(remote, embedder)
    assert embedder.seen == []
    assert "holds the 2 documents" in doctor._index(remote)
    assert doctor._vectors(remote) == f"the Chroma server at {remote.vectors.url} answers"


def test_the_backend_is_switched_both_ways_without_embedding(
    remote: Settings, chroma: ChromaServer, write: Write, animals: None, embedder: WordEmbedder
) -> None:
    here = at(remote, backend="chroma")
    update(here, embedder)
    with pytest.raises(IndexStorageError, match="its vectors are not where") as told:
        found(remote, "cat")
    assert reasons.phrase(str(told.value))
    embedder.seen = []
    update(remote, embedder)
    assert embedder.seen == []
    assert found(remote, "cat") == ["cat.txt", "dog.txt"]
    assert not list(remote.storage.glob("*/chroma"))
    with pytest.raises(NoIndexError, match="run: rawi index"):
        found(here, "cat")
    name = collection(remote)
    update(here, embedder)
    assert embedder.seen == []
    assert texts(here).keys() == {"cat.txt", "dog.txt"}
    assert name not in chroma.collections()
    assert collection(here) == ""
    write("dog.txt", "No more of it.")
    update(remote, embedder)
    assert texts(remote)["dog.txt"] == "No more of it."


def test_vectors_that_another_server_kept_are_not_taken_for_the_newest(
    remote: Settings, tmp_path: Path, animals: None, embedder: WordEmbedder
) -> None:
    update(remote, embedder)
    name = collection(remote)
    # One of that name and size, with other passages, as a server holds that was left once.
    vector_server.forget(remote.vectors, name)
    client, held = vectors.connect(remote.vectors, tmp_path, name, writing=True)
    held.add(ids=["a", "b"], embeddings=[[1.0] * 7] * 2)
    client.close()
    with pytest.raises(IndexStorageError, match="its vectors are not where"):
        found(remote, "cat")
    embedder.seen = []
    update(remote, embedder)
    assert embedder.seen == []
    assert found(remote, "cat") == ["cat.txt", "dog.txt"]
    assert texts(remote).keys() == {"cat.txt", "dog.txt"}


def test_what_sqlite_does_not_hold_yet_or_any_more_is_not_found(
    remote: Settings, animals: None, embedder: WordEmbedder
) -> None:
    update(remote, embedder)
    with current.open_current(remote, embedder.fingerprint) as reader:
        with current.open_current(remote, embedder.fingerprint) as other:
            vector = [float(x) for x in embedder.embed_query("cat")]
            other.collection.add(
                ids=["yet"], embeddings=[vector], documents=["cat"], metadatas=[{"doc": "new"}]
            )
        assert docs(reader, "cat") == ["cat.txt", "dog.txt"]
        with reader.db:
            reader.db.execute("DELETE FROM documents WHERE id = 'cat.txt'")
        assert docs(reader, "cat") == ["dog.txt"]


def test_a_server_that_is_away_is_told_by_whoever_needs_it(
    remote: Settings, animals: None, embedder: WordEmbedder
) -> None:
    away = at(remote, url=nowhere())
    told = f"vectors.url {away.vectors.url}: no Chroma server can be reached there"
    with pytest.raises(IndexStorageError, match=told) as raised:
        update(away, embedder)
    assert not away.storage.exists()
    assert "\n" not in str(raised.value)
    assert reasons.phrase(str(raised.value))
    update(remote, embedder)
    for ask in (lambda: found(away, "cat"), lambda: doctor._vectors(away)):
        with pytest.raises(IndexStorageError, match=told):
            ask()


def test_a_server_that_is_away_keeps_no_index_from_its_place(
    remote: Settings, animals: None, embedder: WordEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    update(remote, embedder)
    name = collection(remote)
    here = at(remote, backend="chroma", url=nowhere())
    other = here.model_copy(update={"passages": config.PassagesSettings(max_chars=300)})
    update(other, embedder)
    assert found(other, "cat")[0] == "cat.txt"
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.endswith(f"the collection {name}, no longer used, may be left there")


Reply = tuple[int, str, bytes]


@contextmanager
def answering(reply: Reply, wait_s: float = 0.0) -> Iterator[tuple[str, list[str | None]]]:
    """Serve one reply to everything; yields the address and the tokens that were sent."""
    tokens: list[str | None] = []
    gone = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tokens.append(self.headers["Authorization"])
            gone.wait(wait_s)
            with suppress(ConnectionError):  # who asked didn't wait
                self.send_response(reply[0])
                self.send_header("Content-Type", reply[1])
                self.send_header("Content-Length", str(len(reply[2])))
                self.end_headers()
                self.wfile.write(reply[2])

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{serving.server_port}", tokens
        finally:
            gone.set()
            serving.shutdown()
            thread.join()


JSON = "application/json"
V1 = b'{"error":"Unimplemented","message":"The v1 API is deprecated"}'
FULL = b'{"error":"InternalError","message":"database or disk\\nis full"}'
WRONG: dict[str, tuple[Reply, str]] = {
    "refused": ((401, "text/plain", b"no"), r"refused vectors\.token \(401\); set RAWI_VECTORS__"),
    "forbidden": ((403, JSON, b'{"error":"AuthError","message":"no"}'), r"token \(403\)"),
    "an older version": ((404, JSON, b'{"detail":"Not Found"}'), r"API v2 \(404\)"),
    "a newer version": ((410, JSON, V1), r"API v2 \(410\)"),
    "a page": ((200, "text/html", b"<p>Welcome"), r"API v2 \(200\); set vectors\.url"),
    "a redirect": ((301, "text/html", b""), r"API v2 \(301\)"),
    "other JSON": ((200, JSON, b"{}"), r"API v2 \(KeyError\)"),
    "broken JSON": ((200, JSON, b"{"), r"API v2 \(JSONDecodeError\)"),
    "full": ((500, JSON, FULL), r"failed \(500: database or disk is full\); its log"),
}


@pytest.mark.parametrize(("reply", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_in_one_line(settings: Settings, reply: Reply, says: str) -> None:
    with answering(reply) as (url, _):
        place = at(settings, url=url).vectors
        for writing in (True, False):
            with pytest.raises(IndexStorageError, match=says) as told:
                vectors.connect(place, settings.storage, "rawi-1", writing=writing)
            assert str(told.value).startswith(f"vectors.url {url}: ")
            assert "\n" not in str(told.value)
            assert reasons.phrase(str(told.value))


def test_nothing_waits_without_end(settings: Settings) -> None:
    with answering((200, JSON, b"1"), wait_s=30) as (url, _):
        place = at(settings, url=url, timeout_s=0.2).vectors
        with pytest.raises(IndexStorageError, match=r"within 0\.2 seconds") as told:
            vector_server.reach(place)
    assert reasons.phrase(str(told.value))


@pytest.mark.parametrize(("token", "sent"), [("", None), ("t0ken\n", "Bearer t0ken")])
def test_the_token_is_sent(settings: Settings, token: str, sent: str | None) -> None:
    with answering((200, JSON, b"1")) as (url, tokens):
        read = config.read(None, vectors={"backend": "chroma-server", "url": url, "token": token})
        vector_server.reach(read.vectors)
    assert tokens == [sent]
    assert "t0ken" not in repr(read)


def test_a_token_that_cannot_be_sent_is_not_said(settings: Settings) -> None:
    with answering((200, JSON, b"1")) as (url, _):
        read = config.read(None, vectors={"backend": "chroma-server", "url": url, "token": "a\0b"})
        with pytest.raises(IndexStorageError, match=r"vectors\.token can't be sent"):
            vector_server.reach(read.vectors)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8000", "ftp://a", "http://", "http://me:secret@a", "http://a:99999"]
)
def test_an_address_that_is_none_is_told(isolated: Path, url: str) -> None:
    with pytest.raises(ConfigError, match=r"vectors\.url"):
        config.read(None, vectors={"url": url})
