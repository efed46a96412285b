"""Follow-ups: what a question refers to is put before it.

Nothing is rewritten by a model: that costs seconds here, and the small ones garble names. A
question that leans on what was said before is read together with the answer that it follows: it
names what is spoken of and asks nothing else, as the question before it would.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag import parts, prompts
from rag.language import clean, fold

# A question of so few words has left out what it asks about: "And in 2023?"
_SHORT = 4
_REFERS = re.compile(
    r"^(?:and|but|so|then|also|what about|how about|why not|why|how so|which one|who else)\b"
    r"|\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|then"
    r"|one|ones|former|latter|same|another|else)\b"
    # Folded: «ماذا عن», «ومن», then pronouns alone or on a word's end.
    r"|^(?:وماذا|ماذا عن|و(?:ما|من|متي|اين|كيف|كم|لماذا|هل|في|اي|ليش|شو|مين|ايه|قديش)\b)"
    r"|\b(?:هو|هي|هم|هما|هذا|هذه|هذي|ذلك|تلك|هولاء|هناك|نفسه|نفسها|الاخر|الاخري|غيره|غيرها|كمان|ايضا)\b"
    r"|\b\w{2,}(?:ها|هم|هما)\b|\b(?:له|به|فيه|منه|عنه|عليه|اليه|بعده|قبله|معه)\b"
)
_WORD = re.compile(r"\w+")
_FRAGMENT = 2  # words of an answer that is no sentence, however it ends
_ENDS = (".", "!", "?", "؟", "…")
_MOST_WORDS = 40  # of an answer, that a question is read with


@dataclass(frozen=True)
class Turn:
    """One earlier message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True)
class Asked:
    """A question with what it refers to.

    :ivar question: As it was asked, cleaned.
    :ivar standalone: With what it follows before it; the same if it stands alone.
    :ivar context: The last exchange; empty at the beginning of a conversation.
    :ivar parts: The questions that it asks; itself, if it asks one.
    """

    question: str
    standalone: str
    context: str
    parts: tuple[str, ...]


def resolve(question: str, history: Sequence[Turn], max_turns: int) -> Asked:
    """Return the question with what it refers to in the last ``max_turns`` messages."""
    recent = history[-max_turns:] if max_turns else []
    context = "\n".join(clean(turn.content) for turn in recent[-2:])
    earlier = [clean(turn.content).strip() for turn in recent if turn.role == "user"]
    standalone = question
    if earlier and refers_back(question):
        standalone = f"{_before(earlier[-1], recent[-1])} {question}"
    return Asked(question, standalone, context, tuple(parts.split(question)))


def _before(question: str, last: Turn) -> str:
    """Return what names all that is spoken of: the answer's beginning, where that is a sentence."""
    if last.role != "assistant" or prompts.tells_nothing(last.content):
        return question
    words = prompts.without_markers(clean(last.content)).split()
    answer = " ".join(words[:_MOST_WORDS])
    is_sentence = len(words) > _FRAGMENT and words[-1].endswith(_ENDS)
    return answer if is_sentence else f"{question} {answer}"


def refers_back(question: str) -> bool:
    """Tell whether a question can't be understood without what was said before it."""
    folded = fold(question)
    return len(_WORD.findall(folded)) <= _SHORT or bool(_REFERS.search(folded))
