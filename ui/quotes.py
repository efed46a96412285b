"""Quotes as HTML: each names its article, and a click opens it at the sentence."""

from __future__ import annotations

import re
from html import escape

from rag import sayings
from rag.language import direction
from ui import text
from ui.bidi import isolated_html
from ui.conversations import Message, Quote
from ui.markup import both, hidden, in_language, shown
from ui.translation import offer_html

# Characters of a quote on its card; whole, it stands below the answer or opens with a click.
_CARD_CHARS = 240
_TITLE_CHARS = 60  # without the ellipsis
_CLAUSE = re.compile(rf".{{20,{_TITLE_CHARS}}}(?=[،,؛;:](?:\s|$))", re.DOTALL)
_WORDS = re.compile(rf".{{20,{_TITLE_CHARS}}}(?=\s)", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?=T|\s|$)")


def citation_html(quote: Quote) -> str:
    """Return the small number that stands in an answer."""
    label = hidden(text.CITATION.format(marker=quote.marker))
    return (
        f'<button type="button" class="rw-citation" data-act="cite" data-citation="{quote.marker}"'
        f' {_place(quote)}>{label}<span aria-hidden="true">{quote.marker}</span></button>'
    )


def sources_html(message: Message, *, translates: bool = False) -> str:
    """List what is cited, each with its card for the page's script to show at its marks.

    A quote in the other language than the answer is labelled as such.

    :param translates: Whether such a quote can be translated.
    """
    rows = "".join(
        f'<li dir="{direction(quote.language)}"><button type="button" class="rw-quote"'
        f' data-act="cite"'
        f' data-source="{quote.marker}" {_place(quote)}>'
        f'<span class="rw-number">{quote.marker}</span>'
        f"{_unless_said(message, quote)}{_from(quote, _foreign(message, quote))}</button>"
        f"{_card(quote)}"
        f"{offer_html(message, quote) if translates and _is_foreign(message, quote) else ''}</li>"
        for quote in message.citations
    )
    return f'<ol class="rw-sources">{rows}</ol>' if rows else ""


def evidence_row(quote: Quote) -> str:
    """Return a sentence of the evidence."""
    return (
        f'<button type="button" class="rw-quote" data-act="cite" {_place(quote)}>'
        f"<q {in_language(quote.language)}>{isolated_html(quote.text, quote.language)}</q>"
        f"{_from(quote)}</button>"
    )


def _place(quote: Quote) -> str:
    return f'data-doc="{escape(quote.doc)}" data-start="{quote.start}" data-end="{quote.end}"'


def short_title(title: str) -> str:
    """Return a title, or of one that is as long as a sentence its first clause or words."""
    if len(title) <= _TITLE_CHARS:
        return title
    whole = _CLAUSE.match(title) or _WORDS.match(title)
    return f"{whole[0] if whole else title[:_TITLE_CHARS]} …"


def _from(quote: Quote, tag: str = "") -> str:
    """Name the article, on the side where the quote begins."""
    side = direction(quote.language)
    page = "" if quote.page is None else f" · {both(sayings.on_page(quote.page))}"
    title = shown(short_title(quote.title) or quote.doc)
    day = _DAY.match(quote.date)
    date = f" · {shown(day[0] if day else quote.date)}" if quote.date else ""
    return f'<span class="rw-from" dir="{side}">{title}{page}{date}{tag}</span>'


def _card(quote: Quote) -> str:
    said = " ".join(quote.text.split())
    if len(said) > _CARD_CHARS:
        said = f"{said[:_CARD_CHARS].rsplit(' ', 1)[0]} …"
    return (
        f'<template data-card="{quote.marker}">{_from(quote)}'
        f"<q {in_language(quote.language)}>{isolated_html(said, quote.language)}</q></template>"
    )


def _unless_said(message: Message, quote: Quote) -> str:
    """Return a quote; nothing when it is the answer's own words."""
    if quote.text in message.text:
        return ""
    return f"<q {in_language(quote.language)}>{_marked(quote)}</q>"


def _marked(quote: Quote) -> str:
    """Return a quote, escaped, with what carries the answer marked.

    Neighbouring words are one mark. A browser kept the places: what overlaps or lies outside is
    passed over.
    """
    marks: list[tuple[int, int]] = []
    for start, end in quote.marks:
        last = marks[-1][1] if marks else 0
        if not last <= start < end <= len(quote.text):
            continue
        if marks and quote.text[last:start] == " ":
            start = marks.pop()[0]
        marks.append((start, end))
    return isolated_html(quote.text, quote.language, marks)


def _is_foreign(message: Message, quote: Quote) -> bool:
    return quote.language != message.language


def _foreign(message: Message, quote: Quote) -> str:
    if not _is_foreign(message, quote):
        return ""
    return f'<span class="rw-tag">{both(text.IN_OTHER[quote.language])}</span>'
