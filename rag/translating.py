"""A sentence in the other language, for a reader who asks for that: a machine's, and no answer.

It is held against the sentence as every answer is; one that doesn't hold is not shown.
"""

from __future__ import annotations

from llama_index.core.llms import LLM

from rag import glossary, grounding, llm, prompts
from rag.config import Settings
from rag.grounding import Checks
from rag.language import Language
from rag.llm import Usage
from rag.retrieval import Found


class Translator:
    """Translates with the LLM that answers."""

    def __init__(self, model: LLM, settings: Settings, checker: Checks) -> None:
        """Put the parts together."""
        self._model = model
        self._settings = settings
        self._checker = checker

    def translation(self, sentence: Found, known: str) -> str:
        """Return a sentence in the other language; "" when what the LLM says doesn't hold.

        :param known: Text that may spell the sentence's names in Latin script: its document.
        :raises GenerationError: When the LLM fails or takes too long.
        """
        language: Language = "en" if sentence.language == "ar" else "ar"
        source = sentence.text
        if language == "en":
            source = glossary.in_latin(source, glossary.names([known]))
        messages = prompts.translation(source, language)
        pieces = llm.stream(self._model, messages, self._settings.llm.timeout_s)
        said = "".join(piece for piece in pieces if not isinstance(piece, Usage)).strip()
        least = self._settings.answer.min_support
        whole = grounding.check(said, "", language, [sentence], self._checker, least)
        return said if whole.support >= least else ""
