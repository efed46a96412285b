"""What the LLM is told, in Arabic and in English.

Three jobs, one conversation. ``short`` asks for a few words from numbered sentences, in the asker's
language: the reply begins with the numbers of those it used, "2: 130 days", or is "0" when none
answers. From a sentence of the other language its own words come first, "2: ١٣٠ يومًا → 130 days":
a small LLM finds them far more often than it says them rightly, and they can be held against each
other. ``checking`` goes on and asks whether that was right, of which only the probability of the
"yes" is used. ``translation`` puts a sentence into the other language. The built-in LLM is taught
exactly these words by ``eval/training/train_llm.py``: a change of them wants a new training.

The fixed text comes first, so that its KV cache is kept from one question to the next, and what was
read to answer is not read again to check. The sentences are data: they are quoted line by line,
and of the answer only what holds in them is shown, see ``grounding``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from llama_index.core.llms import ChatMessage, MessageRole

from rag import quantities
from rag.language import Language

Messages = tuple[ChatMessage, ...]

SYSTEM = (
    "Answer the question from the numbered sentences, in its language, in a few words that keep"
    " names, numbers, units and conditions. Begin with the number of the sentence used; if it is in"
    " another language, go on with its own words and an arrow. Reply 0 if none answers."
)
ARROW, GAP = " → ", " … "  # after what is quoted; and between two runs of words of it
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
_FIGURE = re.compile(rf"{quantities.GROUPED}|\d+(?:[.,:/]\d+)*")
_LATIN_WORD = re.compile(r"[A-Za-z]+")
_SIGNS = r" -/:-@\[-`{-~\u00A0-\u00BF\u2010-\u203A\u20A0-\u20BF"
_LETTERS: dict[Language, str] = {
    "ar": r"\u060C\u061B\u061F\u0621-\u063A\u0641-\u064A",
    "en": r"A-Za-z\u00C0-\u024F",
}
_MARKS: dict[Language, str] = {"ar": r"[\u064B-\u0652]? [\u064B-\u0652]?", "en": ""}
# Arabic-Indic digits, which small LLMs misread, and what stands between and after them; and what
# parts a reply from its quote.
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩٫٬٪→…", "0123456789.,%>.")
_MOST_NAMED = 9  # a sentence's number is one digit
# Signs around words, which a quote doesn't begin or end with.
OPENING, CLOSING = "([{\"'«“‘*_", ")]}\"'»”’*_.,:;!?،؛؟"
_WORD = re.compile(rf"([{re.escape(OPENING)}]*)(.+?)([{re.escape(CLOSING)}]*)")
_NONE = re.compile(r"\[?[0٠]\]?(?:\s*[.:](?:\s.*)?)?", re.DOTALL)


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


def grammar(
    number: int, read: Sequence[str], question: str, language: Language, *, quotes: bool
) -> str:
    """Return the GBNF of a reply that answers from a sentence, and perhaps from one or two others.

    A small LLM writes a figure wrong that it read rightly, and begins a name in one script to end
    it in another. So a figure is one of those that it read, in digits or in words, and so is, in
    Arabic, a word in Latin letters; no other script is written at all. A quote is one or two runs
    of a sentence's words.

    :param read: The sentences that it was given.
    :param quotes: Whether sentence ``number`` is in the other language.
    """
    read = [defused(sentence) for sentence in read]
    text = " ".join([defused(question), *read])
    given = {*_FIGURE.findall(text), *(f"{number:f}" for number in quantities.spelled(text))}
    if language == "ar":
        given |= set(_LATIN_WORD.findall(text))
    words = " | ".join(f'"{word}"' for word in sorted(given)) or '"0"'
    if quotes:
        others = [n for n in range(1, min(len(read), _MOST_NAMED) + 1) if n != number]
        same = f'": " run{number} ("{GAP}" run{number})?'
        parted = [f'",{n}: " run{number} "{GAP}" run{n}' for n in others]
        begins = f'"{number}" ({" | ".join([same, *parted])}) "{ARROW}"'
        runs = [line for n in (number, *others) for line in _runs(n, read[n - 1])]
    else:
        begins, runs = f'"{number}" ("," [1-9] ("," [1-9])?)? ": "', []
    return "\n".join(
        [
            f"root ::= {begins} (other answer | given rest)",
            'answer ::= other answer | given rest | ""',
            'rest ::= other answer | ""',
            f"given ::= {words}",
            f"other ::= [{_SIGNS}] | [{_LETTERS[language]}] {_MARKS[language]}",
            *runs,
        ]
    )


def _runs(number: int, sentence: str) -> list[str]:
    """Return GBNF rules of runs of a sentence's words, without the signs around a run."""
    words = [match.groups() for match in map(_WORD.fullmatch, sentence.split()) if match]
    rules = [f"run{number} ::= " + " | ".join(f"s{number}w{n}" for n in range(len(words)))]
    following = [before for before, _, _ in words[1:]]
    for n, (_, word, after) in enumerate(words):
        rule = f"s{number}w{n} ::= {_literal(word)}"
        if n < len(following):
            rule += f" ({_literal(f'{after} {following[n]}')} s{number}w{n + 1})?"
        rules.append(rule)
    return rules


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def reply(answer: str, used: Sequence[int], quote: Sequence[str] = ()) -> str:
    """Return a reply as the LLM is taught to give it.

    :param quote: Runs of the sentences' own words.
    """
    quoted = GAP.join(map(defused, quote)) + ARROW if quote else ""
    return f"{','.join(map(str, used))}: {quoted}{defused(answer)}"


@dataclass(frozen=True)
class Parsed:
    """A reply of the LLM.

    :ivar answer: Empty where none of the sentences answers.
    :ivar quote: Runs of the sentences' own words that it says it is made of.
    :ivar used: The numbers of the sentences that it says it used; an LLM that wasn't taught may
        leave them out.
    """

    answer: str = ""
    quote: tuple[str, ...] = ()
    used: tuple[int, ...] = ()


def parsed(reply: str, sentences: int, foreign: Collection[int] = ()) -> Parsed:
    """Take a reply apart.

    :param sentences: How many the LLM was given.
    :param foreign: The numbers of those in the other language, which alone are quoted.
    """
    reply = reply.strip()
    if _NONE.fullmatch(reply):
        return Parsed()
    match = _REPLY.fullmatch(reply)
    said = ((match[3] if match else reply) or "").strip()
    used = [int(n) for n in re.findall(r"\d+", match[1] + match[2])] if match else []
    quotes = used[0] in foreign if used else bool(foreign)
    quoted, arrow, answer = said.rpartition(ARROW.strip()) if quotes else ("", "", said)
    answer = answer.strip()
    quote = tuple(filter(None, map(str.strip, quoted.split(GAP.strip())))) if arrow else ()
    known = answer and all(1 <= n <= sentences for n in used)
    return Parsed(answer, quote if answer else (), tuple(dict.fromkeys(used)) if known else ())


def certainty(tokens: Sequence[tuple[str, float]]) -> float | None:
    """Return the mean log-probability of an answer's tokens, at most 0; None without any.

    Those before it don't count: the numbers of the sentences, a quote, and the signs after them.

    :param tokens: Of a whole reply, with their log-probabilities.
    """
    signs = (
        (n, token)
        for sign in (ARROW.strip(), ":")
        for n, (token, _) in enumerate(tokens)
        if sign in token
    )
    begin = next((n + 1 for n, _ in signs), 0)
    said = [logprob for _, logprob in tokens[begin:]]
    return sum(said) / len(said) if said else None


def defused(text: str) -> str:
    """Return a text on one line, its digits Latin, without a chat template's own tokens."""
    return " ".join(_TEMPLATE.sub(" ", text).translate(_DIGITS).split())


def _system(content: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.SYSTEM, content=content)


def _user(content: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.USER, content=content)


def _assistant(content: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.ASSISTANT, content=content)
