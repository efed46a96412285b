"""The doubles and fixtures that all tests share."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import re
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag import config
from rag.config import Settings
from rag.embedding import Embedder, Vectors
from rag.language import fold

pytest_plugins = ["tests.chroma"]

Write = Callable[[str, str | bytes], Path]

ROOT = Path(__file__).parents[1]
# A server that imports once and forks for every child: a child costs milliseconds, not seconds.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["rag.index", "rag.retrieval"])

# As fold() writes them.
VOCABULARY = ("cat", "dog", "fish", "bird", "قط", "كلب")


class WordEmbedder(Embedder):
    """Counts the words of ``VOCABULARY``; one more dimension is always 1.

    So "cat cat dog" is (2, 1, 0, 0, 0, 0, 1) / √6, and its cosine with "cat" 3 / (√6 · √2).

    :ivar seen: Every text that was embedded, in order.
    """

    seen: list[str] = []  # noqa: RUF012 - pydantic copies it for every instance

    def __init__(self, fingerprint: str = "words") -> None:
        super().__init__(
            model_name="words", fingerprint=fingerprint, query_prompt="", passage_prompt=""
        )

    def encode(self, texts: list[str]) -> Vectors:
        self.seen.extend(texts)
        words = [re.findall(r"\w+", fold(text)) for text in texts]
        counts = [[found.count(word) for word in VOCABULARY] + [1] for found in words]
        vectors: Vectors = np.array(counts, dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an environment without the developer's own settings."""
    for name in [name for name in os.environ if name.upper().startswith(config.ENV_PREFIX)]:
        monkeypatch.delenv(name)
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def settings(tmp_path: Path, isolated: Path) -> Settings:
    """The defaults, with an empty corpus and no storage yet."""
    (tmp_path / "corpus").mkdir()
    return config.load(corpus=tmp_path / "corpus", storage=tmp_path / "storage")


@pytest.fixture
def write(settings: Settings) -> Write:
    """Write a file of the corpus: ``write("sub/a.txt", "…")``."""

    def write(name: str, content: str | bytes) -> Path:
        path = settings.corpus / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


def in_child(work: Callable[..., Any], *arguments: Any) -> Any:
    """Return what ``work`` returns in a process of its own, or minus the signal it died of."""
    receive, send = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_send_result, args=(send, work, arguments))
    here = os.getcwd()
    os.chdir(ROOT)  # the server, when it starts here, finds rag without it being installed
    process.start()
    os.chdir(here)
    send.close()
    with receive:
        try:
            return receive.recv()
        except EOFError:
            process.join()
            return process.exitcode
        finally:
            process.join()
            process.close()


def _send_result(send: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    send.send(work(*arguments))


def drop_privileges() -> None:
    """Give up, within a child, what lets root pass over file permissions."""
    if os.geteuid() == 0:
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
        ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)())


@pytest.fixture(scope="session")
def indexed_seeds(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The project's own settings, with its own articles indexed by the real embedder."""
    from rag import index, models

    storage = tmp_path_factory.mktemp("seeds") / "storage"
    settings = config.load(ROOT / "config.yaml", storage=storage)
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    index.update(settings, Embedder.load(settings.embedding, weights))
    return settings
