"""The doubles and fixtures that all tests share."""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from rag import config
from rag.config import Settings
from rag.embedding import Embedder, Vectors
from rag.language import fold

pytest_plugins = ["tests.chroma"]

# What `make test-fast` asks for.
FAST = "not weights and not long and not slow"
# Fixtures of servers, of what starts processes, and of the browser.
STARTING = {"chromium", "chroma", "hosts", "hub", "wheels"}
MEMORY, MEMORY_BYTES = Path("/dev/shm"), 4_000_000_000


def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' folders in memory, where there is room: SQLite waits for a disk."""
    if (
        os.access(MEMORY, os.W_OK)
        and shutil.disk_usage(MEMORY).free > MEMORY_BYTES
        and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    ):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    sys.addaudithook(_hear)
    socket.socket.listen = _listen


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spare what a file imports, where none of its tests would run."""
    if config.option.markexpr != FAST or collection_path.suffix != ".py":
        return None
    text = collection_path.read_text(encoding="utf-8")
    whole = re.search(r"^pytestmark = .*\bmark\.(weights|long|slow|browser)\b", text, re.M)
    return True if whole else None


@pytest.hookimpl(tryfirst=True)  # before those that aren't asked for are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what drives a browser or has a server, by its fixtures."""
    for item in items:
        if item.get_closest_marker("browser") or STARTING & {*getattr(item, "fixturenames", ())}:
            item.add_marker("slow")


_started: list[str] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("os.fork", "os.posix_spawn"):
        _started.append(event)
    elif event == "subprocess.Popen":
        # A reader of files is up in no time, and Python asks uname what the processor is.
        program, command, *_ = arguments
        if program != "uname" and "rag.readers.worker" not in command:
            _started.append(str(command))


def _listen(self: socket.socket, *backlog: int, listen: Any = socket.socket.listen) -> None:
    if self.family != socket.AF_UNIX:
        _started.append("a server")
    listen(self, *backlog)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget what was started before, ahead of every fixture."""
    _started.clear()


@pytest.fixture(autouse=True)
def _starts_nothing(request: pytest.FixtureRequest) -> Iterator[None]:
    """See to it that what isn't marked as slow starts no process but a reader's, and no server."""
    yield
    slow = [name for name in ("slow", "weights", "long") if request.node.get_closest_marker(name)]
    assert slow or not _started, f"starts what takes long; mark it as slow: {_started}"


T = TypeVar("T")
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


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: in ours, a browser's event loop may be running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def in_child(work: Callable[..., Any], *arguments: Any) -> Any:
    """Return what ``work`` returns in a process of its own, or minus the signal it died of."""
    _started.append("a child")
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
