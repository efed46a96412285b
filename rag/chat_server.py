"""A server that speaks OpenAI's protocol, or nearly: each takes and tells a little less.

What a server refuses, it is asked without from then on. Nothing that it sends is relied upon: what
isn't there or isn't of its kind is taken for nothing, and its own words about an error are told.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx
import openai
from llama_index.core.base.llms.types import LogProb
from llama_index.core.llms import ChatMessage, ChatResponse, ChatResponseGen, MessageRole
from llama_index.llms.openai.utils import to_openai_message_dicts
from llama_index.llms.openai_like import OpenAILike
from openai import BaseModel, Stream
from pydantic import PrivateAttr

from rag import thoughts
from rag.errors import GenerationError

logger = logging.getLogger(__name__)

Request = dict[str, Any]

# Tokens whose probabilities a server is asked for; OpenAI's protocol allows no more, some less.
_TOLD: Final = 20
_TOLD_LESS: Final = 5
# Of a server that doesn't take a part of the request, and perhaps doesn't say which.
_REFUSALS: Final = frozenset({400, 422, 500, 501})
# Of one that says which; of these, most are about something else. 200: an error stands in it.
_NAMED_REFUSALS: Final = frozenset({200, 403, 404, 405, *_REFUSALS})
# Of a server, or of one before it, whose worker is gone: over log-probabilities, as some are.
_FAILURES: Final = frozenset({502, 503, 504})
# Of a place where no LLM answers.
_NOWHERE: Final = frozenset({404, 405})
_WORDS: Final = 300  # characters of a server's own that are told

NOT_OPENAI: Final = (
    "the LLM server answered with something else than OpenAI's protocol: check llm.base_url, which"
    " most often ends in /v1"
)
BROKE_OFF: Final = "the LLM server broke off while it answered"


@dataclass(frozen=True)
class Usage:
    """What one answer cost, in tokens of the model's own tokenizer; 0 where it doesn't say."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Return what both cost together."""
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


class _SaidError(GenerationError):
    """An error that stands where an answer should, in the server's own words.

    :ivar body: What it says: words, or an object with more.
    """

    def __init__(self, body: object) -> None:
        """Keep what a server says."""
        words = _mapping(body).get("message") or body
        super().__init__(f"the LLM server failed: {str(words)[:_WORDS]}")
        self.body = body


class OpenAICompatible(OpenAILike):
    """A client of vLLM, Ollama, llama-server, OpenAI and many more.

    llama-index's own stream stays open after its reader has closed it, because its callbacks keep
    the traceback; the server then goes on decoding for nobody. This one hangs up at once.
    """

    # What the server doesn't take, and what was refused once by who may only have stumbled.
    _given_up: list[str] = PrivateAttr(default_factory=list)
    _doubted: list[str] = PrivateAttr(default_factory=list)

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Yield the answer piece by piece; closing the generator closes the connection.

        :raises GenerationError: When the server says or sends what is no answer.
        """
        text, finish, thought = "", None, False
        request = {
            "messages": to_openai_message_dicts(messages, model=self.model),
            **self._get_model_kwargs(stream=True, **kwargs),
        }
        for chunk in self._asked(request):
            choice = _choice(chunk)
            said = choice.get("delta") or choice.get("message")
            delta, finish = _text(said), choice.get("finish_reason") or finish
            thought = thought or _thinks(said)
            text += delta
            usage = _usage(chunk)
            yield ChatResponse(
                message=ChatMessage(role=MessageRole.ASSISTANT, content=text),
                delta=delta,
                additional_kwargs=vars(usage) if usage != Usage() else {},
                logprobs=[_logprobs(choice.get("logprobs"))],
            )
        thought = thought or thoughts.are_in(text)
        if thought:
            self._give_up(["logprobs"])  # they are those of its thoughts
        if finish is None:
            raise GenerationError(BROKE_OFF)
        if (finish == "length" or thought) and not thoughts.without(text).strip():
            raise GenerationError(
                f"the LLM wrote nothing of its answer in {self.max_tokens} tokens; one that thinks"
                " first needs more (llm.max_tokens)"
            )

    def first_token(
        self, messages: Sequence[ChatMessage], timeout_s: float
    ) -> tuple[dict[str, float], Usage]:
        """Return the likeliest tokens in lower case with their log-probabilities; or none."""
        if "logprobs" in self._given_up:
            return {}, Usage()
        request = {
            "model": self.model,
            "messages": to_openai_message_dicts(messages, model=self.model),
            "max_tokens": 1,
            "temperature": 0.0,
            "logprobs": True,
            "top_logprobs": _TOLD,
            "timeout": timeout_s,
        }
        [reply] = self._asked(request)
        choice, usage = _choice(reply), _usage(reply)
        likely = _likely(choice.get("logprobs"))
        if not likely and not self._doubted:  # it was asked for them
            self._give_up(["logprobs"])
        # A thought, or the mark of one, tells nothing of what will be answered.
        if _thinks(choice.get("message")) or not re.match(r"\s*\w", _text(choice.get("message"))):
            return {}, usage
        return likely, usage

    def _asked(self, request: Request) -> Generator[Mapping[str, Any], None, None]:
        """Yield a reply as it comes; what the server refuses, it is asked without.

        :raises openai.APIError: When it doesn't answer for another reason; the first that it gave.
        :raises GenerationError: When it says or sends what is no answer.
        """
        for name in self._given_up:
            request = _WITHOUT[name](request)
        given_up: list[str] = []
        first: openai.APIError | _SaidError | None = None
        is_sure = True
        while True:
            pieces = self._sent(request)
            try:
                piece = next(pieces)
                break
            except (openai.APIError, _SaidError) as exc:
                first = first or exc
                names, is_named = _refused(exc, request)
                if not names:
                    raise first from None
                is_sure = is_sure and (is_named or _status(exc) not in {500, *_FAILURES})
                given_up += names
                for name in names:
                    request = _WITHOUT[name](request)
        # A server that fails and doesn't say over what may have stumbled: not twice over the same.
        if is_sure or given_up == self._doubted:
            self._give_up(given_up)
        if given_up or any(_WITHOUT[name](request) != request for name in self._doubted):
            self._doubted = given_up
        with closing(pieces):
            yield piece
            yield from pieces

    def _sent(self, request: Request) -> Generator[Mapping[str, Any], None, None]:
        """Send a request, and yield the reply as it comes: at least a piece.

        :raises openai.APIError: When the server doesn't answer.
        :raises GenerationError: When it says or sends what is no answer.
        """
        created = self._get_client().chat.completions.create(**request)
        if not isinstance(created, Stream):
            yield _whole(_plain(created))
            return
        with created as stream:
            if "json" in stream.response.headers.get("content-type", ""):
                # An error, or all of the answer at once.
                stream.response.read()
                yield _whole(stream.response.json())
                return
            began = False
            for chunk in stream:
                began = True
                yield _checked(_plain(chunk))
            if not began:
                raise GenerationError(NOT_OPENAI)

    def _give_up(self, names: Sequence[str]) -> None:
        """Ask without some parts of a request from now on, and say so once."""
        fresh = [name for name in names if name not in self._given_up]
        if fresh:
            self._given_up += fresh
            logger.warning("the LLM server is asked without %s from now on", ", ".join(fresh))


def _dropped(*keys: str) -> Callable[[Request], Request]:
    return lambda request: {key: value for key, value in request.items() if key not in keys}


def _told_less(request: Request) -> Request:
    less = {"top_logprobs": _TOLD_LESS} if request.get("top_logprobs", 0) > _TOLD_LESS else {}
    return request | less


def _other_limit(request: Request) -> Request:
    """Rename the limit as newer models want it."""
    renamed = {"max_tokens": "max_completion_tokens"}
    return {renamed.get(key, key): value for key, value in request.items()}


def _without_system(request: Request) -> Request:
    """Put what the system says at the beginning of what the user says."""
    system, *others = request["messages"]
    if system["role"] != "system":
        return request
    user = {**others[0], "content": f"{system['content']}\n\n{others[0]['content']}"}
    return {**request, "messages": [user, *others[1:]]}


# What a server may refuse, by the words that it does so with, and how to ask without it.
_WITHOUT: Final[dict[str, Callable[[Request], Request]]] = {
    "top_logprobs": _told_less,
    "logprobs": _dropped("logprobs", "top_logprobs"),
    "seed": _dropped("seed"),
    "stream_options": _dropped("stream_options"),
    "temperature": _dropped("temperature"),
    "system": _without_system,
    "max_tokens": _other_limit,
    "max_completion_tokens": _dropped("max_completion_tokens"),
    "stream": _dropped("stream", "stream_options"),
}


def _refused(exc: openai.APIError | _SaidError, request: Request) -> tuple[list[str], bool]:
    """Return what of a request a server refuses, or may refuse, and whether it says so."""
    status = _status(exc)
    there = [name for name, without in _WITHOUT.items() if without(request) != request]
    told_odds = [name for name in there if name == "logprobs"]
    if status in _FAILURES:
        return told_odds, False
    if status not in _NAMED_REFUSALS:
        return [], False
    words = exc.message if isinstance(exc, openai.APIStatusError) else str(exc.body)
    named = [n for n in there if re.search(rf"(?<![a-z])(?:top_)?{n}(?![a-z_])", words)]
    if named:
        return named[:1], True
    if status not in _REFUSALS:
        return [], False
    unsaid = [name for name in there if name != "stream"]  # which hardly any lacks
    return told_odds or unsaid, False


def _status(exc: openai.APIError | _SaidError) -> int | None:
    """Return the status of an error, or what is one in all but the name; None without an answer."""
    if isinstance(exc, openai.APIStatusError):
        return exc.status_code
    if isinstance(exc, openai.APIConnectionError):
        is_unasked = isinstance(exc.__cause__, (httpx.ConnectError, httpx.TimeoutException))
        return None if is_unasked else HTTPStatus.BAD_GATEWAY
    code = _mapping(exc.body).get("code")
    return code if isinstance(code, int) else HTTPStatus.OK


def refusal(exc: openai.APIStatusError) -> str:
    """Say that a server refused, in its own words, or that they are a whole web page."""
    is_page = "html" in exc.response.headers.get("content-type", "")
    body = exc.body if isinstance(exc.body, str) else _mapping(exc.body).get("message")
    told = "a web page" if is_page else str(body or exc.message)[:_WORDS]
    hint = ""
    if exc.status_code in _NOWHERE or (is_page and exc.response.is_client_error):
        hint = "; check llm.base_url, which most often ends in /v1, and llm.model"
    return f"the LLM server refused ({exc.status_code}): {' '.join(told.split())}{hint}"


def _checked(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a reply or a part of one.

    :raises GenerationError: When it is an error, in the server's own words.
    """
    error = reply.get("error")
    if error and not _choice(reply):
        raise _SaidError(error)
    return reply


def _whole(reply: object) -> Mapping[str, Any]:
    """Return a reply that is all there.

    :raises GenerationError: When it answers nothing, in the server's own words.
    """
    told = _checked(_mapping(reply))
    if not _choice(told):
        words = next((told[key] for key in ("message", "detail") if told.get(key)), "")
        raise _SaidError({**told, "message": words}) if words else GenerationError(NOT_OPENAI)
    return told


def _plain(reply: Any) -> Mapping[str, Any]:
    """Return what the client made of a reply as the server sent it.

    :raises GenerationError: When that is no object.
    """
    if not isinstance(reply, BaseModel):
        raise GenerationError(NOT_OPENAI)
    return reply.to_dict(warnings=False)


def _choice(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = reply.get("choices")
    return _mapping(choices[0]) if isinstance(choices, list) and choices else {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(message: object) -> str:
    """Return what a message or a piece of one says; of its parts, those that are text."""
    content = _mapping(message).get("content")
    if isinstance(content, list):
        parts = [_mapping(part) for part in content]
        content = "".join(str(part.get("text")) for part in parts if part.get("type") == "text")
    return content if isinstance(content, str) else ""


def _thinks(message: object) -> bool:
    """Tell whether a message has thoughts in a field of their own."""
    return any(_mapping(message).get(key) for key in ("reasoning_content", "reasoning"))


def _usage(reply: Mapping[str, Any]) -> Usage:
    told = _mapping(reply.get("usage"))
    counts = [told.get(key) for key in ("prompt_tokens", "completion_tokens")]
    return Usage(*(count if isinstance(count, int) else 0 for count in counts))


def _logprobs(told: object) -> list[LogProb]:
    """Return the tokens of a streamed piece with their log-probabilities; none where untold."""
    tokens = _mapping(told).get("content")
    return [
        LogProb(token=token["token"], logprob=token["logprob"])
        for token in map(_mapping, tokens if isinstance(tokens, list) else ())
        if _is_told(token)
    ]


def _is_told(token: Mapping[str, Any]) -> bool:
    """Tell whether a token stands there with its log-probability."""
    return isinstance(token.get("token"), str) and isinstance(token.get("logprob"), (int, float))


def _likely(told: object) -> dict[str, float]:
    """Return the likeliest first tokens of what a server tells; none if it tells none."""
    tokens = _mapping(told).get("content")
    first = _mapping(tokens[0]) if isinstance(tokens, list) and tokens else {}
    # "Yes" and " yes" are one word; the likelier, which comes first, counts.
    likely = [_mapping(token) for token in reversed(first.get("top_logprobs") or ())]
    return {token["token"].strip().lower(): token["logprob"] for token in likely if _is_told(token)}
