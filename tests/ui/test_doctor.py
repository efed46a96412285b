"""What ``rawi doctor`` finds, and what it says to do about it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag import index
from rag.config import Settings
from tests.command import run_here
from tests.conftest import WordEmbedder, Write
from tests.ui.serving import ANSWER, engine, served
from ui import doctor
from ui.doctor import Check, checks


def found(settings: Settings, name: str) -> Check:
    """Look as far as one part."""
    return next(check for check in checks(settings) if check.name == name)


def with_(settings: Settings, section: str, **values: Any) -> Settings:
    changed = getattr(settings, section).model_copy(update=values)
    return settings.model_copy(update={section: changed})


def test_where_nothing_is_ready_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text("server: {port: 0}")
    done = run_here(monkeypatch, tmp_path, ["doctor", "--json"])
    assert (done.returncode, done.stderr) == (1, "")
    said = {check["name"]: check for check in json.loads(done.stdout)}
    assert [name for name, check in said.items() if not check["ok"]] == [
        "weights", "index", "question",
    ]  # fmt: skip
    assert "rawi models pull" in said["weights"]["says"]
    shown = run_here(monkeypatch, tmp_path, ["doctor"])
    assert shown.returncode == 1
    assert len(shown.stdout.splitlines()) == len(said)
    assert "BAD weights: " in shown.stdout


@pytest.mark.slow
def test_a_port_is_free_anothers_or_rawis(settings: Settings, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        taken = found(with_(settings, "server", port=port), "port")
    assert not taken.ok
    assert "rawi serve --port 0" in taken.says
    assert found(with_(settings, "server", port=port), "port").ok
    with served(engine(tmp_path)) as url:
        own = found(with_(settings, "server", port=httpx.URL(url).port), "port")
    assert own.ok
    assert own.says.endswith("already")


@pytest.mark.slow
def test_a_wrong_base_url_is_told_in_one_line(settings: Settings, tmp_path: Path) -> None:
    with served(engine(tmp_path, ANSWER)) as url:  # speaks OpenAI's protocol, too
        asked = with_(settings, "llm", backend="openai", base_url=url, model="rawi")
        told = found(asked, "llm")
        assert found(with_(asked, "llm", base_url=f"{url}/v1"), "llm").ok
    assert not told.ok
    assert told.says.startswith(f"{url}, rawi: ")
    assert "check llm.base_url, which most often ends in /v1" in told.says
    assert "\n" not in told.says


def test_a_server_that_is_not_there_is_told(settings: Settings) -> None:
    url = "http://127.0.0.1:9/v1"
    told = found(with_(settings, "llm", backend="openai", base_url=url, timeout_s=5.0), "llm")
    assert not told.ok
    assert "check llm.base_url and that it runs" in told.says


def test_an_index_is_compared_with_its_folder(
    settings: Settings, embedder: WordEmbedder, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_embedder", lambda _: Path())
    monkeypatch.setattr(doctor, "weights_fingerprint", lambda *_: embedder.fingerprint)
    changes: list[tuple[Callable[[], object], str]] = [
        (lambda: write("new.txt", "A dog."), "new.txt"),
        (lambda: write("a.txt", "A bird."), "a.txt"),
        ((settings.corpus / "a.txt").unlink, "a.txt"),
    ]
    write("a.txt", "A cat.")
    write("b.txt", "A fish.")
    write("photo.jpg", "no text")
    for change, doc in changes:
        index.update(settings, embedder)
        assert found(settings, "index").ok
        change()
        told = found(settings, "index")
        assert not told.ok
        assert f"the first is {doc}; run: rawi index" in told.says


@pytest.mark.weights
def test_where_all_is_well_a_question_is_answered(indexed_seeds: Settings) -> None:
    ready = with_(with_(indexed_seeds, "llm", backend="none"), "server", port=0)
    assert [check for check in checks(ready) if not check.ok] == []
