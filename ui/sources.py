"""An article as HTML, with the cited sentence highlighted, in its own direction and language."""

from __future__ import annotations

from rag.engine import Engine
from rag.language import Language, Span, detect, direction
from ui import text
from ui.answer_steps import title_of
from ui.bidi import isolated_html
from ui.markup import both, button, in_language, shown
from ui.text import Phrase

# Characters shown on either side of the sentence; and of a document that is shown whole, at once.
_AROUND, _AT_ONCE = 20_000, 200_000
_NONE = Span(0, 0)
_HERE = '<span class="rw-here" tabindex="-1"></span>'


def source_html(engine: Engine, doc: str, start: int, end: int, quote: str | None = None) -> str:
    """Return the article around a sentence, the sentence itself in ``<mark>``.

    :param start: First character in the document's cleaned text; ``end`` is one past the last.
    :param quote: What the sentence was when it was cited, if that is known.
    """
    article = engine.retriever.storage.text(doc)
    cited, note = Span(start, end), ""
    if not 0 <= start < end <= len(article) or quote not in (None, article[start:end]):
        cited, note = _NONE, f'<p class="rw-note">{both(text.SOURCE_CHANGED)}</p>'
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
        return _framed(doc, f'<p class="rw-quiet">{both(text.SOURCE_GONE)}</p>')
    (first, last), language = piece, detect(article)
    # All of it, or as much as is shown at once, with the sentence amid it.
    amid = max(0, min(cited.start - _AT_ONCE // 2, len(article) - _AT_ONCE))
    before = after = _more(text.WHOLE, doc, cited, amid, amid)
    if here is not None:
        before = _more(text.EARLIER, doc, cited, max(0, first - _AT_ONCE), first)
        after = _more(text.LATER, doc, cited, last, last)
        if cited != _NONE and not _is_within(cited, piece):
            note = f"<p>{_more(text.TO_SENTENCE, doc, cited, amid, amid)}</p>"
    cut = f'<p class="rw-quiet">{both(text.SHORTENED)} %s</p>'
    body = (
        f'{cut % before if first else ""}<div class="rw-article" tabindex="0" role="group"'
        f' aria-labelledby="rawi-source-title" {in_language(language)}>'
        f"{_piece(article, cited, piece, here, language)}</div>"
        f"{cut % after if last < len(article) else ''}"
    )
    return _framed(title_of(engine, doc), note + body, doc)


def _piece(article: str, cited: Span, piece: Span, here: int | None, language: Language) -> str:
    """Return a piece of an article with the sentence marked, or else where to go on reading."""
    first, last = piece
    if _is_within(cited, piece):
        before, after = article[first : cited.start], article[cited.end : last]
        marked = _mark(article, cited, language)
        return isolated_html(before, language) + marked + isolated_html(after, language)
    said = isolated_html(article[first:last], language)
    if here is None:
        return said
    return said + _HERE if here == last else _HERE + said


def _is_within(cited: Span, piece: Span) -> bool:
    return cited != _NONE and piece.start <= cited.start and cited.end <= piece.end


def _more(phrase: Phrase, doc: str, cited: Span, at: int, here: int) -> str:
    """Return a button that leads to another piece of an article; see ``piece_html``."""
    return button(phrase, "turn", doc=doc, start=cited.start, end=cited.end, at=at, here=here)


def _mark(article: str, cited: Span, language: Language) -> str:
    sentence = isolated_html(article[cited.start : cited.end], language)
    place = f'data-start="{cited.start}" data-end="{cited.end}"'
    return f'<mark tabindex="-1" {place}>{sentence}</mark>'


def _framed(title: str, body: str, doc: str = "") -> str:
    file = f'<p class="rw-from">{shown(doc)}</p>' if doc else ""
    language = detect(title)
    return (
        f'<section class="rw-source"><div class="rw-source-head"><div dir="{direction(language)}">'
        f'<h2 id="rawi-source-title" {in_language(language)}>{shown(title)}</h2>{file}</div>'
        f"{button(text.CLOSE, 'close', glyph='close')}</div>{body}</section>"
    )
