"""What the LLM is told, and what Rawi says itself, in Arabic and in English.

Three jobs, one conversation. ``short`` asks for a few words from numbered sentences, in the asker's
language: the reply begins with the numbers of those it used, "2: 130 days", or is "0" when none
answers. ``checking`` goes on and asks whether that was right, of which only the probability of the
"yes" is used. ``translation`` puts a sentence into the other language. The built-in LLM is taught
exactly these words by ``eval/train_llm.py``: a change of them wants a new training.

The fixed text comes first, so that its KV cache is kept from one question to the next, and what was
read to answer is not read again to check. The sentences are data: they are quoted line by line,
and of the answer only what holds in them is shown, see ``grounding``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from llama_index.core.llms import ChatMessage, MessageRole

from rag.language import Language

Messages = tuple[ChatMessage, ...]

SYSTEM = (
    "Answer the question from the numbered sentences, in its language, in a few words that keep"
    " names, numbers, units and conditions. Begin with the number of the sentence used, or reply 0"
    " if none answers."
)
CHECK = "Is every word of that right?"
YES, NO, NONE = "yes", "no", "0"
_ASKED: dict[Language, str] = {"ar": "السؤال: {}", "en": "Question: {}"}
_TRANSLATE: dict[Language, str] = {
    "ar": "Translate sentence {} into Arabic.",
    "en": "Translate sentence {} into English.",
}
# Tokens of chat templates, which documents and questions may not hold.
_TEMPLATE = re.compile(r"</?s>|\[/?INST\]|<\s*/?\s*\|?|\|\s*>", re.IGNORECASE)
# "2: 130 days", and what LLMs that weren't taught make of it: "[1] and [3]: yes", "2. 130 days".
_REPLY = re.compile(
    r"\[?(\d+)\]?((?:\s*(?:[,،]|and|و)\s*\[?\d+\]?)*)\s*[:.](?:\s+(.*))?", re.DOTALL
)
_NONE = re.compile(r"\[?[0٠]\]?(?:\s*[.:](?:\s.*)?)?", re.DOTALL)
_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)
# Begun anywhere within a long blank, it would try the rest of the blank each time.
_MARKER = re.compile(r"(?<!\s)\s*\[\d+\]")

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


# What Rawi says where nothing is asked of the documents.
_GREETING: dict[Language, str] = {
    "ar": (
        "أهلًا بك! أنا راوي، أجيب عن الأسئلة من الوثائق التي لديّ وأعرض الجملة التي جاء منها كل جواب."
    ),
    "en": (
        "Hello! I'm Rawi: I answer questions from the documents here, and show the sentence that"
        " each answer comes from."
    ),
}
_THANKS: dict[Language, str] = {
    "ar": "على الرحب والسعة، وأنا هنا كلما كان لك سؤال.",
    "en": "You're welcome. I'm here whenever you have a question.",
}
_ABOUT: dict[Language, str] = {
    "ar": (
        "أنا راوي، برنامج يجيب بالعربية والإنجليزية عن الأسئلة من مجموعة من الوثائق، ويعرض مع كل"
        " جواب الجملة التي أُخذ منها كما وردت. وإذا لم تذكر الوثائق الجواب قلت ذلك. ويمكنك أيضًا أن"
        " تسألني عن الوثائق المتاحة، أو أن تطلب وثيقة في موضوع ما أو ملخص وثيقة."
    ),
    "en": (
        "I'm Rawi, a program that answers questions in Arabic and English from a set of documents,"
        " and shows with every answer the very sentence that it comes from. Where the documents"
        " don't say, I say so. You can also ask which documents there are, for the one about a"
        " subject, or for a summary of one."
    ),
}
_ASK_ABOUT: dict[Language, str] = {
    "ar": "يمكنك أن تسأل مثلًا عن: {}.",
    "en": "You can ask, for example, about: {}.",
}
_DOCUMENTS: dict[Language, str] = {
    "ar": "عدد الوثائق المتاحة: {}.",
    "en": "Documents that I can search: {}.",
}
_MORE: dict[Language, str] = {"ar": "وغيرها: {}.", "en": "And {} more."}
_NEAREST: dict[Language, str] = {
    "ar": "أقرب الوثائق إلى ذلك:",
    "en": "The documents that come nearest to that:",
}
_SUMMARY: dict[Language, str] = {
    "ar": "أبرز ما جاء في {} بنصّه:",
    "en": "The most telling sentences of {}:",
}
_SUMMARY_FOREIGN: dict[Language, str] = {
    "ar": "أبرز ما جاء في {}، وهي وثيقة بالإنجليزية:",
    "en": "The most telling sentences of {}, a document in Arabic:",
}
_TITLE: dict[Language, str] = {"ar": "«{}»", "en": "“{}”"}


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
    beginnings = (_GREETING, _ABOUT, _THANKS)
    counts = tuple(said.partition("{}")[0] for said in _DOCUMENTS.values())
    whole = tuple(said for known in beginnings for said in known.values())
    return text.strip().startswith((*whole, *counts))


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


def _with_examples(said: str, language: Language, titles: Sequence[str]) -> str:
    if not titles:
        return said
    comma = "، " if language == "ar" else ", "
    names = comma.join(title(name, language) for name in titles)
    return f"{said} {_ASK_ABOUT[language].format(names)}"


def short(question: str, sentences: Sequence[str], language: Language) -> Messages:
    """Ask for an answer of a few words from numbered sentences, in the asker's language."""
    read = numbered([defused(sentence) for sentence in sentences])
    return (_system(SYSTEM), _user(read + asked(defused(question), language)))


def checking(messages: Messages, reply: str) -> Messages:
    """Ask whether the reply to some messages is right: ``YES`` or ``NO``."""
    return (*messages, _assistant(reply), _user(CHECK))


def translation(sentence: str, language: Language) -> Messages:
    """Ask for a sentence of the other language in ``language``."""
    return (_system(SYSTEM), _user(numbered([defused(sentence)]) + translate(1, language)))


def numbered(sentences: Sequence[str]) -> str:
    """Return sentences as they are given, one a line, and an empty line after them."""
    return "".join(f"{n}. {text}\n" for n, text in enumerate(sentences, start=1)) + "\n"


def asked(question: str, language: Language) -> str:
    """Return what asks for an answer, after the sentences."""
    return _ASKED[language].format(question)


def translate(number: int, language: Language) -> str:
    """Return what asks for a translation of one of the sentences, after them."""
    return _TRANSLATE[language].format(number)


def grammar(number: int) -> str:
    """Return the GBNF of a reply that answers from a sentence, and perhaps from two others."""
    return f'root ::= "{number}" ("," [1-9] ("," [1-9])?)? ": " [^\\n]+'


def reply(answer: str, used: Sequence[int]) -> str:
    """Return a reply as the LLM is taught to give it."""
    return f"{','.join(map(str, used))}: {answer}"


def parsed(reply: str, sentences: int) -> tuple[str, tuple[int, ...]]:
    """Return the answer of a reply, and the numbers of the sentences that it says it used.

    Without an answer both are empty; an LLM that wasn't taught may leave out the numbers.

    :param sentences: How many it was given.
    """
    reply = _THOUGHTS.sub("", reply).strip()
    if _NONE.fullmatch(reply):
        return "", ()
    match = _REPLY.fullmatch(reply)
    if match is None:
        return reply, ()
    answer = (match[3] or "").strip()
    used = [int(n) for n in re.findall(r"\d+", match[1] + match[2])]
    known = answer and all(1 <= n <= sentences for n in used)
    return answer, tuple(dict.fromkeys(used)) if known else ()


def refusal(language: Language, closest: str | None, *, foreign: bool) -> str:
    """Say that the documents don't say, and what they say instead.

    :param closest: A sentence that is cited as [1]; None names none.
    :param foreign: Whether it is in the other language; then it is shown as a citation alone.
    """
    if closest is None:
        return _REFUSAL[language]
    said = _CLOSEST_FOREIGN[language] if foreign else _CLOSEST[language].format(closest)
    return f"{_REFUSAL[language]} {said} [1]"


def defused(text: str) -> str:
    """Return a text on one line that no chat template takes for its own tokens."""
    return " ".join(_TEMPLATE.sub(" ", text).split())


def without_markers(text: str) -> str:
    """Return a text without what looks like the marker of a citation: ``[1]``."""
    return _MARKER.sub("", text)


def tells_nothing(text: str) -> bool:
    """Tell whether an answer is one that ``refusal`` or ``pointer`` made."""
    return text.strip().startswith((*_REFUSAL.values(), *_POINTER.values()))


def pointer(language: Language, markers: Sequence[int]) -> str:
    """Say that the answer stands in cited sentences of the other language."""
    return _POINTER[language] + "".join(f" [{n}]" for n in markers)


def _system(content: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.SYSTEM, content=content)


def _user(content: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.USER, content=content)


def _assistant(content: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.ASSISTANT, content=content)
