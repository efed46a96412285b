"""An article as HTML, with the cited sentence highlighted, in its own direction and language."""

from __future__ import annotations

from rag.engine import Engine
from rag.language import Language, detect, direction
from ui import text
from ui.answer_steps import title_of
from ui.bidi import isolated_html
from ui.markup import both, button, in_language, shown

# Characters shown on either side of the sentence: a long article whole, of a book some pages.
_AROUND = 20_000


def source_html(engine: Engine, doc: str, start: int, end: int, quote: str | None = None) -> str:
    """Return the article around a sentence, the sentence itself in ``<mark>``.

    :param start: First character in the document's cleaned text; ``end`` is one past the last.
    :param quote: What the sentence was when it was cited, if that is known.
    """
    article = engine.retriever.storage.text(doc)
    note = ""
    if not 0 <= start < end <= len(article) or quote not in (None, article[start:end]):
        note, start, end = f'<p class="rw-note">{both(text.SOURCE_CHANGED)}</p>', 0, 0
    return _opened(engine, doc, article, start, end, note)


def document_html(engine: Engine, doc: str) -> str:
    """Return an article from its beginning."""
    return _opened(engine, doc, engine.retriever.storage.text(doc), 0, 0)


def _opened(engine: Engine, doc: str, article: str, start: int, end: int, note: str = "") -> str:
    if not article:
        return _framed(doc, f'<p class="rw-quiet">{both(text.SOURCE_GONE)}</p>')
    first, last = max(0, start - _AROUND), min(len(article), end + _AROUND)
    cut = f'<p class="rw-quiet">{both(text.SHORTENED)}</p>'
    language = detect(article)
    body = (
        f'<div class="rw-article" tabindex="0" role="group"'
        f' aria-labelledby="rawi-source-title" {in_language(language)}>'
        f"{isolated_html(article[first:start], language)}{_mark(article, start, end, language)}"
        f"{isolated_html(article[end:last], language)}</div>"
    )
    before, after = cut if first else "", cut if last < len(article) else ""
    return _framed(title_of(engine, doc), f"{note}{before}{body}{after}", doc)


def _mark(article: str, start: int, end: int, language: Language) -> str:
    if start == end:
        return ""
    sentence = isolated_html(article[start:end], language)
    return f'<mark tabindex="-1" data-start="{start}" data-end="{end}">{sentence}</mark>'


def _framed(title: str, body: str, doc: str = "") -> str:
    file = f'<p class="rw-from">{shown(doc)}</p>' if doc else ""
    language = detect(title)
    return (
        f'<section class="rw-source"><div class="rw-source-head"><div dir="{direction(language)}">'
        f'<h2 id="rawi-source-title" {in_language(language)}>{shown(title)}</h2>{file}</div>'
        f"{button(text.CLOSE, 'close', glyph='close')}</div>{body}</section>"
    )
