"""Every string that a person reads on the page, in both languages, side by side."""

from __future__ import annotations

from typing import Final

from rag.language import Language

TITLE: Final = "Rawi · راوي"
TAGLINE: Final[dict[Language, str]] = {
    "ar": "اسأل عن وثائقك بالعربية أو الإنجليزية، ومع كل جواب الجملة التي جاء منها.",
    "en": "Ask about your documents in Arabic or English; every answer shows its sentence.",
}
PLACEHOLDER: Final = "اكتب سؤالك هنا · Type your question here"
SOURCES: Final[dict[Language, str]] = {"ar": "المصادر", "en": "Sources"}
EXAMPLES: Final = (
    "كم ساهمت SoftBank في جولة التمويل؟",
    "How much did SoftBank put into the round?",
    "من هم المؤسسون والمديرون الذين غادروا OpenAI؟",
)
FAILED: Final[dict[Language, str]] = {
    "ar": "تعذّر الجواب عن السؤال: ",
    "en": "The question could not be answered: ",
}
