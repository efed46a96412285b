"""Follow-ups: what a question refers to is put before it.

Nothing is rewritten by a model: that costs seconds here, and the small ones garble names. A
question that leans on what was said before is read by the LLM after the last question and its
answer, and by the reader, which would find the sentence of that answer again, after the last
question alone. Whether it leans on them, ``followups`` decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag import parts, sayings
from rag.language import clean

_MOST_WORDS = 40  # of an answer or a question, that the next question is read with
_MOST_CONTEXT = 200  # words of each message, that it is searched with


@dataclass(frozen=True)
class Turn:
    """One earlier message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True)
class Asked:
    """A question with what it refers to.

    :ivar question: As it was asked, cleaned.
    :ivar standalone: With the last question and answer before it; the same if it stands alone.
    :ivar last: The last question; empty if it stands alone.
    :ivar context: The last exchange; empty if it stands alone.
    :ivar parts: The questions that it asks; itself, if it asks one.
    """

    question: str
    standalone: str
    last: str
    context: str
    parts: tuple[str, ...]

    def read(self, part: str) -> str:
        """Return a part of the question, or all of it, as the reader reads it."""
        return f"{self.last} {part}".strip()

    def alone(self) -> Asked:
        """Return the question as one that refers to nothing."""
        return replace(self, standalone=self.question, last="", context="")


def resolve(question: str, history: Sequence[Turn], max_turns: int) -> Asked:
    """Return the question with what it may refer to in the last ``max_turns`` messages.

    Greetings and thanks, and their answers, are passed over.
    """
    recent = _without_courtesies(history[-max_turns:] if max_turns else [])
    context = "\n".join(_end(turn, _MOST_CONTEXT) for turn in recent[-2:])
    earlier = [_end(turn, _MOST_WORDS) for turn in recent if turn.role == "user"]
    asked = Asked(question, question, "", context, tuple(parts.split(question)))
    if not earlier:
        return asked.alone()
    standalone = f"{_before(earlier[-1], recent[-1])} {question}"
    return replace(asked, standalone=standalone, last=earlier[-1])


def _end(turn: Turn, most: int) -> str:
    """Return a message, of a long one the end: who pastes a text asks about it after it."""
    text = clean(turn.content).strip()
    words = text.split()
    return text if len(words) <= most else " ".join(words[-most:])


def _without_courtesies(turns: Sequence[Turn]) -> list[Turn]:
    """Return turns without those that Rawi answered with nothing but good manners."""
    kept = list[Turn]()
    for turn in turns:
        if turn.role == "assistant" and sayings.is_courtesy(clean(turn.content)):
            if kept and kept[-1].role == "user":
                kept.pop()
            continue
        kept.append(turn)
    return kept


def _before(question: str, last: Turn) -> str:
    """Return what names all that is spoken of: a question and the beginning of its answer."""
    if last.role != "assistant" or sayings.tells_nothing(last.content):
        return question
    words = sayings.without_markers(clean(last.content)).split()
    return " ".join([question, *words[:_MOST_WORDS]])
