"""The engine for many at once: bounded, measured, and stopped when nobody listens.

Every question, of a program or of the page, has a thread, which waits for the LLM in the line
(``line.py``).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rag.config import LimitsSettings
from rag.engine import Answer, Engine, Evidence, Token, Turn, check_question
from rag.errors import RawiError
from rag.retrieval import Found
from ui import line
from ui.limits import AtOnce
from ui.line import Ahead, Lines, in_turn
from ui.metrics import Metrics

Event = Evidence | Token | Answer
T = TypeVar("T")

logger = logging.getLogger(__name__)

# Seconds between two looks at whether the engine is there.
_LOOK_S = 0.1


class QueueFullError(RawiError):
    """As many questions as ``limits`` allows are being answered, of all or of one asker."""


class NotReadyError(RawiError):
    """The engine is still being loaded, or could not be."""


class InternalError(RawiError):
    """The answer failed for a reason that nobody foresaw."""


@dataclass
class Asked:
    """A question in its thread.

    :ivar hear: Is told there of every event, or of the error that ends them.
    :ivar within: Returns the engine that knows what is asked.
    :ivar engine: None where it wasn't loaded yet when this was asked.
    :ivar gone: To be set when nobody listens any more.
    """

    question: str
    history: Sequence[Turn]
    hear: Callable[[line.Event | RawiError, Engine], None]
    within: Callable[[Engine], Engine]
    engine: Engine | None
    gone: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.perf_counter)
    wrote: bool = False

    def tell(self, event: line.Event | RawiError, engine: Engine) -> None:
        """Pass an event on, as long as somebody listens."""
        if not self.gone.is_set():
            self.hear(event, engine)

    def seconds(self) -> float:
        """Return how long ago this was asked."""
        return time.perf_counter() - self.began


class Work:
    """Answers the questions of all programs and readers.

    :ivar engine: Returns the engine once it is loaded.
    :ivar lines: Where all who ask it wait for their turn.
    :ivar metrics: Of all questions.
    """

    def __init__(self, engine: Callable[[], Engine | None], limits: LimitsSettings) -> None:
        """Begin with no work.

        :param limits: How many questions are taken at once.
        """
        self.lines = Lines()
        self.metrics = Metrics(engine, self.lines)
        self.engine = engine
        self._closed = threading.Event()
        self._places = AtOnce(each=limits.waiting_address, total=limits.waiting)
        self._threads = ThreadPoolExecutor(limits.waiting, thread_name_prefix="rawi-answer")

    @property
    def is_busy(self) -> bool:
        """Whether anybody is being answered."""
        return len(self._places) > 0

    def close(self) -> None:
        """Stop what still runs and end the threads."""
        self._closed.set()
        self._threads.shutdown()

    def begin(
        self,
        asker: str,
        question: str,
        history: Sequence[Turn],
        hear: Callable[[line.Event | RawiError, Engine], None],
        within: Callable[[Engine], Engine],
    ) -> Asked:
        """Answer in a thread, once the engine is loaded.

        :param asker: Whose question it is: an address or a key.
        :param hear: Called in that thread.
        :param within: Called there first; returns the engine that knows what is asked.
        :raises QueueFullError: When too many are being answered.
        """
        asked = Asked(question, history, hear, within, self.engine())
        self._submit(asker, self._run, asked)
        return asked

    async def answer(
        self,
        asker: str,
        question: str,
        history: Sequence[Turn] = (),
        docs: Collection[str] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Yield what ``Engine.answer`` yields; closing the iterator stops the work.

        :param asker: Whose question it is: an address or a key.
        :param docs: The documents to ask; None asks all.
        :raises QuestionError: When the question can't be asked, or not of these documents.
        :raises QueueFullError: When too many are being answered.
        :raises NotReadyError: When the engine isn't loaded.
        """
        engine = self._ready()
        question = check_question(question, engine.settings.question)
        engine = engine.asked_of(docs)
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Event | RawiError] = asyncio.Queue()

        def hear(event: line.Event | RawiError, _: Engine) -> None:
            if not isinstance(event, Ahead):
                loop.call_soon_threadsafe(events.put_nowait, event)

        asked = self.begin(asker, question, history, hear, lambda _: engine)
        try:
            event: Event | RawiError | None = None
            while not isinstance(event, Answer):
                event = await events.get()
                if isinstance(event, RawiError):
                    raise event
                yield event
        finally:
            asked.gone.set()

    async def passages(
        self, asker: str, question: str, k: int, docs: Collection[str] | None = None
    ) -> list[Found]:
        """Return the ``k`` best passages, of these documents where any are named.

        :raises RawiError: As ``answer``.
        """
        engine = self._ready()
        question = check_question(question, engine.settings.question)
        engine = engine.asked_of(docs)
        work = self._submit(asker, engine.retriever.passages, question, k)
        return await asyncio.wrap_future(work)

    def translating(self, asker: str, doc: str, start: int, end: int) -> Future[str]:
        """Return what will be a sentence in the other language; "" where no translation holds.

        :raises RawiError: As ``answer``; so does the future, and when there is no such sentence.
        """
        return self._submit(asker, self._translated, self._ready(), doc, start, end)

    def _translated(self, engine: Engine, doc: str, start: int, end: int) -> str:
        with self.lines.write.joined() as waited:
            for _ in waited:
                pass
            return engine.translation(doc, start, end)

    def _ready(self) -> Engine:
        engine = self.engine()
        if engine is None:
            raise NotReadyError("Rawi is still loading; ask again in a moment")
        return engine

    def _submit(self, asker: str, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """Give work to a thread, which frees its place when it ends."""
        if not self._places.take(asker):
            raise QueueFullError("too many questions at once; ask again in a moment")
        self.metrics.running.inc()

        def ended(_: Future[T]) -> None:
            self.metrics.running.dec()
            self._places.leave(asker)

        future = self._threads.submit(work, *arguments)
        future.add_done_callback(ended)
        return future

    def _run(self, asked: Asked) -> None:
        """Tell the engine's events; an error is one, so that no reader waits for ever."""

        def is_gone() -> bool:
            return asked.gone.is_set() or self._closed.is_set()

        while (engine := asked.engine or self.engine()) is None:
            if is_gone():
                return
            time.sleep(_LOOK_S)
        event: line.Event | None = None
        try:
            engine = asked.within(engine)
            events = engine.answer(asked.question, asked.history)
            for event in in_turn(events, self.lines, is_gone):
                self._note(event, asked)
                asked.tell(event, engine)
            if not isinstance(event, Answer):
                self.metrics.abandoned.inc()
        except RawiError as exc:
            self.metrics.errors.labels(type(exc).__name__).inc()
            asked.tell(exc, engine)
        except Exception:
            self.metrics.errors.labels("internal").inc()
            asked.tell(InternalError("something went wrong here; it is in the log"), engine)
            logger.exception("an answer failed")

    def _note(self, event: line.Event, asked: Asked) -> None:
        """Measure what an event tells."""
        metrics = self.metrics
        if isinstance(event, Evidence):
            metrics.evidence.observe(asked.seconds())
        elif not (asked.wrote or isinstance(event, Ahead) or event == Token("")):
            metrics.first.observe(asked.seconds())
            asked.wrote = True
        if isinstance(event, Answer):
            metrics.total.observe(asked.seconds())
            metrics.answered(event)


async def whole(events: AsyncGenerator[Event, None]) -> Answer:
    """Return the checked answer that ends these events; being cancelled stops the work.

    :raises RawiError: As ``Work.answer``; and when the answer fails.
    """
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Answer):
                return event
    raise InternalError("the answer did not come to an end")
