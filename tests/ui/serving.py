"""A real server on a loopback port over doubles: an index of two sentences, a scripted LLM."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from llama_index.core.llms import ChatMessage, ChatResponse

from rag import current, index
from rag.config import Settings
from rag.engine import Engine
from rag.language import detect
from rag.retrieval import Found
from rag.retrieval import Retriever as Searching
from rag.sentences import Unit
from rag.storage import Origin
from tests.conftest import WordEmbedder
from tests.doubles import JudgingLLM, ScriptedLLM
from ui import app as web
from ui import documents
from ui.loading import Loader, Progress

QUOTE = "ساهم <script>alert(1)</script> سوفت بنك بمبلغ 30 مليار."
FOUND = Found("a<b>.txt", 0, len(QUOTE), QUOTE, 0.9, "ar")
QUESTION = "كم ساهم سوفت بنك؟"
ANSWER = "ساهم بمبلغ 30 مليار."


class SlowLLM(JudgingLLM):
    """Is silent for ``words`` times ``pause_s`` seconds, then says nothing; counts what runs.

    With a ``delta`` it writes that instead, and is stopped where a reply has grown too long.
    """

    pause_s: float = 0.05
    words: int = 400
    delta: str = ""
    running: int = 0
    most: int = 0

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Iterator[ChatResponse]:
        return self._slow()

    def _slow(self) -> Iterator[ChatResponse]:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for _ in range(self.words):
                time.sleep(self.pause_s)
                yield ChatResponse(
                    message=ChatMessage(role="assistant", content="30"), delta=self.delta
                )
        finally:
            self.running -= 1


class BrokenLLM(JudgingLLM):
    """Fails in a way that nobody foresaw."""

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Iterator[ChatResponse]:
        raise ZeroDivisionError("secret detail")


class Retriever:
    """Finds the one sentence for every question."""

    def __init__(self, evidence: Sequence[Found] = (FOUND,)) -> None:
        self._evidence = list(evidence)
        texts = {found.doc: found.text for found in evidence}
        self.storage = SimpleNamespace(
            text=lambda doc: texts.get(doc, ""),
            title=lambda doc: doc,
            count=lambda table: 3,
            page=lambda doc, place: None,
            origin=lambda doc: Origin(doc),
            units=lambda doc, start, end: [Unit(0, len(texts[doc]))] if doc in texts else [],
        )
        self.embedder = None
        self.titles = lambda: {doc: doc for doc in texts}

    def evidence(self, question: str, context: str = "", *, read_as: str = "") -> list[Found]:
        return self._evidence

    def passages(self, question: str, k: int | None = None) -> list[Found]:
        return self._evidence[:k]


def engine(
    storage: Path,
    *replies: Any,
    model: ScriptedLLM | None = None,
    evidence: Sequence[Found] = (FOUND,),
    **sections: Any,
) -> Engine:
    """An engine whose LLM gives these replies, with settings: ``widget={…}``."""
    llm = model or JudgingLLM(replies=deque(replies))
    raw = {"answer": {"style": "written"}, "storage": storage, **sections}
    return Engine(Settings.model_validate(raw), Retriever(evidence), llm)


@contextmanager
def indexed(folder: Path, texts: Mapping[str, str]) -> Iterator[Engine]:
    """An engine without an LLM over a real index of documents, by their names."""
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for name, text in texts.items():
        (corpus / name).write_text(text, encoding="utf-8")
    retrieval = {"reader": "none", "min_score": 0.8}
    raw = {"corpus": corpus, "storage": folder / "storage", "retrieval": retrieval}
    settings, embedder = Settings.model_validate(raw), WordEmbedder()
    index.update(settings, embedder)
    with current.open_current(settings, embedder.fingerprint) as store:
        yield Engine(settings, Searching(store, embedder, settings.retrieval), None)


def quoting(storage: Path, *texts: str, score: float = 0.9, **sections: Any) -> Engine:
    """An engine without an LLM over documents of one sentence each, all of them evidence."""
    settings = Settings.model_validate({"storage": storage, **sections})
    evidence = [
        Found(f"{number}.txt", 0, len(text), text, score, detect(text))
        for number, text in enumerate(texts, start=1)
    ]
    return Engine(settings, Retriever(evidence), None)


class Loaded(Loader):
    """Has an engine from the beginning, and keeps it."""

    def __init__(self, ready: Engine) -> None:
        super().__init__(ready.settings)
        self.engine = ready
        self.embedder = ready.retriever.embedder
        self.listing = documents.listing(ready.settings)
        self.examples = ()
        self._finish(Progress("ready"))

    def start(self) -> None:
        """Load nothing."""

    def reopen(self) -> None:
        """Leave the index as it was opened."""


@contextmanager
def served(rawi: Engine, *, page: bool = True) -> Iterator[str]:
    """Serve an engine; give its address."""
    with served_by(Loaded(rawi), page=page) as url:
        yield url


class _Unmade:
    """Stands for the applications that Gradio makes of a page before the one that is mounted."""

    @staticmethod
    def create_app(*_: Any, **__: Any) -> None:
        """Make none: nobody asks it anything, and each takes a quarter of a second."""


def built(loader: Loader, *, page: bool = True) -> FastAPI:
    """Build the application that ``rawi serve`` serves.

    :param page: Whether with its pages, which take half a second and more.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradio.blocks.App", _Unmade)
        if not page:
            patch.setattr("ui.page.mount", lambda *_, **__: None)
        return web.build(loader)


@contextmanager
def served_by(loader: Loader, *, page: bool = True) -> Iterator[str]:
    """Serve what a loader has, or will have; give the address."""
    with listening() as port, running(built(loader, page=page), loader.settings, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def listening() -> Iterator[int]:
    """Give a port that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    yield port


@contextmanager
def running(app: FastAPI, settings: Settings, port: int) -> Iterator[uvicorn.Server]:
    """Run an application in a thread, as ``rawi serve`` does."""
    here = {"port": port, "stop_timeout_s": 5.0}
    wanted = settings.model_copy(update={"server": settings.server.model_copy(update=here)})
    server = uvicorn.Server(web.config(app, wanted))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < until, "the server did not come up"
        assert thread.is_alive(), "the server ended by itself"
        time.sleep(0.02)
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the server did not stop"


def until(condition: Any, seconds: float) -> bool:
    """Tell whether a condition came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
