"""The written passages of ``answers/``: what its README describes, as it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.language import Language

LANGUAGES: tuple[Language, ...] = ("ar", "en")
HELD_OUT = 9  # every ninth passage, by its number


@dataclass(frozen=True)
class Passage:
    """A written passage: ``said[language][n]`` is its nth sentence."""

    id: str
    language: Language
    title: str
    said: dict[Language, list[str]]
    questions: list[dict[str, Any]]


def read_passages(folder: Path) -> tuple[list[Passage], list[Passage]]:
    """Read the passages to train on, and those that are held out."""
    passages = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            own: Language = row["language"]
            said = {own: row["sentences"], other(own): row["translations"]}
            passages.append(Passage(row["id"], own, row["title"], said, row["questions"]))
    held = [p for p in passages if _number(p) % HELD_OUT == 0]
    return [p for p in passages if _number(p) % HELD_OUT], held


def other(language: Language) -> Language:
    """Return the other of the two languages."""
    return "en" if language == "ar" else "ar"


def _number(passage: Passage) -> int:
    return int(passage.id.rsplit("-", 1)[1])
