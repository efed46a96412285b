"""What the LLM is told, in Arabic and in English, side by side; and what Rawi says itself.

Three tasks. ``translation`` puts an evidence sentence into the asker's language: of what is shown,
that is all a small model is trusted with, and it never sees the question. ``judging`` has it say
whether a sentence answers a question, of which only the probability of its "yes" is used.
``answering`` has a larger model write the answer from the evidence.

The fixed text comes first, so that its KV cache is kept from one question to the next. No prompt
offers a way out ("if the documents don't say…"): small models take it far too often, so whether to
answer is decided elsewhere. The sentences are data: they are quoted line by line, and nothing of
the answer is believed that the program can't find in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from llama_index.core.llms import ChatMessage, MessageRole

from rag.language import Language
from rag.orders import defused

Messages = tuple[ChatMessage, ...]

# Begun anywhere within a long blank, it would try the rest of the blank each time.
_MARKER = re.compile(r"(?<!\s)\s*\[\d+\]")

# Into which language → system text and examples.
_TRANSLATE: dict[Language, str] = {
    "ar": (
        "ترجم الجملة الإخبارية الإنجليزية إلى العربية الفصحى ترجمة تامة أمينة، مع كل اسم ورقم"
        " ووحدة."
    ),
    "en": (
        "Translate the Arabic news sentence into English, completely and faithfully, keeping every"
        " name, number and unit."
    ),
}
_EXAMPLES: dict[Language, tuple[tuple[str, str], ...]] = {
    "en": (
        (
            "افتتحت هيئة الموانئ في 14 مايو الرصيف الجديد في ميناء صحار بعد عامين من الأعمال،"
            " بتكلفة بلغت 2.4 مليار ريال.",
            "On 14 May, the ports authority opened the new quay at the port of Sohar after two"
            " years of works, at a cost of 2.4 billion rials.",
        ),
        (
            "وأرجعت الشركة تأخر الرحلات إلى نقص قطع الغيار وإضراب المهندسين، لا إلى سوء الأحوال"
            " الجوية.",
            "The company attributed the delay of the flights to a shortage of spare parts and a"
            " strike by the engineers, not to bad weather.",
        ),
        (
            "وبخلاف محطة الجنوب، التي لا تنتج سوى 95 ميغاواط، تنتج محطة الشمال 120 ميغاواط، حسبما"
            " قال المدير سامي نصار لصحيفة Gulf Times.",
            "Unlike the southern station, which produces only 95 megawatts, the northern station"
            " produces 120 megawatts, director Sami Nassar told the Gulf Times.",
        ),
    ),
}
_EXAMPLES["ar"] = tuple((english, arabic) for arabic, english in _EXAMPLES["en"])

YES, NO = "yes", "no"
_JUDGE = "You check whether a text contains the answer to a question. Reply yes or no."
_COMPANY = "بلغت إيرادات شركة النور 12 مليون دينار في عام 2019، وفق مديرها سالم العلي."
_BRIDGE = "افتُتح الجسر في مايو 1988 بعد ست سنوات من العمل."
_FACTORY = "أعلنت الوزارة أن المصنع الجديد سيوفر 300 وظيفة ويستورد آلاته من اليابان لقلة كلفتها."
# In both languages, and across them; what is asked beside the point is a near miss or was never so.
_JUDGED = (
    (_COMPANY, "كم بلغت إيرادات شركة النور في عام 2019؟", YES),
    (_COMPANY, "كم بلغت أرباح شركة النور في عام 2021؟", NO),
    (
        "The bridge was opened in May 1988 by the mayor after six years of work.",
        "Who designed the bridge?",
        NO,
    ),
    (_BRIDGE, "When was the bridge opened?", YES),
    (_BRIDGE, "Why was the bridge demolished?", NO),
    (_COMPANY, "Who runs Al-Noor company?", YES),
    (_COMPANY, "How many people work at Al-Noor company?", NO),
    (_FACTORY, "Why does the factory import its machines from Japan?", YES),
    (_FACTORY, "متى أُغلق المصنع الجديد؟", NO),
    (_FACTORY, "How many jobs will the new factory in Oran cut?", NO),
)

_ANSWER: dict[Language, str] = {
    "ar": (
        "أنت تجيب عن أسئلة القراء من الجمل المعطاة وحدها. أجب بالعربية الفصحى بجملة تامة واضحة،"
        " واذكر الأسماء كاملة والأرقام مع وحداتها كما وردت، وأجب عن كل ما سُئلت عنه، ولا تزد شيئًا"
        " من عندك."
    ),
    "en": (
        "You answer readers' questions from the given sentences alone. Answer every part of the"
        " question in English, in one or two complete, clear sentences, with full names and with"
        " numbers and units as given, and add nothing of your own."
    ),
}
_LABELS: dict[Language, tuple[str, str]] = {
    "ar": ("الجمل:", "السؤال:"),
    "en": ("Sentences:", "Question:"),
}
_FAULT: dict[Language, str] = {
    "ar": "هذا لا يرد في النص: {}. أعد الكتابة بالعربية مما ورد في النص وحده.",
    "en": "This is not in the text: {}. Write it again in English, from the text alone.",
}
# What Rawi says itself.
_REFUSAL: dict[Language, str] = {
    "ar": "لا تذكر الوثائق جوابًا عن هذا السؤال.",
    "en": "The documents don't say.",
}
_CLOSEST: dict[Language, str] = {
    "ar": "أقرب ما ورد فيها: {}",
    "en": "The closest that they come: {}",
}
_CLOSEST_FOREIGN: dict[Language, str] = {
    "ar": "أقرب ما ورد فيها جملة بالإنجليزية:",
    "en": "The closest that they come is a sentence in Arabic:",
}
_POINTER: dict[Language, str] = {
    "ar": "الجواب في هذه الجملة، وهي بالإنجليزية:",
    "en": "The answer stands in this sentence, which is in Arabic:",
}


def translation(sentence: str, language: Language) -> Messages:
    """Ask for a sentence of the other language in ``language``."""
    examples = [
        message
        for source, target in _EXAMPLES[language]
        for message in (_user(source), _assistant(target))
    ]
    return (_system(_TRANSLATE[language]), *examples, _user(defused(sentence)))


def answering(question: str, sentences: Sequence[str], language: Language) -> Messages:
    """Ask a question of evidence sentences, in the asker's language."""
    sentences_label, question_label = _LABELS[language]
    lines = [sentences_label, *(f"- {defused(sentence)}" for sentence in sentences)]
    lines += ["", f"{question_label} {defused(question)}"]
    return (_system(_ANSWER[language]), _user("\n".join(lines)))


def judging(question: str, text: str) -> Messages:
    """Ask whether a text answers a question: ``YES`` or ``NO``."""
    examples = [
        message
        for shown, asked, verdict in _JUDGED
        for message in (_user(_to_judge(shown, asked)), _assistant(verdict))
    ]
    return (_system(_JUDGE), *examples, _user(_to_judge(defused(text), defused(question))))


def _to_judge(text: str, question: str) -> str:
    return f"Text: {text}\nQuestion: {question}"


def again(messages: Messages, reply: str, faults: Iterable[str], language: Language) -> Messages:
    """Name the faults of a reply and ask once more."""
    named = "، ".join(faults) if language == "ar" else ", ".join(faults)
    return (*messages, _assistant(reply), _user(_FAULT[language].format(defused(named))))


def refusal(language: Language, closest: str | None, *, foreign: bool) -> str:
    """Say that the documents don't say, and what they say instead.

    :param closest: A sentence that is cited as [1]; None names none.
    :param foreign: Whether it is in the other language; then it is shown as a citation alone.
    """
    if closest is None:
        return _REFUSAL[language]
    said = _CLOSEST_FOREIGN[language] if foreign else _CLOSEST[language].format(closest)
    return f"{_REFUSAL[language]} {said} [1]"


def without_markers(text: str) -> str:
    """Return a text without what looks like the marker of a citation: ``[1]``."""
    return _MARKER.sub("", text)


def is_refusal(text: str) -> bool:
    """Tell whether an answer is one that ``refusal`` made."""
    return text.strip().startswith(tuple(_REFUSAL.values()))


def pointer(language: Language, citations: int) -> str:
    """Say that the answer stands in cited sentences of the other language."""
    markers = "".join(f" [{n}]" for n in range(1, citations + 1))
    return f"{_POINTER[language]}{markers}"


def _system(content: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.SYSTEM, content=content)


def _user(content: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.USER, content=content)


def _assistant(content: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.ASSISTANT, content=content)
