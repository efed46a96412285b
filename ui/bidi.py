"""Foreign runs within a text, set apart so that they keep their own order and reverse no meaning.

In «الرئيس التنفيذي لـ OpenAI، Sam Altman» a browser makes one run from left to right of both names,
and who reads it from the right finds them exchanged; «xAI 12 مليار» loses its number in the same
way. Elements around such runs prevent that; no character is added, so that copied text and offsets
stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup, escape

from rag.language import Language, Span, direction, other

_RTL: Final = r"\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"  # letters, marks, digits, punctuation
_RTL_LETTER: Final = re.compile(
    r"[\u05d0-\u05ea\u0620-\u064a\u066e-\u06d3\u0750-\u077f\u08a0-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"
)
_LTR_LETTER: Final = re.compile(rf"[^\W\d_{_RTL}]")
_LAST: Final = "+#%"  # marks that a word may end with: C++
_ENCLOSING: Final = {"(": ")", "[": "]", '"': '"', "“": "”", "«": "»"}
# Tokens that one run may hold between two of its words, and within brackets or quotation marks.
_MOST_BETWEEN, _MOST_ENCLOSED = 8, 100

Kind = Literal["word", "own", "number", "space", "mark"]


@dataclass(frozen=True)
class _Script:
    """How a text of one direction is cut.

    :ivar foreign: A letter of the other direction; ``own`` is one of this.
    :ivar chunk: Cuts a line: own words, spaces, single marks, and what else stands together.
    :ivar joining: Marks that may stand between two words of a foreign run; an Arabic comma parts
        Latin names, as a Latin one parts Arabic names.
    """

    foreign: re.Pattern[str]
    own: re.Pattern[str]
    chunk: re.Pattern[str]
    joining: frozenset[str]


def _chunks(own: str) -> re.Pattern[str]:
    marks = r"()\[\]\"“”«»|,;،؛"
    return re.compile(rf"[{own}]+| +|[^\s{own}{marks}]+|.")


_SCRIPTS: Final[dict[Language, _Script]] = {
    "ar": _Script(_LTR_LETTER, _RTL_LETTER, _chunks(_RTL), frozenset("-–—,:;&/+.!?'’*_")),
    "en": _Script(_RTL_LETTER, _LTR_LETTER, _chunks("A-Za-zÀ-ÖØ-öø-ɏ"), frozenset("-–—،:؛/.!؟*_")),
}


@dataclass(frozen=True)
class _Token:
    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def foreign_runs(text: str, language: Language) -> Iterator[Span]:
    """Yield the runs of a text that are written in the other direction than its language is.

    A number after a run is part of it unless a word of the text's own follows, which it counts.
    Within quotation marks or brackets that hold no word of the text's own, all is one run.
    """
    script, at = _SCRIPTS[language], 0
    for line in text.split("\n"):
        if script.foreign.search(line):
            yield from _of_line(line, at, script)
        at += len(line) + 1


def _of_line(line: str, at: int, script: _Script) -> Iterator[Span]:
    if not script.own.search(line) and not {"|", "\t"} & set(line):
        # All of it is foreign, its last full stop too; cells of a table keep the text's direction.
        yield Span(at + len(line) - len(line.lstrip()), at + len(line.rstrip()))
        return
    tokens, index = list(_tokens(line, script)), 0
    while index < len(tokens):
        last = index
        closing = _closing(tokens, index) if tokens[index].text in _ENCLOSING else None
        if closing is not None:
            yield Span(at + tokens[index].end, at + tokens[closing].start)
            last = closing
        elif tokens[index].kind == "word":
            last = _last_of_run(tokens, index, script)
            yield Span(at + tokens[index].start, at + tokens[last].end)
        index = last + 1


def _tokens(line: str, script: _Script) -> Iterator[_Token]:
    for found in script.chunk.finditer(line):
        chunk, start = found[0], found.start()
        if chunk.isspace() and chunk != "\t":
            yield _Token("space", chunk, start)
        elif script.foreign.search(chunk):
            yield from _word(chunk, start)
        elif script.own.search(chunk):
            yield _Token("own", chunk, start)
        else:
            kind: Kind = "number" if any(char in "0123456789" for char in chunk) else "mark"
            yield _Token(kind, chunk, start)


def _word(chunk: str, start: int) -> Iterator[_Token]:
    """Yield a foreign word and what stands before and after it."""
    said = [at for at, char in enumerate(chunk) if char.isalnum() or char in _LAST] or [0]
    first = next((at for at in said if chunk[at].isalnum()), 0)
    parts: tuple[tuple[Kind, str, int], ...] = (
        ("mark", chunk[:first], start),
        ("word", chunk[first : said[-1] + 1], start + first),
        ("mark", chunk[said[-1] + 1 :], start + said[-1] + 1),
    )
    for kind, part, at in parts:
        if part:
            yield _Token(kind, part, at)


def _last_of_run(tokens: Sequence[_Token], first: int, script: _Script) -> int:
    """Return the index of the last token of the run that begins with a word."""
    last = first
    while (following := _next_word(tokens, last, script)) is not None:
        last = following
    number, after = last + 2, last + 3
    if [token.kind for token in tokens[last + 1 : after]] != ["space", "number"]:
        return last
    if after < len(tokens) and tokens[after].kind == "space":
        after += 1
    counts = after < len(tokens) and tokens[after].kind == "own" and tokens[after].text[0].isalnum()
    return last if counts else number


def _next_word(tokens: Sequence[_Token], last: int, script: _Script) -> int | None:
    """Return the index of the next word of a run, or of the bracket that closes after one."""
    for index in range(last + 1, min(len(tokens), last + 1 + _MOST_BETWEEN)):
        token = tokens[index]
        if token.kind == "word":
            return index
        if token.text in _ENCLOSING:
            return _closing(tokens, index)
        joins = token.kind in ("space", "number") or set(token.text) <= script.joining
        if not joins:
            return None
    return None


def _closing(tokens: Sequence[_Token], opening: int) -> int | None:
    """Return the index of what closes a bracket, if nothing but foreign words is within."""
    wanted, words = [_ENCLOSING[tokens[opening].text]], 0
    for index in range(opening + 1, min(len(tokens), opening + 1 + _MOST_ENCLOSED)):
        token = tokens[index]
        if token.text == wanted[-1]:
            wanted.pop()
            if not wanted:
                return index if words else None
        elif token.text in _ENCLOSING:
            wanted.append(_ENCLOSING[token.text])
        if token.kind == "own" or token.text in "|\t":
            return None
        words += token.kind == "word"
    return None


def isolated_html(text: str, language: Language, marks: Sequence[tuple[int, int]] = ()) -> Markup:
    """Return a text escaped, its foreign runs in ``<bdi>``, some places of it in ``<mark>``.

    :param marks: In order, none overlapping another.
    """
    parts, at = list[Markup](), 0
    foreign = Markup('<bdi dir="{}">{}</bdi>')
    for start, end in foreign_runs(text, language):
        parts.append(_marked(text, at, start, marks))
        inner = _marked(text, start, end, marks)
        parts.append(foreign.format(direction(other(language)), inner))
        at = end
    return Markup("").join([*parts, _marked(text, at, len(text), marks)])


def _marked(text: str, first: int, last: int, marks: Sequence[tuple[int, int]]) -> Markup:
    """Return a piece of a text, escaped, with what of the marks lies within."""
    html, at = Markup(""), first
    for start, end in marks:
        start, end = max(start, first), min(end, last)
        if start < end:
            html += Markup("{}<mark>{}</mark>").format(text[at:start], text[start:end])
            at = end
    return html + escape(text[at:last])
