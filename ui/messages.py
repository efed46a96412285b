"""Messages and quotes as HTML; each quote names its article, and a click opens it at the sentence.

A message's direction and language are those of the whole message. Citation markers become buttons
that carry the place of their sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup

from rag import sayings
from rag.language import Language
from ui import text
from ui.answering import Shown
from ui.bidi import isolated_html
from ui.conversations import Message, Quote
from ui.markup import macros

# Begun anywhere within a long blank, it would try the rest of the blank each time.
_MARKER = re.compile(r"(?<!\s)\s*\[(\d{1,3})\]")
# Citations in a message; a marker is a few characters, the button it becomes is hundreds.
_MOST_MARKERS = 50
_FENCED = re.compile(r"```[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_TITLE_CHARS = 60  # without the ellipsis
_CLAUSE = re.compile(rf".{{20,{_TITLE_CHARS}}}(?=[،,؛;:](?:\s|$))", re.DOTALL)
_WORDS = re.compile(rf".{{20,{_TITLE_CHARS}}}(?=\s)", re.DOTALL)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T\s].*)?", re.DOTALL)


def live_html(answer: Shown) -> str:
    """Return an answer on its way, with what it is waiting for."""
    state = {
        "loading": text.WAITING_TO_LOAD,
        "searching": text.SEARCHING,
        "waiting": text.WAITING.format(position=answer.ahead),
        "warming": text.WARMING,
        "writing": text.WRITING,
        "done": text.WRITING,
    }[answer.stage]
    return _HTML.live(answer.message, state)


def message_body(message: Message) -> Markup:
    """Return a message's text: escaped, its code set apart, its markers as citations."""
    cited = {quote.marker: quote for quote in message.citations}
    places = iter(range(_MOST_MARKERS))
    said = message.text.strip()
    short = message.short if said.startswith(message.short) else ""
    html = Markup("")
    if short:
        large = isolated_html(short, message.language)
        html += Markup('<strong class="rw-short">{}</strong>').format(large)
    for at, part in enumerate(_FENCED.split(said.removeprefix(short))):
        if at % 2:
            html += Markup('<pre dir="ltr"><code>{}</code></pre>').format(part)
            continue
        for nth, piece in enumerate(_CODE.split(part)):
            if nth % 2:
                html += Markup('<code dir="ltr">{}</code>').format(piece)
            else:
                html += _cited(piece, message.language, cited, places)
    return html


def _cited(piece: str, language: Language, cited: dict[int, Quote], places: Iterator[int]) -> str:
    """Return a piece of a text with citations for its markers."""
    html, at = Markup(""), 0
    for found in _MARKER.finditer(piece):
        quote = cited.get(int(found[1]))
        if quote is None or next(places, None) is None:
            continue
        html += isolated_html(piece[at : found.start()], language) + _HTML.citation(quote)
        at = found.end()
    return html + isolated_html(piece[at:], language)


def short_title(title: str) -> str:
    """Return a title, or of one that is as long as a sentence its first clause or words."""
    if len(title) <= _TITLE_CHARS:
        return title
    whole = _CLAUSE.match(title) or _WORDS.match(title)
    return f"{whole[0] if whole else title[:_TITLE_CHARS]} …"


def _marks(quote: Quote) -> list[tuple[int, int]]:
    """Return the places in a quote of what carries the answer; neighbouring words are one.

    A browser kept the places: what overlaps or lies outside is passed over.
    """
    marks: list[tuple[int, int]] = []
    for start, end in quote.marks:
        last = marks[-1][1] if marks else 0
        if not last <= start < end <= len(quote.text):
            continue
        if marks and quote.text[last:start] == " ":
            start = marks.pop()[0]
        marks.append((start, end))
    return marks


def _copied(message: Message) -> str:
    """Return an answer as it is copied."""
    return message.text + "".join(f"\n\n[{q.marker}] {q.text} — {q.doc}" for q in message.citations)


_HTML = macros(
    "answer",
    body=message_body,
    marks=_marks,
    copied=_copied,
    short_title=short_title,
    day=lambda date: found[1] if (found := _DAY.fullmatch(date)) else date,
    on_page=sayings.on_page,
)
message_html, conversation_html = _HTML.message, _HTML.conversation
evidence_html, translation_html = _HTML.evidence, _HTML.translation
