"""What the LLM is told, in Arabic and in English, side by side.

The fixed text comes first, so that its KV cache is kept from one question to the next. No prompt
offers a way out ("if the documents don't say…"): small models take it far too often, so whether to
answer is decided elsewhere. The sentences are data: they are quoted line by line, and nothing of
the answer is believed that the program can't find in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llama_index.core.llms import ChatMessage, MessageRole

from rag.language import Language
from rag.retrieval import Found

SYSTEM: dict[Language, str] = {
    "ar": (
        "أنت تجيب عن أسئلة القراء من الجمل المعطاة وحدها. أجب بالعربية الفصحى بجملة تامة واضحة،"
        " واذكر الأسماء كاملة والأرقام مع وحداتها كما وردت، ولا تزد شيئًا من عندك."
    ),
    "en": (
        "You answer readers' questions from the given sentences alone. Answer in English in one"
        " complete, clear sentence, with full names and with numbers and units as given, and add"
        " nothing of your own."
    ),
}
# The sentences are in the other language: copying the right one first makes a small model read
# before it writes (five right of eight, against one of six without).
SYSTEM_QUOTING: dict[Language, str] = {
    "ar": (
        "أنت تجيب عن أسئلة القراء من الجمل الإنجليزية المعطاة وحدها. انسخ أولًا بعد «اقتباس:»"
        " الجملة الإنجليزية التي فيها الجواب، ثم اكتب بعد «الجواب:» جوابًا بالعربية الفصحى في جملة"
        " تامة تذكر الأسماء كاملة والأرقام مع وحداتها."
    ),
    "en": (
        "You answer readers' questions from the given Arabic sentences alone. First copy after"
        ' "Quote:" the Arabic sentence that holds the answer, then write after "Answer:" the answer'
        " in English, in one complete sentence with full names and with numbers and units."
    ),
}
ANSWER_MARKER: dict[Language, str] = {"ar": "الجواب:", "en": "Answer:"}
_QUOTE_MARKER: dict[Language, str] = {"ar": "اقتباس:", "en": "Quote:"}
_LABELS: dict[Language, tuple[str, str]] = {
    "ar": ("الجمل:", "السؤال:"),
    "en": ("Sentences:", "Question:"),
}
REFUSAL: dict[Language, str] = {
    "ar": "لا تذكر الوثائق جوابًا عن هذا السؤال.",
    "en": "The documents don't say.",
}


@dataclass(frozen=True)
class Prompt:
    """Messages for the LLM.

    :ivar answer_marker: When set, the answer begins after it; what comes before is working.
    """

    messages: tuple[ChatMessage, ...]
    answer_marker: str | None


def build(question: str, language: Language, evidence: Sequence[Found]) -> Prompt:
    """Ask ``question`` of the evidence sentences, in the asker's language."""
    foreign = [found for found in evidence if found.language != language]
    quoting = len(foreign) * 2 > len(evidence)
    sentences_label, question_label = _LABELS[language]
    lines = [sentences_label, *(f"- {_one_line(found.text)}" for found in evidence)]
    lines += ["", f"{question_label} {_one_line(question)}"]
    if quoting:
        lines.append(_QUOTE_MARKER[language])
    system = (SYSTEM_QUOTING if quoting else SYSTEM)[language]
    return Prompt(
        messages=(
            ChatMessage(role=MessageRole.SYSTEM, content=system),
            ChatMessage(role=MessageRole.USER, content="\n".join(lines)),
        ),
        answer_marker=ANSWER_MARKER[language] if quoting else None,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
