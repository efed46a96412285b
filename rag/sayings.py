"""What Rawi says itself, in Arabic and in English: refusals, pointers, greetings and the like.

Everything else in an answer is the documents' own, or a short answer that is checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from rag.language import Language, clean
from rag.phrase import Phrase

# Begun anywhere within a long blank, it would try the rest of the blank each time.
_MARKER = re.compile(r"(?<!\s)\s*\[\d+\]")
_ARABIC_DIGITS: Final = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_REFUSAL: Final = Phrase(
    "لا تذكر الوثائق جوابًا عن هذا السؤال.",
    "The documents don't say.",
)
_CLOSEST: Final = Phrase(
    "أقرب ما ورد فيها: {}",
    "The closest that they come: {}",
)
_CLOSEST_FOREIGN: Final = Phrase(
    "أقرب ما ورد فيها جملة بالإنجليزية:",
    "The closest that they come is a sentence in Arabic:",
)
_POINTER: Final = Phrase(
    "الجواب في هذه الجملة، وهي بالإنجليزية:",
    "The answer stands in this sentence, which is in Arabic:",
)
_WORDED: Final = Phrase(
    "بنصّ الوثيقة، وهو بالإنجليزية: {}",
    "In the document's own words, which are Arabic: {}",
)
# Where nothing is asked of the documents.
_GREETING: Final = Phrase(
    ar=(
        "أهلًا بك! أنا راوي، أجيب عن الأسئلة من الوثائق التي لديّ وأعرض الجملة التي جاء منها كل جواب."
    ),
    en=(
        "Hello! I'm Rawi: I answer questions from the documents here, and show the sentence that"
        " each answer comes from."
    ),
)
_THANKS: Final = Phrase(
    "على الرحب والسعة، وأنا هنا كلما كان لك سؤال.",
    "You're welcome. I'm here whenever you have a question.",
)
_ABOUT: Final = Phrase(
    ar=(
        "أنا راوي، برنامج يجيب بالعربية والإنجليزية عن الأسئلة من مجموعة من الوثائق، ويعرض مع كل"
        " جواب الجملة التي أُخذ منها كما وردت. وإذا لم تذكر الوثائق الجواب قلت ذلك. ويمكنك أيضًا أن"
        " تسألني عن الوثائق المتاحة، أو أن تطلب وثيقة في موضوع ما أو ملخص وثيقة."
    ),
    en=(
        "I'm Rawi, a program that answers questions in Arabic and English from a set of documents,"
        " and shows with every answer the very sentence that it comes from. Where the documents"
        " don't say, I say so. You can also ask which documents there are, for the one about a"
        " subject, or for a summary of one."
    ),
)
_ASK_ABOUT: Final = Phrase(
    "يمكنك أن تسأل مثلًا عن: {}.",
    "You can ask, for example, about: {}.",
)
_DOCUMENTS: Final = Phrase(
    "عدد الوثائق المتاحة: {}.",
    "Documents that I can search: {}.",
)
_MORE: Final = Phrase(
    "وغيرها: {}.",
    "And {} more.",
)
_NEAREST: Final = Phrase(
    "أقرب الوثائق إلى ذلك:",
    "The documents that come nearest to that:",
)
_SUMMARY: Final = Phrase(
    "أبرز ما جاء في {} بنصّه:",
    "The most telling sentences of {}:",
)
_SUMMARY_FOREIGN: Final = Phrase(
    "أبرز ما جاء في {}، وهي وثيقة بالإنجليزية:",
    "The most telling sentences of {}, a document in Arabic:",
)
_NO_DOCUMENT: Final = Phrase(
    "لا توجد وثيقة بهذا الاسم: {names}",
    "no such document: {names}",
)
_NO_DOCUMENTS: Final = Phrase(
    "لم تُذكر وثيقة يُسأل عنها",
    "no document is named to ask",
)
_NAMED = 3  # documents that aren't there
_NAME_CHARS = 100
_TITLE: Final = Phrase(
    "«{}»",
    "“{}”",
)
THE_DOCUMENT: Final = Phrase("الوثيقة", "the document")
QUOTATION_MARKS: Final = "«“"


def greeting(language: Language, titles: Sequence[str]) -> str:
    """Greet back, say what Rawi does, and name some documents."""
    return _with_examples(_GREETING[language], language, titles)


def about(language: Language, titles: Sequence[str]) -> str:
    """Say what Rawi is and what it can be asked, and name some documents."""
    return _with_examples(_ABOUT[language], language, titles)


def welcome(language: Language) -> str:
    """Answer thanks, or a goodbye."""
    return _THANKS[language]


def is_courtesy(text: str) -> bool:
    """Tell whether an answer is one of ``greeting``, ``about``, ``welcome`` or ``documents``."""
    return _begins(text, _GREETING, _ABOUT, _THANKS, _DOCUMENTS)


def documents(language: Language, titles: Sequence[str], all_: int) -> str:
    """Say how many documents there are, and the titles of the first, numbered.

    :param all_: How many there are.
    """
    lines = [f"{n}. {title(name, language)}" for n, name in enumerate(titles, start=1)]
    more = [_MORE[language].format(all_ - len(titles))] if all_ > len(titles) else []
    return "\n".join([_DOCUMENTS[language].format(all_), *lines, *more])


def nearest(language: Language, titles: Sequence[str]) -> str:
    """Name the documents that come nearest to what is looked for; citation n is of title n."""
    lines = [f"{title(name, language)} [{n}]" for n, name in enumerate(titles, start=1)]
    return "\n".join([_NEAREST[language], *lines])


def summary(language: Language, name: str, *, foreign: bool) -> str:
    """Return what stands before the most telling sentences of a document.

    :param foreign: Whether it is in the other language.
    """
    said = _SUMMARY_FOREIGN if foreign else _SUMMARY
    return said[language].format(title(name, language))


def title(name: str, language: Language) -> str:
    """Return a title in quotation marks, without what looks like a citation's marker."""
    return _TITLE[language].format(without_markers(name))


def quoted(name: str) -> tuple[str, str]:
    """Return a title in the quotation marks of either language."""
    return title(name, "ar"), title(name, "en")


def no_document(names: Sequence[str]) -> str:
    """Say in both languages that there are no documents of these names, or that none is named."""
    if not names:
        return " · ".join(reversed(_NO_DOCUMENTS.both))
    lines = [" ".join(clean(name).split())[:_NAME_CHARS] for name in names[:_NAMED]]
    named = ", ".join(f"\u2068“{line}”\u2069" for line in lines)
    more = f" (+{len(names) - _NAMED})" if len(names) > _NAMED else ""
    return " · ".join(reversed(_NO_DOCUMENT.format(names=named + more).both))


def _with_examples(said: str, language: Language, titles: Sequence[str]) -> str:
    if not titles:
        return said
    comma = "، " if language == "ar" else ", "
    names = comma.join(title(name, language) for name in titles)
    return f"{said} {_ASK_ABOUT[language].format(names)}"


def refusal(language: Language, closest: str | None, *, foreign: bool) -> str:
    """Say that the documents don't say, and what they say instead.

    :param closest: A sentence that is cited as [1]; None names none.
    :param foreign: Whether it is in the other language; then it is shown as a citation alone.
    """
    if closest is None:
        return _REFUSAL[language]
    said = _CLOSEST_FOREIGN[language] if foreign else _CLOSEST[language].format(closest)
    return f"{_REFUSAL[language]} {said} [1]"


def pointer(language: Language, words: Mapping[int, str]) -> str:
    """Say that the answer stands in cited sentences of the other language.

    :param words: Of each, by its marker, those that say the answer; empty where none are known.
    """
    quotes = [f"{title(said, language)} [{n}]" for n, said in words.items() if said]
    others = "".join(f" [{n}]" for n, said in words.items() if not said)
    said = [_WORDED[language].format("، ".join(quotes) if language == "ar" else ", ".join(quotes))]
    return " ".join(said * bool(quotes) + [_POINTER[language] + others] * bool(others))


def is_pointer(text: str) -> bool:
    """Tell whether an answer is one that ``pointer`` made: it is in the documents' language."""
    return _begins(text, _POINTER, _WORDED)


def tells_nothing(text: str) -> bool:
    """Tell whether an answer is one that ``refusal`` or ``pointer`` made."""
    return _begins(text, _REFUSAL, _POINTER, _WORDED)


def _begins(text: str, *phrases: Phrase) -> bool:
    """Tell whether a text begins as a phrase does, up to what is filled in there."""
    sayings = (said for phrase in phrases for said in phrase.both)
    return text.strip().startswith(tuple(said.partition("{}")[0] for said in sayings))


def without_markers(text: str) -> str:
    """Return a text without what looks like the marker of a citation: ``[1]``."""
    return _MARKER.sub("", text)


def on_page(number: int) -> Phrase:
    """Return how the page of a document is named."""
    return Phrase(f"ص {str(number).translate(_ARABIC_DIGITS)}", f"p. {number}")
