"""A sentence in the other language, for a reader who asks for that: a machine's, and no answer.

It is held against the sentence as every answer is; one that doesn't hold is not shown.
"""

from __future__ import annotations

from llama_index.core.llms import LLM

from rag import grounding, llm, prompts
from rag.config import Settings
from rag.language import detect, other
from rag.retrieval import Found


class Translator:
    """Translates with the LLM that answers."""

    def __init__(self, model: LLM, settings: Settings) -> None:
        """Put the parts together."""
        self._model = model
        self._settings = settings

    def translation(self, sentence: Found) -> str:
        """Return a sentence in the other language; "" when what the LLM says doesn't hold.

        :raises GenerationError: When the LLM fails or takes too long.
        """
        said, holds = self.said(sentence)
        return said if holds else ""

    def said(self, sentence: Found) -> tuple[str, bool]:
        """Return what the LLM says that a sentence is in the other language, and if that holds.

        :raises GenerationError: When the LLM fails or takes too long.
        """
        language = other(sentence.language)
        timeout_s = self._settings.llm.timeout_s
        messages = prompts.translation(sentence.shown, language)
        said = llm.whole(llm.stream(self._model, messages, timeout_s)).text.strip()
        readable = detect(said) == language
        readable = readable and grounding.is_readable(said, "", language, sentence.shown)
        if not readable or not grounding.is_same(said, sentence.shown):
            return said, False
        asked = prompts.checking(messages, said)
        right, _ = llm.log_odds(self._model, asked, prompts.YES, prompts.NO, timeout_s)
        return said, right is None or right >= self._settings.answer.min_translation
