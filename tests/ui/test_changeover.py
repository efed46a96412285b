"""A server, and the folder and the index that change beneath it: real processes, real weights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.ui.conftest import wait_for
from tests.ui.serving import listening, until

pytestmark = pytest.mark.weights

RAWI = [sys.executable, "-c", "from ui.cli import main; main()"]


def make_index(folder: Path, config: Path) -> None:
    """Run ``rawi index`` in a process of its own."""
    where = ["--corpus", str(folder / "corpus"), "--storage", str(folder / "storage")]
    subprocess.run([*RAWI, "index", *where, "--config", str(config)], cwd=ROOT, check=True)


def found(url: str, question: str) -> list[str]:
    reply = httpx.post(f"{url}/search", json={"question": question, "k": 1}, timeout=60)
    assert reply.status_code == 200, reply.text
    return [passage["doc"] for passage in reply.json()["results"]]


def test_the_server_changes_over_without_an_error(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for n in range(20):
        (corpus / f"{n}.txt").write_text(f"Report {n} is about the roads of district {n}.")
    usual, other = tmp_path / "usual.yaml", tmp_path / "other.yaml"
    rest = "llm: {backend: none}\ndocuments: {watch_s: 0}\n"  # the server itself indexes nothing
    usual.write_text(f"passages: {{max_chars: 400}}\n{rest}")
    other.write_text(f"passages: {{max_chars: 300}}\n{rest}")
    make_index(tmp_path, usual)
    with listening() as port:
        serve = ["serve", "--port", str(port), "--config", str(usual)]
    serve += ["--corpus", str(corpus), "--storage", str(tmp_path / "storage")]
    url = f"http://127.0.0.1:{port}"
    statuses: Counter[int] = Counter()
    done = threading.Event()

    def ask_on() -> None:
        with httpx.Client(timeout=60) as client:
            while not done.is_set():
                asked = {"question": "What is report 7 about?"}
                statuses[client.post(f"{url}/search", json=asked).status_code] += 1
                done.wait(0.3)  # within limits.address_per_minute

    server = subprocess.Popen([*RAWI, *serve], cwd=ROOT)
    try:
        wait_for(url, server)
        ready = f"{url}/healthz?ready=true"
        assert until(lambda: httpx.get(ready).status_code == 200, 120)
        asking = threading.Thread(target=ask_on)
        asking.start()
        # In place, then by other settings, both by another process.
        for config, doc, text, question in (
            (usual, "zebra.txt", "The zebra is striped.", "Which animal has stripes?"),
            (other, "whale.txt", "The whale is the largest animal.", "Who is the biggest beast?"),
        ):
            (corpus / doc).write_text(text)
            make_index(tmp_path, config)
            assert until(lambda q=question, d=doc: found(url, q) == [d], 20), doc
        done.set()
        asking.join()
        assert set(statuses) == {200}
        assert statuses[200] > 10
    finally:
        done.set()
        server.terminate()
        server.wait(30)


def test_a_server_answers_from_what_the_folder_has_become(tmp_path: Path) -> None:
    corpus, config = tmp_path / "corpus", tmp_path / "config.yaml"
    corpus.mkdir()
    (corpus / "cow.txt").write_text("The cow gives milk.")
    config.write_text("llm: {backend: none}\ndocuments: {watch_s: 0.3}\n")
    with listening() as port:
        serve = ["serve", "--port", str(port), "--config", str(config)]
    serve += ["--corpus", str(corpus), "--storage", str(tmp_path / "storage")]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([*RAWI, *serve], cwd=ROOT)  # nothing is indexed yet
    try:
        wait_for(url, server)
        ready = f"{url}/healthz?ready=true"
        assert until(lambda: httpx.get(ready).status_code == 200, 120)
        assert found(url, "Which animal gives milk?") == ["cow.txt"]
        (corpus / "bee.txt").write_text("The bee makes honey.")
        assert until(lambda: found(url, "Who makes honey?") == ["bee.txt"], 30)
        (corpus / "bee.txt").unlink()
        assert until(lambda: found(url, "Who makes honey?") == ["cow.txt"], 30)
        (corpus / "cow.txt").unlink()  # an empty folder may be a mount that is gone
        assert not until(lambda: found(url, "Who makes honey?") != ["cow.txt"], 3)
    finally:
        server.terminate()
        server.wait(30)


def test_rawi_index_goes_on_with_a_folder_until_it_is_interrupted(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "cow.txt").write_text("The cow gives milk.")
    command = ["index", "--watch", "--empty", "--json"]
    command += ["--corpus", str(corpus), "--storage", str(tmp_path / "storage")]
    often = {**os.environ, "RAWI_DOCUMENTS__WATCH_S": "0.3"}
    pipe = subprocess.PIPE
    # What a shell runs in the background ignores interrupts, and so does all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [*RAWI, *command], cwd=ROOT, env=often, stdout=pipe, stderr=pipe
    ) as indexing:
        assert indexing.stdout is not None
        assert indexing.stderr is not None
        try:
            assert json.loads(indexing.stdout.readline())["documents"] == 1
            (corpus / "bee.txt").write_text("The bee makes honey.")
            assert json.loads(indexing.stdout.readline())["documents"] == 2
            for path in corpus.iterdir():
                path.unlink()
            # --empty was meant for the folder as it was then, not for a mount that goes later.
            assert "holds no documents" in indexing.stderr.readline().decode()
            indexing.send_signal(signal.SIGINT)
            assert indexing.wait(30) == 130
            assert "nothing is lost" in indexing.stderr.read().decode()
        finally:
            indexing.kill()
