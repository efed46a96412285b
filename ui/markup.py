"""HTML made of untrusted text: everything is escaped here, and both languages stand side by side.

A string of the page is written in Arabic and in English; the stylesheet shows the one that
``<html lang>`` names, so switching the language needs no word from the server.
"""

from __future__ import annotations

from html import escape

from rag.language import Language, clean, detect, direction
from ui import text as words
from ui.bidi import isolated_html
from ui.text import Phrase


def both(phrase: Phrase) -> str:
    """Return a phrase in both languages; what was filled in is escaped like the rest."""
    return "".join(
        f'<span class="rw-{language}" lang="{language}" dir="{direction(language)}">'
        f"{escape(phrase[language])}</span>"
        for language in _LANGUAGES
    )


def hidden(phrase: Phrase) -> str:
    """Return a phrase for screen readers alone."""
    return f'<span class="rw-hidden">{both(phrase)}</span>'


def in_language(language: Language) -> str:
    """Return the attributes of an element that holds text of one language."""
    return f'dir="{direction(language)}" lang="{language}"'


def shown(text: str) -> str:
    """Return a file's name or title escaped, in one line, without characters that reorder it.

    Its direction is that of its language, not of its first letter.
    """
    line = " ".join(clean(text).split())
    language = detect(line)
    return f'<bdi dir="{direction(language)}">{isolated_html(line, language)}</bdi>'


def icon(name: str) -> str:
    """Return one of the page's icons; it says nothing to screen readers."""
    return f'<span class="rw-icon rw-icon-{name}" aria-hidden="true"></span>'


def button(phrase: Phrase, act: str, *, glyph: str = "", **data: object) -> str:
    """Return a button that the page's script hands on as the event ``act`` with ``data``.

    :param glyph: An icon; the phrase is then for screen readers and the tooltip.
    """
    values = "".join(
        f' data-{name.replace("_", "-")}="{escape(str(value))}"' for name, value in data.items()
    )
    label = icon(glyph) + hidden(phrase) if glyph else both(phrase)
    kind = "rw-button rw-glyph" if glyph else "rw-button"
    return (
        f'<button type="button" class="{kind}" data-act="{escape(act)}"{values}'
        f' data-tip-ar="{escape(phrase.ar)}" data-tip-en="{escape(phrase.en)}">{label}</button>'
    )


def to_documents(phrase: Phrase = words.OPEN_DOCUMENTS) -> str:
    """Return a button that leads to the Documents tab; where there is none, it isn't seen."""
    said = both(phrase)
    return f'<button type="button" class="rw-button rw-goto" data-goto="documents">{said}</button>'


_LANGUAGES: tuple[Language, ...] = ("ar", "en")
