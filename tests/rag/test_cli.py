"""Every foreseeable mistake ends as one clear line and exit status 1; wrong usage as 2."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import nullcontext

import pytest
from typer.testing import CliRunner

from rag import cli
from rag.engine import Answer, Engine, Timings
from rag.errors import NoDocumentError
from rag.grounding import Citation
from tests.command import run_here
from tests.conftest import ROOT

RAWI = "import sys; from ui.cli import main; sys.argv[0] = 'rawi'; main()"


@pytest.fixture
def rawi(tmp_path, monkeypatch):
    """Run the command in an empty folder without anything of the developer's."""

    def run(*arguments, stdin="", **environment):
        return run_here(monkeypatch, tmp_path, arguments, stdin, **environment)

    return run


@pytest.fixture
def process(tmp_path):
    """Run the command there in a process of its own."""

    def run(*arguments, stdin=""):
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", RAWI, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=60,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        )

    return run


def failed_with_one_line(result, *words):
    assert result.returncode == 1, result.stderr
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("rawi: ")
    for word in words:
        assert word in lines[0]


@pytest.mark.slow
def test_the_process_says_what_the_command_does_here(process, rawi):
    for arguments in (("search", "-"), ("frobnicate",), ("models", "list", "--json"), ("--help",)):
        apart, here = process(*arguments, stdin=" "), rawi(*arguments, stdin=" ")
        assert (apart.returncode, apart.stderr) == (here.returncode, here.stderr)
        assert apart.stdout == here.stdout


@pytest.mark.parametrize("command", ["ask", "search"])
class TestQuestions:
    def test_empty(self, rawi, command):
        failed_with_one_line(rawi(command, "  "), "empty")

    def test_far_too_long(self, rawi, command):
        failed_with_one_line(rawi(command, "x" * 100_000), "100,000", "question.max_chars")

    def test_far_too_long_from_standard_input(self, rawi, command):
        failed_with_one_line(rawi(command, "-", stdin="هل " * 40_000), "question.max_chars")

    def test_third_language(self, rawi, command):
        failed_with_one_line(rawi(command, "Quelle est la capitale de la France ?"), "English")

    def test_no_weights_and_no_network(self, rawi, command):
        result = rawi(command, "How much?", RAWI_MODELS__OFFLINE="true")
        failed_with_one_line(result, "rawi models pull")


def test_no_weights_and_no_network_on_pull(rawi):
    result = rawi("models", "pull", RAWI_MODELS__OFFLINE="true")
    failed_with_one_line(result, "models.offline")


@pytest.mark.parametrize("backend", ["none", "openai"])
def test_no_llm_is_pulled_where_none_is_loaded(rawi, backend):
    result = rawi("models", "pull", RAWI_MODELS__OFFLINE="true", RAWI_LLM__BACKEND=backend)
    failed_with_one_line(result, "multilingual-e5-small")


def test_weights_that_mean_nothing(rawi):
    result = rawi("index", RAWI_EMBEDDING__MODEL="no such model")
    failed_with_one_line(result, "embedding.model", "no such model", "multilingual-e5-small")


def test_unknown_setting(rawi):
    failed_with_one_line(rawi("index", RAWI_LLM__MODLE="x"), "RAWI_LLM__MODLE", "model")


def test_value_out_of_range(rawi, tmp_path):
    (tmp_path / "config.yaml").write_text("server: {port: 99999}")
    failed_with_one_line(rawi("index"), "server.port", "99999", "65535")


def test_config_file_that_is_not_there(rawi):
    failed_with_one_line(rawi("index", "--config", "none.yaml"), "none.yaml")


@pytest.mark.parametrize("content", ["{", '{"role": "user"}', '[{"role": "user"}]', "[1]"])
def test_history_that_is_not_one(rawi, tmp_path, content):
    (tmp_path / "history.json").write_text(content)
    failed_with_one_line(rawi("ask", "Who?", "--history", "history.json"), "history.json")


def test_history_that_is_not_there(rawi):
    failed_with_one_line(rawi("ask", "Who?", "--history", "none.json"), "none.json")


@pytest.mark.parametrize(
    "arguments", [("frobnicate",), ("ask",), ("search", "Who?", "-k", "0"), ("ask", "--nope", "x")]
)
def test_wrong_usage(rawi, arguments):
    result = rawi(*arguments)
    assert result.returncode == 2
    assert "Usage" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "command",
    [(), ("index",), ("search",), ("ask",), ("doctor",), ("feedback",), ("models", "pull")],
)
def test_help_explains(rawi, command):
    result = rawi(*command, "--help")
    assert result.returncode == 0
    assert "Usage: " in result.stdout
    assert not command or "Example" in result.stdout


@pytest.mark.parametrize("command", ["ask", "search"])
@pytest.mark.parametrize("named", [[], ["a.txt"], ["a.txt", "b b.md"]])
def test_documents_to_ask_alone_are_named_one_by_one(monkeypatch, tmp_path, command, named):
    asked = []

    def asked_of(_, docs):
        asked.append(docs)
        raise NoDocumentError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rag.engine.Engine.asked_of", asked_of)
    monkeypatch.setattr("rag.engine.open_retriever", lambda _: nullcontext(None))
    monkeypatch.setattr("rag.engine.open_engine", lambda s: nullcontext(Engine(s, None, None)))
    options = [part for name in named for part in ("--doc", name)]
    result = CliRunner().invoke(cli.app, [command, "Who?", *options])
    assert isinstance(result.exception, NoDocumentError)
    assert asked == [named or None]


def test_feedback_is_shown_to_read_and_as_json(rawi, tmp_path):
    line = {"message": "m", "rating": "down", "reason": "wrong", "question": "Who?"}
    line |= {"answer": "\x1b[31mHe.", "citations": [], "when": "2026-01-02"}
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "feedback.jsonl").write_text(json.dumps(line) + "\n")
    shown = rawi("feedback").stdout
    assert "down" in shown
    assert "Who?" in shown
    assert "\x1b" not in shown
    assert json.loads(rawi("feedback", "--json").stdout)[0]["reason"] == "wrong"


def test_models_list_is_json(rawi):
    result = rawi("models", "list", "--json")
    names = {row["name"]: row for row in json.loads(result.stdout)}
    assert names["qwen2.5-coder-1.5b"]["licence"] == "Apache-2.0"
    assert names["multilingual-e5-small"]["present"] is False


def test_models_verify_says_what_is_missing(rawi):
    result = rawi("models", "verify")
    assert result.returncode == 1
    assert "rawi models pull" in result.stderr


def test_a_quote_is_printed_as_it_stands(capsys):
    quote = "See [b]note[/b] :warning: 5 m."
    citation = Citation(1, "a.txt", 7, 7 + len(quote), quote, marks=((33, 36),))
    timings = Timings(0.1, 0.2, 0.3, 4, 5)
    cli._print_answer(Answer("?", "en", "5 m :x: [1]", False, (citation,), (), timings))
    assert capsys.readouterr().out == f"5 m :x: [1]\n\n  [1] {quote}\n      a.txt:7-37\n"
