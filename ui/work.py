"""The engine for many at once: bounded, off the event loop, and stopped when nobody listens.

Every question has a thread, which waits for the LLM in the line (``line.py``).
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
from ui.limits import AtOnce
from ui.line import Ahead, Lines, in_turn
from ui.metrics import Metrics

Event = Evidence | Token | Answer
T = TypeVar("T")

logger = logging.getLogger(__name__)


class QueueFullError(RawiError):
    """As many questions as ``limits`` allows are being answered, of all or of one asker."""


class NotReadyError(RawiError):
    """The engine is still being loaded, or could not be."""


class InternalError(RawiError):
    """The answer failed for a reason that nobody foresaw."""


@dataclass
class _Asked:
    """A question in its thread, which sends its events to the event loop."""

    question: str
    history: Sequence[Turn]
    loop: asyncio.AbstractEventLoop
    events: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    gone: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.perf_counter)
    wrote: bool = False

    def send(self, event: object) -> None:
        if not self.gone.is_set():
            self.loop.call_soon_threadsafe(self.events.put_nowait, event)

    def seconds(self) -> float:
        return time.perf_counter() - self.began


class Work:
    """Answers the questions of all programs and readers."""

    def __init__(
        self,
        engine: Callable[[], Engine | None],
        limits: LimitsSettings,
        metrics: Metrics,
        lines: Lines,
    ) -> None:
        """Begin with no work.

        :param engine: Returns the engine once it is loaded.
        :param limits: How many questions are taken at once.
        :param lines: Of those that wait; to be shared with whoever else asks the engine.
        """
        self._engine = engine
        self._metrics = metrics
        self._lines = lines
        self._places = AtOnce(each=limits.waiting_address, total=limits.waiting)
        self._threads = ThreadPoolExecutor(limits.waiting, thread_name_prefix="rawi-answer")

    @property
    def is_ready(self) -> bool:
        """Whether the engine is loaded."""
        return self._engine() is not None

    @property
    def llm_failure(self) -> str:
        """Why the LLM failed when it was last asked; empty where it didn't."""
        engine = self._engine()
        return "" if engine is None else engine.llm_failure

    def close(self) -> None:
        """Wait for what runs and end the threads."""
        self._threads.shutdown()

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
        asked = _Asked(question, history, asyncio.get_running_loop())
        self._submit(asker, self._run, engine, asked)
        answered = False
        try:
            while not answered:
                event = await asked.events.get()
                if isinstance(event, Exception):
                    raise event
                answered = isinstance(event, Answer)
                yield event
        finally:
            asked.gone.set()
            if not answered:
                self._metrics.abandoned.inc()

    async def whole(
        self,
        asker: str,
        question: str,
        history: Sequence[Turn] = (),
        docs: Collection[str] | None = None,
    ) -> Answer:
        """Return the checked answer; being cancelled stops the work.

        :raises RawiError: As ``answer``; and when the answer fails.
        """
        async with aclosing(self.answer(asker, question, history, docs)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
        raise InternalError("the answer did not come to an end")

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

    async def translation(self, asker: str, doc: str, start: int, end: int) -> str:
        """Return a sentence in the other language; "" where no translation holds.

        :raises RawiError: As ``answer``; and when there is no such sentence.
        """
        engine = self._ready()
        work = self._submit(asker, self._translated, engine, doc, start, end)
        return await asyncio.wrap_future(work)

    def _translated(self, engine: Engine, doc: str, start: int, end: int) -> str:
        with self._lines.write.joined() as place:
            for _ in place.waited():
                pass
            return engine.translation(doc, start, end)

    def _ready(self) -> Engine:
        engine = self._engine()
        if engine is None:
            raise NotReadyError("Rawi is still loading; ask again in a moment")
        return engine

    def _submit(self, asker: str, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """Give work to a thread, which frees its place when it ends."""
        if not self._places.take(asker):
            raise QueueFullError("too many questions at once; ask again in a moment")
        self._metrics.running.inc()

        def ended(_: Future[T]) -> None:
            self._metrics.running.dec()
            self._places.leave(asker)

        future = self._threads.submit(work, *arguments)
        future.add_done_callback(ended)
        return future

    def _run(self, engine: Engine, asked: _Asked) -> None:
        """Send the engine's events; an error is one, so that no reader waits for ever."""
        events = engine.answer(asked.question, asked.history)
        try:
            for event in in_turn(events, self._lines, asked.gone.is_set):
                if not isinstance(event, Ahead):
                    self._note(event, asked)
                    asked.send(event)
        except RawiError as exc:
            self._metrics.errors.labels(type(exc).__name__).inc()
            asked.send(exc)
        except Exception:
            self._metrics.errors.labels("internal").inc()
            asked.send(InternalError("something went wrong here; it is in the log"))
            logger.exception("an answer failed")

    def _note(self, event: Evidence | Token | Answer, asked: _Asked) -> None:
        """Measure what an event tells."""
        metrics = self._metrics
        if isinstance(event, Evidence):
            metrics.evidence.observe(asked.seconds())
        elif not asked.wrote and (isinstance(event, Answer) or event.text):
            metrics.first.observe(asked.seconds())
            asked.wrote = True
        if isinstance(event, Answer):
            metrics.total.observe(asked.seconds())
            metrics.answered(event)
