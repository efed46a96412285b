"""A question's whole way: real weights, the real articles, a real Chroma, a real server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from eval.metrics import is_correct
from rag.language import clean

pytestmark = pytest.mark.weights

ROOT = Path(__file__).parents[1]
RAWI = [sys.executable, "-c", "from ui.cli import main; main()"]
SOFTBANK_AR = "كم ساهمت SoftBank في جولة التمويل؟"
SOFTBANK_EN = "How much did SoftBank put into the round?"
THIRTY_BILLION = [["30 مليار", "30 billion"]]


@pytest.fixture(scope="session")
def storage(tmp_path_factory):
    return tmp_path_factory.mktemp("end-to-end") / "storage"


@pytest.fixture(scope="session")
def rawi(storage):
    """Run the command on the seeds, as a user would, and return its JSON."""

    def run(command, *arguments):
        result = subprocess.run(
            [*RAWI, command, *arguments, "--storage", str(storage), "--json"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=300,
            check=True,
        )
        return json.loads(result.stdout)

    return run


@pytest.fixture(scope="session")
def indexed(rawi):
    return rawi("index")


@pytest.fixture(scope="session")
def asked(rawi, indexed):
    """The answers to both questions, asked once."""
    return {"ar": rawi("ask", SOFTBANK_AR), "en": rawi("ask", SOFTBANK_EN)}


def test_an_llm_server_that_is_not_there_is_told_beside_the_quote(storage, indexed):
    environment = {"RAWI_LLM__BACKEND": "openai", "RAWI_LLM__BASE_URL": "http://127.0.0.1:9/v1"}
    result = subprocess.run(
        [*RAWI, "ask", SOFTBANK_EN, "--storage", str(storage)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=True,
        env=os.environ | environment,
    )
    assert "llm.base_url" in result.stderr
    assert "[1]" in result.stdout


def text_of(doc):
    return clean((ROOT / "seeds" / doc).read_text(encoding="utf-8")).strip()


def test_index_holds_the_two_articles(indexed):
    assert (indexed["documents"], indexed["failed"]) == (2, {})
    assert indexed["passages"] > 50


def test_a_second_run_changes_nothing(rawi, indexed):
    again = rawi("index")
    assert (again["unchanged"], again["added"], again["passages"]) == (2, 0, indexed["passages"])


@pytest.mark.parametrize(("language", "question"), [("ar", SOFTBANK_AR), ("en", SOFTBANK_EN)])
def test_search_finds_the_passage(rawi, indexed, language, question):
    found = rawi("search", question, "-k", "3")
    assert (found["question"], found["language"]) == (question, language)
    assert len(found["results"]) == 3
    assert "بمبلغ 30 مليار دولار" in found["results"][0]["text"]
    scores = [result["score"] for result in found["results"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("language", ["ar", "en"])
class TestAsk:
    def test_names_the_sum_in_the_askers_language(self, asked, language):
        answer = asked[language]
        assert answer["language"] == language
        assert is_correct(answer["answer"], THIRTY_BILLION, [])
        assert ("مليار" if language == "ar" else "billion") in answer["answer"]
        assert not answer["abstained"]

    def test_cites_the_sentence_word_for_word(self, asked, language):
        answer = asked[language]
        assert any("30 مليار" in citation["quote"] for citation in answer["citations"])
        for citation in answer["citations"]:
            text = text_of(citation["doc"])
            assert citation["quote"] == text[citation["start"] : citation["end"]]
            assert f"[{citation['marker']}]" in answer["answer"]

    def test_has_the_documented_shape(self, asked, language):
        answer = asked[language]
        assert list(answer) == [
            "question",
            "language",
            "answer",
            "abstained",
            "citations",
            "evidence",
            "timings",
            "how",
            "failure",
            "confidence",
            "short_answer",
        ]
        assert set(answer["evidence"][0]) == {"doc", "start", "end", "text", "score", "language"}
        assert set(answer["timings"]) == {
            "retrieve_s",
            "first_token_s",
            "total_s",
            "prompt_tokens",
            "completion_tokens",
        }
        said = answer["how"] == "written"
        assert bool(answer["short_answer"]) == said
        assert not said or answer["timings"]["completion_tokens"] > 0
        for found in answer["evidence"]:
            assert found["text"] == text_of(found["doc"])[found["start"] : found["end"]]


def test_asking_twice_gives_the_same_answer(rawi, asked):
    assert told(rawi("ask", SOFTBANK_AR)) == told(asked["ar"])


def told(answer):
    """Return an answer without its times; a sum over threads may differ in its last digits."""
    answer = json.loads(json.dumps(answer), parse_float=lambda digits: round(float(digits), 9))
    return {**answer, "timings": None}


@pytest.mark.parametrize(
    ("question", "refusal"),
    [
        ("ما أفضل طريقة لطهي الكسكس بالخضار؟", "لا تذكر الوثائق"),
        ("Who painted the Mona Lisa?", "The documents don't say"),
    ],
)
def test_a_question_without_an_answer_is_refused(rawi, indexed, question, refusal):
    answer = rawi("ask", question)
    assert answer["abstained"]
    assert refusal in answer["answer"]
    assert answer["citations"] == []


def test_a_follow_up_knows_what_went_before(rawi, indexed, tmp_path):
    history = tmp_path / "history.json"
    history.write_text(
        json.dumps([{"role": "user", "content": "كم جمعت OpenAI في جولة التمويل القياسية؟"}])
    )
    answer = rawi("ask", "وكم ساهمت SoftBank منها؟", "--history", str(history))
    assert is_correct(answer["answer"], THIRTY_BILLION, [])


def test_the_page_is_served(storage, indexed):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*RAWI, "serve", "--port", str(port), "--storage", str(storage)]
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "NO_COLOR": "1"})
    try:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 120
        while not _answers(f"{url}/healthz"):
            assert server.poll() is None, "the server ended by itself"
            assert time.monotonic() < until, "the server did not come up"
            time.sleep(0.5)
        page = httpx.get(url)
        assert page.status_code == 200
        assert "rawi-question" in page.text
        foreign = httpx.get(f"{url}/healthz", headers={"Origin": "https://elsewhere.example"})
        assert "access-control-allow-origin" not in foreign.headers
    finally:
        server.terminate()
        assert server.wait(30) in (0, -15)


def _answers(url):
    try:
        return httpx.get(url).json()["status"] == "ok"
    except httpx.TransportError:
        return False
