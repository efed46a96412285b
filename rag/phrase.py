"""A string that a person reads, in both languages."""

from __future__ import annotations

from dataclasses import dataclass

from rag.language import Language


@dataclass(frozen=True)
class Phrase:
    """One string in both languages; ``{name}`` stands for what ``format`` fills in."""

    ar: str
    en: str

    def __getitem__(self, language: Language) -> str:
        """Return the string in one language."""
        return self.ar if language == "ar" else self.en

    @property
    def both(self) -> tuple[str, str]:
        """It in Arabic, and in English."""
        return self.ar, self.en

    def format(self, **values: object) -> Phrase:
        """Fill in the same values in both languages."""
        return Phrase(self.ar.format(**values), self.en.format(**values))
