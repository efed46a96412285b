"""An article as HTML, with the cited sentence highlighted, in its own direction and language."""

from __future__ import annotations

import re

from markupsafe import Markup

from rag import sayings
from rag.engine import Engine
from rag.language import Span, detect
from ui import originals, text
from ui.bidi import isolated_html
from ui.markup import button, macros
from ui.text import Phrase

# Characters shown on either side of the sentence; and of a document that is shown whole, at once.
_AROUND, _AT_ONCE = 20_000, 200_000
_NONE = Span(0, 0)
_HTML = macros("source", on_page=sayings.on_page)


def source_html(engine: Engine, doc: str, cited: Span, quote: str = "") -> str:
    """Return the article around a sentence, the sentence itself in ``<mark>``.

    :param cited: In the document's cleaned text.
    :param quote: What stood there when it was cited. Where the document was edited since, it is
        looked for nearby; where it isn't known, whatever stands there is marked.
    """
    article = engine.retriever.storage.text(doc)
    note = ""
    if quote and article[slice(*cited)] != quote:
        places = (match.span() for match in re.finditer(re.escape(quote), article))
        nearest = min(places, key=lambda place: abs(place[0] - cited.start), default=_NONE)
        cited = Span(*nearest)
    if not 0 <= cited.start < cited.end <= len(article):
        cited, note = _NONE, _HTML.changed()
    piece = Span(max(0, cited.start - _AROUND), min(len(article), cited.end + _AROUND))
    return _opened(engine, doc, article, cited, piece, note=note)


def document_html(engine: Engine, doc: str) -> str:
    """Return an article from its beginning."""
    article = engine.retriever.storage.text(doc)
    return _opened(engine, doc, article, _NONE, Span(0, min(len(article), _AROUND)))


def piece_html(engine: Engine, doc: str, start: int, end: int, at: int, here: int) -> str:
    """Return a large piece of an article: all of it, unless it is very long.

    :param start: As ``end``, of the cited sentence; both are 0 where none is.
    :param at: Where the piece begins.
    :param here: Where to go on reading: where the piece begins, or at its end.
    """
    article = engine.retriever.storage.text(doc)
    cited = Span(start, end) if start < end <= len(article) else _NONE
    first = min(at, len(article))
    last = min(first + _AT_ONCE, here if here > first else len(article), len(article))
    return _opened(engine, doc, article, cited, Span(first, last), here=here)


def _opened(
    engine: Engine,
    doc: str,
    article: str,
    cited: Span,
    piece: Span,
    *,
    note: str = "",
    here: int | None = None,
) -> str:
    """Return a piece of an article and what leads to the rest of it.

    :param here: See ``piece_html``; None for a small piece.
    """
    if not article:
        return _HTML.source(doc)

    def more(phrase: Phrase, at: int, here: int) -> Markup:
        place = {"data_start": cited.start, "data_end": cited.end, "data_at": at, "data_here": here}
        return button(phrase, "turn", data_doc=doc, **place)

    (first, last), language = piece, detect(article)
    is_within = cited != _NONE and first <= cited.start and cited.end <= last
    # All of it, or as much as is shown at once, with the sentence amid it.
    amid = max(0, min(cited.start - _AT_ONCE // 2, len(article) - _AT_ONCE))
    before = after = more(text.WHOLE, amid, amid)
    if here is not None:
        before = more(text.EARLIER, max(0, first - _AT_ONCE), first)
        after = more(text.LATER, last, last)
        if cited != _NONE and not is_within:
            note = _HTML.back(more(text.TO_SENTENCE, amid, amid))
    if is_within:
        parts = (article[first : cited.start], article[slice(*cited)], article[cited.end : last])
        start, sentence, end = (isolated_html(part, language) for part in parts)
        said = start + _HTML.mark(cited, sentence) + end
    else:
        said = isolated_html(article[first:last], language)
        if here is not None:
            said = said + _HTML.here() if here == last else _HTML.here() + said
    page = engine.retriever.storage.page(doc, cited.start)
    return _HTML.source(
        engine.retriever.storage.title(doc) or doc,
        doc,
        original=originals.address(engine.settings, doc, page),
        page=page,
        note=note,
        before=before if first else "",
        after=after if last < len(article) else "",
        article=said,
        language=language,
    )
