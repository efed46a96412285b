"""Doubles: an LLM with replies that a test writes down."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from llama_index.core.llms import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    CompletionResponseGen,
    CustomLLM,
    LLMMetadata,
)

from rag import prompts
from rag.llm import Usage


class ScriptedLLM(CustomLLM):
    """Answers with the next reply of a queue, word by word; an exception in the queue is raised.

    ``prompts`` keeps what it was asked; ``abandoned`` counts the streams closed before their end.
    """

    replies: deque[Any]
    prompts: list[Sequence[ChatMessage]] = []  # noqa: RUF012 - pydantic copies the default
    abandoned: int = 0

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="scripted", is_chat_model=True)

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Iterator[ChatResponse]:
        self.prompts.append(messages)
        reply = self.replies.popleft()
        if isinstance(reply, Exception):
            raise reply
        return self._words(reply)

    def _words(self, reply: str) -> Iterator[ChatResponse]:
        text = ""
        try:
            for word in reply.split(" "):
                delta = word if not text else f" {word}"
                text += delta
                yield ChatResponse(
                    message=ChatMessage(role="assistant", content=text),
                    delta=delta,
                    additional_kwargs={
                        "prompt_tokens": 7,
                        "completion_tokens": text.count(" ") + 1,
                    },
                )
        except GeneratorExit:
            self.abandoned += 1
            raise

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        raise NotImplementedError

    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        raise NotImplementedError


class JudgingLLM(ScriptedLLM):
    """Finds its answers right with a probability, and that no sentence answers with another.

    ``judged`` keeps what it was asked about its answers; else one sentence is likeliest.
    """

    yes: float = 0.99
    none: float = 0.1
    likeliest: str = "1"
    judged: list[Sequence[ChatMessage]] = []  # noqa: RUF012 - pydantic copies the default

    def first_token(
        self, messages: Sequence[ChatMessage], timeout_s: float
    ) -> tuple[dict[str, float], Usage]:
        """Return two log-probabilities."""
        if messages[-1].content == prompts.CHECK:
            self.judged.append(messages)
            return {"yes": math.log(self.yes), "no": math.log(1 - self.yes)}, Usage(5, 1)
        return {self.likeliest: math.log(1 - self.none), "0": math.log(self.none)}, Usage(5, 1)
