"""The LLM that writes the answer: ``llamacpp``, ``transformers`` or ``openai``, one interface.

``llamacpp`` starts llama.cpp's own server inside this process, on a loopback port with a secret of
its own, and talks to it as ``openai`` talks to any other: one client, one way to cancel.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import httpx
import openai
import xllamacpp
from llama_index.core.llms import LLM, ChatMessage

from rag import chat_server, extras, models, thoughts
from rag.catalog import QWEN_1_5B
from rag.chat_server import OpenAICompatible
from rag.chat_server import Usage as Usage  # a part of this interface
from rag.config import LLMSettings
from rag.errors import DeadlineError, GenerationError, ModelError

# What the built-in LLM is taught (eval/training/train_llm.py), and the file that it fits.
TAUGHT = QWEN_1_5B.path
ADAPTER = Path(__file__).with_name("qwen2.5-coder-1.5b.adapter.gguf")
# Prompts that llama.cpp keeps read, some 10 MiB each; by default it would keep 8 GiB.
_KEPT_MIB = 256
# A method that only some have: see ``chat_server.OpenAICompatible.first_token``.
_FirstToken = Callable[[Sequence[ChatMessage], float], tuple[dict[str, float], Usage]]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Reply:
    """What the LLM said, without what it thought, and what that cost.

    :ivar tokens: With their natural log-probabilities, before a grammar; none where it isn't told.
    """

    text: str
    usage: Usage
    tokens: tuple[tuple[str, float], ...] = ()


def load_llm(settings: LLMSettings, weights: Path | None) -> LLM | None:
    """Make the LLM ready to answer; its weights stay in memory as long as it is referenced.

    None with ``backend: none``: answers are then quotes alone.

    :param weights: What ``rag.models.resolve`` made of ``llm.model``, where the settings say
        ``has_weights``; else None.
    :raises ModelError: When the weights can't be loaded.
    """
    if settings.backend == "openai":
        # Servers that need no key still want the header filled.
        key = settings.api_key.get_secret_value() or "none"
        return OpenAICompatible(**_client(settings, settings.base_url, key, settings.model))
    if weights is None:
        return None
    if settings.backend == "llamacpp":
        return LlamaCpp.from_gguf(weights, settings)
    extras.require("transformers", "llm.backend: transformers")
    # Imports torch: seconds that the other backends need not pay.
    from rag.llm_transformers import Transformers

    return Transformers.load(settings, weights)


def stream(
    llm: LLM, messages: Sequence[ChatMessage], timeout_s: float, grammar: str = ""
) -> Generator[str, None, Reply]:
    """Yield the reply as it comes, and return it without thoughts; closing the iterator cancels it.

    A piece may be empty: that is where a model that thinks without saying so can be left, too.

    :param timeout_s: Seconds for the whole reply.
    :param grammar: In GBNF, that llama.cpp holds the reply to; other backends don't know it.
    :raises DeadlineError: When it is not whole after ``timeout_s``.
    :raises GenerationError: When the model or its server fails.
    """
    deadline = time.monotonic() + timeout_s
    text, usage, tokens = "", Usage(), list[tuple[str, float]]()
    held: dict[str, Any] = {}
    if grammar and is_held(llm):
        held = {"extra_body": {"grammar": grammar, "logprobs": True, "top_logprobs": 1}}
    with _errors_translated(timeout_s), closing(llm.stream_chat(messages, **held)) as responses:
        for response in responses:
            piece = response.delta or ""  # thoughts come in a field of their own
            text += piece
            tokens += [(t.token, t.logprob) for t in chain.from_iterable(response.logprobs or ())]
            yield piece
            counts = response.additional_kwargs
            if "prompt_tokens" in counts:
                usage = Usage(counts["prompt_tokens"], counts["completion_tokens"])
            if time.monotonic() > deadline:
                raise DeadlineError(too_slow(timeout_s))
    return Reply(thoughts.without(text), usage, tuple(tokens))


def is_held(llm: LLM) -> bool:
    """Tell whether a model's replies are held to a grammar."""
    return isinstance(llm, LlamaCpp)


def whole(stream: Generator[str, None, _T]) -> _T:
    """Return what a stream returns, for who needn't see it grow."""
    try:
        while True:
            next(stream)
    except StopIteration as done:
        result: _T = done.value
        return result


def first_token(
    llm: LLM, messages: Sequence[ChatMessage], timeout_s: float
) -> tuple[dict[str, float], Usage]:
    """Return the likeliest first tokens of a reply, and what that cost; none if it doesn't tell.

    They are in lower case, with their log-probabilities.

    :raises DeadlineError: When that takes longer than ``timeout_s``.
    :raises GenerationError: When the model or its server fails.
    """
    ask: _FirstToken | None = getattr(llm, "first_token", None)
    if ask is None:
        return {}, Usage()
    with _errors_translated(timeout_s):
        return ask(messages, timeout_s)


def log_odds(
    llm: LLM, messages: Sequence[ChatMessage], yes: str, no: str, timeout_s: float
) -> tuple[float | None, Usage]:
    """Return log(P(yes) / P(no)) of the reply's first token, and what it cost.

    None where the model doesn't tell its probabilities; where it tells them, but neither word is
    among the likeliest, they are as low as can be.

    :param yes: A word of one token, in lower case; ``no`` is another.
    :raises DeadlineError: When that takes longer than ``timeout_s``.
    :raises GenerationError: When the model or its server fails.
    """
    likely, usage = first_token(llm, messages, timeout_s)
    if not likely:
        return None, usage
    if not {yes, no} & likely.keys():
        return -math.inf, usage
    # What is not among the likeliest is less likely than any of them.
    least = min(likely.values())
    return likely.get(yes, least) - likely.get(no, least), usage


@contextmanager
def _errors_translated(timeout_s: float) -> Iterator[None]:
    """Make our errors of the client's."""
    try:
        yield
    except (openai.APITimeoutError, httpx.TimeoutException) as exc:
        raise DeadlineError(too_slow(timeout_s)) from exc
    except openai.APIConnectionError as exc:
        raise GenerationError(
            "the LLM server can't be reached: check llm.base_url and that it runs"
        ) from exc
    except httpx.HTTPError as exc:
        raise GenerationError(chat_server.BROKE_OFF) from exc
    except (json.JSONDecodeError, UnicodeDecodeError) as exc:
        raise GenerationError(chat_server.NOT_OPENAI) from exc
    except openai.APIStatusError as exc:
        raise GenerationError(chat_server.refusal(exc)) from exc
    except openai.APIError as exc:
        told = exc.body if isinstance(exc.body, str) else exc.message
        raise GenerationError(f"the LLM failed while it answered: {told[:300]}") from exc


def too_slow(timeout_s: float) -> str:
    """Say that an answer took longer than the settings allow."""
    return f"the LLM was not done after {timeout_s:g} seconds (llm.timeout_s)"


def count_tokens(llm: LLM, text: str) -> int:
    """Count the tokens of a text with the model's own tokenizer.

    A server that doesn't tell is taken to need a token for every two characters: no tokenizer in
    use needs more for Arabic or English prose.

    :raises GenerationError: When the model fails.
    """
    if isinstance(llm, LlamaCpp):
        return llm.count_tokens(text)
    return (len(text) + 1) // 2


def is_rare(llm: LLM, word: str) -> bool:
    """Tell whether a word is none of the model's own, as most names are none; False if it can't.

    :raises GenerationError: When the model fails.
    """
    spelled = (word, word.lower())  # a plain word that begins a sentence is one of them in small
    return isinstance(llm, LlamaCpp) and all(llm.count_tokens(f" {w}") > 1 for w in spelled)


class LlamaCpp(OpenAICompatible):
    """llama.cpp in this process; the server ends when this object does."""

    _server: Any = None

    def count_tokens(self, text: str) -> int:
        """Count with the tokenizer of the loaded weights.

        :raises GenerationError: When llama.cpp doesn't tell.
        """
        url = f"{self._server.listening_address}/tokenize"
        try:
            reply = self._get_client().post(url, body={"content": text}, cast_to=dict[str, Any])
        except openai.APIError as exc:
            raise GenerationError(f"the LLM failed: {exc.message[:300]}") from exc
        return len(reply["tokens"])

    @classmethod
    def from_gguf(cls, path: Path, settings: LLMSettings) -> LlamaCpp:
        """Load a GGUF file, and beside it the adapter that the settings name.

        :raises ModelError: When a file is not GGUF or llama.cpp can't load it.
        """
        models.check_gguf(path, "llm.model")
        adapter = adapter_path(settings, path)
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = settings.context_tokens
        params.n_parallel = 1
        params.cache_ram_mib = _KEPT_MIB
        params.cpuparams.n_threads = settings.threads or os.cpu_count() or 1
        params.cpuparams_batch.n_threads = params.cpuparams.n_threads
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.api_keys = [secrets.token_urlsafe(32)]
        params.ui = False
        if adapter is not None:
            models.check_gguf(adapter, "llm.adapter")
            lora = xllamacpp.CommonAdapterLoraInfo()
            lora.path, lora.scale = str(adapter), 1.0
            params.lora_adapters = [lora]
        params.verbosity = 0
        try:
            server = xllamacpp.Server(params)
        except RuntimeError as exc:
            beside = f" with the adapter {adapter}" if adapter else ""
            raise ModelError(
                f"{path}{beside}: llama.cpp can't load it ({exc}); run: rawi models verify, and"
                " look at llm.adapter"
            ) from exc
        key = params.api_keys[0]
        llm = cls(**_client(settings, f"{server.listening_address}/v1", key, path.name))
        llm._server = server
        return llm


def adapter_path(settings: LLMSettings, weights: Path) -> Path | None:
    """Return the adapter that the settings name for some weights: ours, one given, or none."""
    if settings.adapter == "auto":
        return ADAPTER if weights.name == TAUGHT else None
    return None if settings.adapter == "none" else Path(settings.adapter)


def _client(settings: LLMSettings, url: str, key: str, model: str) -> dict[str, Any]:
    """Return the arguments of an OpenAI-compatible client; greedy and seeded, never retrying."""
    return {
        "model": model,
        "api_base": url,
        "api_key": key,
        "is_chat_model": True,
        "context_window": settings.context_tokens,
        "max_tokens": settings.max_tokens,
        "temperature": 0.0,
        "timeout": settings.timeout_s,
        "max_retries": 0,
        "additional_kwargs": {
            "seed": settings.seed,
            "stream_options": {"include_usage": True},
        },
    }
