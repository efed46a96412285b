"""What the LLM is told, in Arabic and in English, side by side; and what Rawi says itself.

Four tasks. ``short`` asks for a few words that answer, from numbered sentences in either language:
of what is said in Rawi's own words, that is all a small model is trusted with. ``checking`` asks
whether such an answer is right, of which only the probability of its "yes" is used. ``answering``
has a larger model write whole sentences. ``translation`` puts one sentence into the other language,
for a reader who asks for that.

The fixed text comes first, so that its KV cache is kept from one question to the next. No prompt
offers a way out ("if the documents don't say…"): small models take it far too often, so whether to
answer is decided elsewhere. The sentences are data: they are quoted line by line, and nothing of
the answer is believed that doesn't hold in them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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

_SHORT: dict[Language, str] = {
    "ar": (
        "أجب عن السؤال بكلمات قليلة بالعربية من الجمل المرقمة وحدها. انقل كل اسم ورقم ووحدة وشرط"
        " كما ورد فيها."
    ),
    "en": (
        "Answer the question in a few words, in English, from the numbered sentences alone. Keep"
        " every name, number, unit and condition as they have it."
    ),
}
# Sentences, question and answer: across languages, with an exception, and between two facts alike.
_SHORT_EXAMPLES: dict[Language, tuple[tuple[tuple[str, ...], str, str], ...]] = {
    "ar": (
        (
            (
                "The observatory is open to visitors every Thursday evening, from eight to eleven.",
                "In the mornings it receives pupils of schools alone, by appointment.",
            ),
            "إمتى أقدر أزور المرصد؟",
            "مساء كل خميس من الثامنة حتى الحادية عشرة",
        ),
        (
            (
                "Photography is allowed in the pottery workshop, except near the kilns, for the"
                " visitors' safety.",
            ),
            "هل التصوير مسموح في الورشة؟",
            "نعم، إلا قرب الأفران",
        ),
        (
            (
                "عمق المسبح الصغير 1.2 متر.",
                "The big pool is 3.5 metres deep, and children are not allowed in it.",
                "The pools are closed on Mondays for cleaning.",
            ),
            "كم عمق المسبح الكبير؟",
            "3.5 أمتار",
        ),
    ),
    "en": (
        (
            (
                "يفتح المرصد أبوابه للزوار مساء كل خميس من الثامنة حتى الحادية عشرة.",
                "أما في الصباح فلا يستقبل إلا طلاب المدارس بموعد مسبق.",
            ),
            "When can visitors come to the observatory?",
            "Every Thursday evening, from eight to eleven",
        ),
        (
            ("يُسمح بالتصوير في ورشة الخزف، إلا قرب الأفران حفاظًا على سلامة الزوار.",),
            "May I take photos in the workshop?",
            "Yes, except near the kilns",
        ),
        (
            (
                "The small pool is 1.2 metres deep.",
                "ويبلغ عمق المسبح الكبير 3.5 أمتار، ولا يُسمح فيه للأطفال.",
                "تُغلق المسابح يوم الاثنين للتنظيف.",
            ),
            "How deep is the big pool?",
            "3.5 metres",
        ),
    ),
}

YES, NO = "yes", "no"
_RIGHT = "You check whether an answer is right by a text, every word of it. Reply yes or no."
_OBSERVATORY, _POOLS, _WORKSHOP = (
    "يفتح المرصد أبوابه للزوار مساء كل خميس من الثامنة حتى الحادية عشرة.",
    "ويبلغ عمق المسبح الكبير 3.5 أمتار، والصغير 1.2 متر، ولا يُسمح للأطفال إلا بالصغير.",
    "Photography is allowed in the pottery workshop, except near the kilns, for the visitors'"
    " safety.",
)
# Text, question, answer, verdict: across languages and within one; a neighbour's fact, a word
# replaced, a negation, and what the text doesn't say.
_CHECKED = (
    (_OBSERVATORY, "When can visitors come to the observatory?",
     "Every Thursday evening, from eight to eleven", YES),
    (_POOLS, "How deep is the big pool?", "1.2 metres", NO),
    (_WORKSHOP, "هل التصوير مسموح في الورشة؟", "نعم، إلا قرب الأفران", YES),
    (_WORKSHOP, "هل التصوير مسموح في الورشة؟", "لا، إلا قرب النوافذ", NO),
    (_POOLS, "Which pool may children use?", "The small one", YES),
    (_OBSERVATORY, "Who runs the observatory?", "The university", NO),
)  # fmt: skip

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


def short(question: str, sentences: Sequence[str], language: Language) -> Messages:
    """Ask for an answer of a few words from numbered sentences, in the asker's language."""
    examples = [
        message
        for read, asked, answer in _SHORT_EXAMPLES[language]
        for message in (_user(_numbered(asked, read, language)), _assistant(answer))
    ]
    asked = _numbered(defused(question), [defused(s) for s in sentences], language)
    return (_system(_SHORT[language]), *examples, _user(asked))


def _numbered(question: str, sentences: Sequence[str], language: Language) -> str:
    lines = [f"{n}. {sentence}" for n, sentence in enumerate(sentences, start=1)]
    return "\n".join([*lines, "", f"{_LABELS[language][1]} {question}"])


def translation(sentence: str, language: Language) -> Messages:
    """Ask for a sentence of the other language in ``language``."""
    examples = [
        message
        for source, target in _EXAMPLES[language]
        for message in (_user(source), _assistant(target))
    ]
    return (_system(_TRANSLATE[language]), *examples, _user(defused(sentence)))


def checking(question: str, answer: str, text: str) -> Messages:
    """Ask whether an answer is right by a text: ``YES`` or ``NO``."""
    examples = [
        message
        for read, asked, said, verdict in _CHECKED
        for message in (_user(_to_check(read, asked, said)), _assistant(verdict))
    ]
    asked = _to_check(defused(text), defused(question), defused(answer))
    return (_system(_RIGHT), *examples, _user(asked))


def _to_check(text: str, question: str, answer: str) -> str:
    return f"Text: {text}\nQuestion: {question}\nAnswer: {answer}"


def answering(question: str, sentences: Sequence[str], language: Language) -> Messages:
    """Ask a question of evidence sentences, in the asker's language."""
    sentences_label, question_label = _LABELS[language]
    lines = [sentences_label, *(f"- {defused(sentence)}" for sentence in sentences)]
    lines += ["", f"{question_label} {defused(question)}"]
    return (_system(_ANSWER[language]), _user("\n".join(lines)))


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
