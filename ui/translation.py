"""A quote of an answer in the answer's language, for a reader who asks for it: a machine's.

What is yielded is HTML on its way to its place under the quote, where the page's script puts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from rag.errors import GenerationError, QuestionError
from ui import text
from ui.bidi import isolated_html
from ui.conversations import Message, Quote
from ui.loading import Loader
from ui.markup import both, button, in_language
from ui.text import Phrase

_LOOKS = 10  # at the line; so seldom the page is told that it still waits


def offer_html(message: Message, quote: Quote) -> str:
    """Return a button that asks for a translation, and the place where that will stand."""
    asking = _asking(message, quote)
    return (
        f'<div class="rw-translate" tabindex="-1" data-slot="{_key(message, quote)}">{asking}</div>'
    )


def steps(loader: Loader, asker: str, message: Message, quote: Quote) -> Iterator[str]:
    """Yield that it is waited for, then the translation, or that there is none.

    It takes a reader's place and waits for the LLM as a question does.

    :param asker: The address that the guard found.
    """
    if not loader.readers.take(asker):
        yield _none(message, quote, text.QUEUE_FULL, again=True)
        return
    try:
        waits = f'<p class="rw-state"><span class="rw-pulse"></span>{both(text.TRANSLATING)}</p>'
        yield _placed(message, quote, waits)
        with loader.lines.write.joined() as place:
            for looks, _ in enumerate(place.waited(), start=1):
                if looks % _LOOKS == 0:  # only there it is left when its reader has gone away
                    yield _placed(message, quote, waits)
            done = _translated(loader, message, quote)
        yield done
    finally:
        loader.readers.leave(asker)


def _translated(loader: Loader, message: Message, quote: Quote) -> str:
    engine = loader.engine
    if engine is None:
        return _none(message, quote, text.UNTRANSLATED, again=True)
    if engine.retriever.storage.text(quote.doc)[quote.start : quote.end] != quote.text:
        return _none(message, quote, text.SOURCE_CHANGED)
    try:
        said = engine.translation(quote.doc, quote.start, quote.end)
    except QuestionError:  # it is no single sentence any more
        said = ""
    except GenerationError:
        return _none(message, quote, text.UNTRANSLATED, again=True)
    if not said:
        return _none(message, quote, text.UNTRANSLATED)
    language = message.language
    shown = f"<p {in_language(language)}>{isolated_html(said, language)}</p>"
    return _placed(message, quote, f'{shown}<p class="rw-quiet">{both(text.MACHINE)}</p>')


def _none(message: Message, quote: Quote, why: Phrase, *, again: bool = False) -> str:
    """Say why there is no translation.

    :param again: Whether to offer another try.
    """
    retry = _asking(message, quote) if again else ""
    return _placed(message, quote, f'<p class="rw-quiet">{both(why)}</p>{retry}')


def _placed(message: Message, quote: Quote, html: str) -> str:
    return f'<div class="rw-translation" data-for="{_key(message, quote)}">{html}</div>'


def _asking(message: Message, quote: Quote) -> str:
    return button(text.TRANSLATE, "translate", marker=quote.marker)


def _key(message: Message, quote: Quote) -> str:
    return escape(f"{message.id} {quote.marker}")
