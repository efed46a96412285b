"""The three backends on real weights, against real servers; the tiny model keeps it quick."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections import deque
from pathlib import Path

import httpx
import pytest
from llama_index.core.llms import ChatMessage

from rag import config, llm, models, prompts
from rag.config import LLMSettings
from rag.errors import DeadlineError, GenerationError, ModelError
from rag.llm import Usage
from tests.doubles import ScriptedLLM

ENDLESS = [ChatMessage(role="user", content="Write a very long story about a ship and its crew.")]
CAPITAL = [ChatMessage(role="user", content="What is the capital of France? Answer in one word.")]


@pytest.fixture(scope="session")
def tiny_gguf() -> Path:
    name = "qwen2.5-coder-0.5b"
    return models.pull([name], settings=config.load().models, progress=lambda *_: None)[0]


@pytest.fixture(scope="module")
def llamacpp(tiny_gguf):
    return llm.load_llm(LLMSettings(max_tokens=1000), tiny_gguf)


@pytest.fixture(scope="module")
def openai(llamacpp):
    """A second client, on the OpenAI-compatible server that another model instance opened."""
    settings = LLMSettings(
        backend="openai",
        model="tiny",
        base_url=llamacpp.api_base,
        api_key=llamacpp.api_key,
        max_tokens=1000,
    )
    return llm.load_llm(settings, None)


@pytest.fixture(scope="module")
def transformers(tiny_gguf):
    return llm.load_llm(LLMSettings(backend="transformers", max_tokens=400), tiny_gguf)


def answer(model, messages, timeout_s=120.0):
    reply = llm.whole(llm.stream(model, messages, timeout_s))
    return reply.text, reply.usage


def is_busy(model):
    """Say whether the model is decoding: llama.cpp tells, of transformers the thread does."""
    if not hasattr(model, "api_base"):
        from rag.llm_transformers import DECODING

        return any(thread.name == DECODING for thread in threading.enumerate())
    response = httpx.get(
        model.api_base.removesuffix("/v1") + "/slots",
        headers={"Authorization": f"Bearer {model.api_key}"},
    )
    return any(slot["is_processing"] for slot in response.raise_for_status().json())


@pytest.mark.weights
@pytest.mark.parametrize("backend", ["llamacpp", "openai", "transformers"])
class TestEveryBackend:
    def test_answers_and_says_what_it_cost(self, backend, request):
        text, usage = answer(request.getfixturevalue(backend), CAPITAL)
        assert "Paris" in text
        assert usage.prompt_tokens > 15
        assert 1 <= usage.completion_tokens <= 10

    def test_is_greedy(self, backend, request):
        model = request.getfixturevalue(backend)
        assert answer(model, CAPITAL)[0] == answer(model, CAPITAL)[0]

    def test_streams_and_stops_when_closed(self, backend, request):
        model = request.getfixturevalue(backend)
        stream = llm.stream(model, ENDLESS, 120.0)
        assert all(isinstance(next(stream), str) for _ in range(3))
        assert is_busy(model)
        stream.close()
        until = time.monotonic() + 5
        while is_busy(model) and time.monotonic() < until:
            time.sleep(0.05)
        assert not is_busy(model)

    def test_deadline(self, backend, request):
        with pytest.raises(DeadlineError, match="timeout_s"):
            answer(request.getfixturevalue(backend), ENDLESS, timeout_s=0.001)


@pytest.mark.weights
def test_a_word_is_weighed_against_another(llamacpp, openai):
    (odds, usage), again = (
        llm.log_odds(model, CAPITAL, "paris", "london", 60) for model in (llamacpp, openai)
    )
    assert odds is not None
    assert odds > 1
    assert usage.completion_tokens == 1
    assert usage.prompt_tokens > 10
    assert again[0] == pytest.approx(odds, abs=0.5)
    assert llm.log_odds(llamacpp, CAPITAL, "london", "paris", 60)[0] == pytest.approx(
        -odds, abs=0.5
    )
    assert llm.log_odds(llamacpp, CAPITAL, "xylophone", "zebra", 60)[0] == -math.inf


@pytest.mark.weights
def test_the_first_tokens_are_told(llamacpp):
    likely, _ = llm.first_token(llamacpp, CAPITAL, 60)
    assert max(likely, key=likely.__getitem__) in answer(llamacpp, CAPITAL)[0].lower()
    assert max(likely.values()) > -1
    assert len(likely) > 5


@pytest.mark.weights
def test_llamacpp_holds_a_reply_to_a_grammar(llamacpp):
    reply = llm.whole(
        llm.stream(llamacpp, CAPITAL, 60, prompts.grammar(3, ["Paris"], "", "en", quotes=False))
    )
    assert reply.text.startswith("3")
    assert ": " in reply.text


def test_the_adapter_goes_with_the_weights_that_it_was_made_for():
    taught, other = Path("models") / llm.TAUGHT, Path("other.gguf")
    assert llm.adapter_path(LLMSettings(), taught) == llm.ADAPTER
    assert llm.adapter_path(LLMSettings(), other) is None
    assert llm.adapter_path(LLMSettings(adapter="none"), taught) is None
    assert llm.adapter_path(LLMSettings(adapter="a.gguf"), other) == Path("a.gguf")


@pytest.mark.weights
def test_a_file_that_is_no_adapter_is_refused(tiny_gguf, tmp_path):
    for path in (tmp_path / "none.gguf", tiny_gguf):
        with pytest.raises(ModelError, match=path.name):
            llm.load_llm(LLMSettings(adapter=str(path)), tiny_gguf)


SENTENCES = [
    "The small boat carries 6 people.",
    "ويحمل المركب الكبير 14 راكبًا، ولا يُسمح فيه بالكلاب.",
    "Both are painted green.",
]


@pytest.mark.weights
@pytest.mark.parametrize(
    ("question", "language", "number", "holds", "false"),
    [
        ("How many people does the big boat carry?", "en", 2, ("14", "fourteen"), "2: 6 people"),
        ("كم شخصًا يحمل المركب الصغير؟", "ar", 1, ("6", "ستة"), "1: 14 شخصًا"),
    ],
)
def test_the_built_in_llm_does_as_it_is_taught(question, language, number, holds, false):
    settings = config.load()
    weights = models.resolve(settings.llm.model, kind="llm", settings=settings.models)
    model = llm.load_llm(settings.llm, weights)
    messages = prompts.short(question, SENTENCES, language)
    reply = llm.whole(llm.stream(model, messages, 60)).text
    parsed = prompts.parsed(reply, len(SENTENCES))
    assert parsed.used == (number,)
    assert any(number in parsed.answer for number in holds)

    def right(reply: str) -> float:
        asked = prompts.checking(messages, reply)
        return llm.log_odds(model, asked, prompts.YES, prompts.NO, 60)[0]

    assert right(reply) > right(false)


def test_a_model_that_does_not_tell_is_weighed_as_nothing():
    assert llm.log_odds(ScriptedLLM(replies=deque()), CAPITAL, "yes", "no", 1) == (None, Usage())


@pytest.mark.weights
def test_the_in_process_server_listens_on_loopback_and_wants_its_key(llamacpp):
    settings = LLMSettings(backend="openai", model="tiny", base_url=llamacpp.api_base)
    assert llamacpp.api_base.startswith("http://127.0.0.1:")
    with pytest.raises(GenerationError, match="401"):
        answer(llm.load_llm(settings, None), CAPITAL)


@pytest.mark.weights
def test_truncated_weights(tiny_gguf, tmp_path):
    broken = tmp_path / "broken.gguf"
    with tiny_gguf.open("rb") as source:
        broken.write_bytes(source.read(1_000_000))
    with pytest.raises(ModelError, match=r"broken\.gguf.*rawi models verify"):
        llm.load_llm(LLMSettings(), broken)
    with pytest.raises(ModelError, match=r"broken\.gguf"):
        llm.load_llm(LLMSettings(backend="transformers"), broken)


def test_a_file_that_is_not_gguf(tmp_path):
    other = tmp_path / "model.gguf"
    other.write_bytes(b"PK\x03\x04 a zip file")
    with pytest.raises(ModelError, match="is not a GGUF file"):
        llm.load_llm(LLMSettings(), other)


def test_a_server_that_is_not_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    model = llm.load_llm(LLMSettings(backend="openai", model="m", base_url=url), None)
    with pytest.raises(GenerationError, match=r"llm\.base_url"):
        answer(model, CAPITAL)


def test_usage_is_nothing_where_the_server_does_not_say():
    assert Usage() == Usage(prompt_tokens=0, completion_tokens=0)
