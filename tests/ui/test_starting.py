"""How the server starts: it says where it listens once it does."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@contextmanager
def started(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run ``rawi serve`` over an empty folder, without weights."""
    command = [sys.executable, "-c", "from ui.cli import main; main()", "serve", *options]
    command += ["--corpus", str(folder), "--storage", str(folder / "storage")]
    own = {"PYTHONPATH": str(ROOT), "RAWI_MODELS__CACHE": str(folder), "RAWI_MODELS__OFFLINE": "1"}
    with subprocess.Popen(
        command, cwd=folder, env=os.environ | own, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            yield server
        finally:
            server.terminate()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_says_the_port_that_it_got_and_is_there_by_then(tmp_path: Path, host: str) -> None:
    with started(tmp_path, "--port", "0", "--host", host) as server:
        assert server.stderr is not None
        said = next(line for line in server.stderr if "answers on" in line)
        url = re.search(r"http://(?:127\.0\.0\.1|\[::1\]):[1-9]\d+", said)
        assert url is not None, said
        assert httpx.get(f"{url[0]}/healthz").status_code == 200


def test_where_another_listens_it_says_nothing_but_that(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with started(tmp_path, "--port", str(other.getsockname()[1])) as server:
            _, said = server.communicate(timeout=120)
    assert "answers on" not in said
    assert "address already in use" in said
    assert server.returncode == 1
