"""A quote of an answer in the answer's language, for a reader who asks for it: a machine's.

What is yielded is HTML on its way to its place under the quote, where the page's script puts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import wait
from html import escape

from rag.errors import GenerationError, QuestionError
from ui import text
from ui.bidi import isolated_html
from ui.conversations import Message, Quote
from ui.loading import Loader
from ui.markup import both, button, in_language
from ui.text import Phrase
from ui.work import NotReadyError, QueueFullError

_LOOK_S = 1.0  # so often the page is told that it still waits


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
    engine = loader.engine
    if engine and engine.retriever.storage.text(quote.doc)[quote.start : quote.end] != quote.text:
        yield _none(message, quote, text.SOURCE_CHANGED)
        return
    try:
        translating = loader.work.translating(asker, quote.doc, quote.start, quote.end)
        while not translating.done():  # only at a yield it is left when its reader has gone away
            waits = (
                f'<p class="rw-state"><span class="rw-pulse"></span>{both(text.TRANSLATING)}</p>'
            )
            yield _placed(message, quote, waits)
            wait([translating], timeout=_LOOK_S)
        said = translating.result()
    except QueueFullError:
        yield _none(message, quote, text.QUEUE_FULL, again=True)
        return
    except (GenerationError, NotReadyError):
        yield _none(message, quote, text.UNTRANSLATED, again=True)
        return
    except QuestionError:  # it is no single sentence any more
        said = ""
    yield _translated(message, quote, said) if said else _none(message, quote, text.UNTRANSLATED)


def _translated(message: Message, quote: Quote, said: str) -> str:
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
