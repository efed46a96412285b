"""A quote of an answer in the answer's language, for a reader who asks for it: a machine's.

What is yielded is HTML on its way to its place under the quote, where the page's script puts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import wait

from rag.errors import GenerationError, QuestionError
from ui import text
from ui.conversations import Message, Quote
from ui.loading import Loader
from ui.messages import translation_html
from ui.work import NotReadyError, QueueFullError

_LOOK_S = 1.0  # so often the page is told that it still waits


def steps(loader: Loader, asker: str, message: Message, quote: Quote) -> Iterator[str]:
    """Yield that it is waited for, then the translation, or that there is none.

    It takes a reader's place and waits for the LLM as a question does.

    :param asker: The address that the guard found.
    """
    engine = loader.engine
    if engine and engine.retriever.storage.text(quote.doc)[quote.start : quote.end] != quote.text:
        yield translation_html(message, quote, why=text.SOURCE_CHANGED)
        return
    try:
        translating = loader.work.translating(asker, quote.doc, quote.start, quote.end)
        while not translating.done():  # only at a yield it is left when its reader has gone away
            yield translation_html(message, quote, waits=True)
            wait([translating], timeout=_LOOK_S)
        said = translating.result()
    except QueueFullError:
        yield translation_html(message, quote, why=text.QUEUE_FULL, again=True)
        return
    except (GenerationError, NotReadyError):
        yield translation_html(message, quote, why=text.UNTRANSLATED, again=True)
        return
    except QuestionError:  # it is no single sentence any more
        said = ""
    yield translation_html(message, quote, said, why=None if said else text.UNTRANSLATED)
