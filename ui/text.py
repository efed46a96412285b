"""Every string that a person reads on the page, in both languages, side by side."""

from __future__ import annotations

from dataclasses import dataclass
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


# ---------------------------------------------------------------- the widget on other sites


@dataclass(frozen=True)
class WidgetStrings:
    """What the launcher says, by language."""

    ar: dict[str, str]
    en: dict[str, str]


WIDGET: Final = WidgetStrings(
    ar={
        "title": "اسأل وثائقنا",
        "open": "افتح المحادثة",
        "close": "أغلق المحادثة",
        "loading": "جارٍ فتح المحادثة…",
        "refused": "لا يُسمح لهذا الموقع بعرض المحادثة.",
        "busy": "طلبات كثيرة الآن. حاول بعد قليل.",
        "failed": "تعذّر فتح المحادثة. تحقّق من الاتصال ثم حاول مرة أخرى.",
        "retry": "حاول مرة أخرى",
    },
    en={
        "title": "Ask our documents",
        "open": "Open the chat",
        "close": "Close the chat",
        "loading": "Opening the chat…",
        "refused": "This site may not show the chat.",
        "busy": "Too many requests now. Try again in a moment.",
        "failed": "The chat could not be opened. Check the connection and try again.",
        "retry": "Try again",
    },
)
