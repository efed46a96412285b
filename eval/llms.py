"""An LLM that counts what another one costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.llms import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    CustomLLM,
    LLMMetadata,
)
from pydantic import PrivateAttr

from rag import llm


class Metered(CustomLLM):
    """Passes everything on to an LLM, and counts its tokens.

    :ivar inner: An ``LLM`` that chats.
    :ivar timeout_s: Seconds for one answer.
    """

    inner: Any
    timeout_s: float
    _usage: llm.Usage = PrivateAttr(default=llm.Usage())

    @property
    def metadata(self) -> LLMMetadata:
        """Describe the inner LLM."""
        described: LLMMetadata = self.inner.metadata
        return described

    def take_usage(self) -> llm.Usage:
        """Return the tokens since this was last called."""
        usage, self._usage = self._usage, llm.Usage()
        return usage

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Stream, with errors and time limit as Rawi's own answers have them."""
        text = ""
        stream = llm.stream(self.inner, messages, self.timeout_s)
        try:
            while True:
                piece = next(stream)
                text += piece
                message = ChatMessage(role="assistant", content=text)
                yield ChatResponse(message=message, delta=piece)
        except StopIteration as done:
            self._usage += done.value.usage

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Raise ``NotImplementedError``."""
        raise NotImplementedError

    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Raise ``NotImplementedError``."""
        raise NotImplementedError
