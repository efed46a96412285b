"""What keeps Rawi from answering here, looked for part by part, and what to do about each."""

from __future__ import annotations

import platform
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import httpx
from llama_index.core.llms import ChatMessage

from rag import current, engine, extras, index, llm, models, storage
from rag.config import Settings
from rag.embedding import weights_fingerprint
from rag.engine import Answer
from rag.errors import GenerationError, IndexStorageError, RawiError
from rag.vector_server import AGAIN, reach
from ui import examples, text


@dataclass(frozen=True)
class Check:
    """One part.

    :ivar says: What was found; where that is not well, what to do.
    """

    name: str
    ok: bool
    says: str


def checks(settings: Settings) -> Iterator[Check]:
    """Yield the parts, each as soon as it was looked at; the last takes as long as an answer."""
    for name, look in _PARTS.items():
        try:
            yield Check(name, True, look(settings))
        except RawiError as exc:
            yield Check(name, False, str(exc))


def _versions(settings: Settings) -> str:
    extras.require("serve", "rawi serve")
    return f"Rawi {version('rawi')} on Python {platform.python_version()}"


def _weights(settings: Settings) -> str:
    found = [_embedder(settings)]
    if settings.llm.has_weights:
        found.append(models.resolve(settings.llm.model, kind="llm", settings=settings.models))
    return ", ".join(map(str, found))


def _embedder(settings: Settings) -> Path:
    return models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)


def _disk(settings: Settings) -> str:
    folder = settings.storage.resolve()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    with storage.translated(settings.storage):
        storage.require_space(there, 0)
    return f"{shutil.disk_usage(there).free / 1e9:,.1f} GB free for {settings.storage}"


def _vectors(settings: Settings) -> str:
    if not settings.vectors.on_server:
        return "in the storage folder"
    reach(settings.vectors)
    return f"the Chroma server at {settings.vectors.url} answers"


def _index(settings: Settings) -> str:
    print_ = weights_fingerprint(_embedder(settings), settings.embedding)
    with current.open_current(settings, print_) as store:
        behind = index.behind(settings, store)
        counted, held = store.counted(), store.counts()
    if counted and held["vectors"] != held["passages"]:  # unless another process is indexing
        raise IndexStorageError(
            f"{settings.storage}: of {held['passages']} passages, {held['vectors']} have vectors;"
            f" {AGAIN}"
        )
    if behind:
        raise IndexStorageError(
            f"{settings.storage}: {len(behind)} documents of {settings.corpus} are new, changed or"
            f" gone since, the first is {behind[0]}; run: rawi index"
        )
    return f"{settings.storage} holds the {held['documents']} documents of {settings.corpus}"


def _port(settings: Settings) -> str:
    host, port = settings.server.host, settings.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
    except OSError as exc:
        if _is_rawi(host, port):
            return f"Rawi listens on {host}, port {port}, already"
        raise RawiError(
            f"{host}, port {port}: {exc.strerror}; set server.port, or run: rawi serve --port 0"
        ) from exc
    return f"{host}, port {port} is free"


def _is_rawi(host: str, port: int) -> bool:
    try:
        reply = httpx.get(str(httpx.URL(scheme="http", host=host, port=port, path="/healthz")))
        return "ready" in reply.json()
    except (httpx.HTTPError, ValueError):
        return False


def _llm(settings: Settings) -> str:
    wanted = settings.llm
    if wanted.backend == "none":
        return "none: answers are quotes alone"
    if wanted.backend != "openai":
        return f"{wanted.model} runs within Rawi"
    model = llm.load_llm(wanted, None)
    try:
        if model is not None:
            asked = [ChatMessage(role="user", content="How much is 1 + 1?")]
            with closing(llm.stream(model, asked, wanted.timeout_s)) as pieces:
                next(pieces, "")
    except GenerationError as exc:
        raise GenerationError(f"{wanted.base_url}, {wanted.model}: {exc}") from exc
    return f"{wanted.model} answers at {wanted.base_url}"


def _question(settings: Settings) -> str:
    with engine.open_engine(settings) as rawi:
        rawi.warm()
        asked = [example.question for example in examples.examples(rawi)]
        question = asked[0] if asked else text.ABOUT.en.format(name=settings.corpus.name)
        answer = next(e for e in rawi.answer(question, []) if isinstance(e, Answer))
    if answer.failure:
        raise GenerationError(answer.failure)
    return f"“{question}” was answered in {answer.timings.total_s:.1f} s"


_PARTS: Final[dict[str, Callable[[Settings], str]]] = {
    "versions": _versions,
    "disk": _disk,
    "weights": _weights,
    "vectors": _vectors,
    "index": _index,
    "port": _port,
    "llm": _llm,
    "question": _question,
}
