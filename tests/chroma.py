"""A Chroma server on loopback, which ``chroma`` gives to the tests of a file."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.config import Settings

# As `chroma run` does, without the seconds that its imports take.
_RUN = "import sys, chromadb_rust_bindings as chroma; chroma.cli(['chroma', *sys.argv[1:]])"


class ChromaServer:
    """A server whose port stays its own when it is killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.url = nowhere()
        self.folder = folder

    def start(self) -> None:
        port = str(httpx.URL(self.url).port)
        options = ["--path", str(self.folder), "--host", "127.0.0.1", "--port", port]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _RUN, "run", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                httpx.get(f"{self.url}/api/v2/heartbeat").raise_for_status()
                return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise TimeoutError(self.url)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def lose(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)
        self.start()

    def collections(self) -> set[str]:
        path = "/api/v2/tenants/default_tenant/databases/default_database/collections"
        return {found["name"] for found in httpx.get(f"{self.url}{path}").json()}


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    started = ChromaServer(tmp_path_factory.mktemp("chroma") / "data")
    started.start()
    yield started
    started.kill()


def at(settings: Settings, **values: Any) -> Settings:
    """Return the settings with their vectors elsewhere."""
    changed = settings.vectors.model_copy(update={"backend": "chroma-server", **values})
    return settings.model_copy(update={"vectors": changed})


def nowhere() -> str:
    """Return an address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
