"""The engine for many at once: bounded, off the event loop, and stopped when nobody listens.

Every question has a thread. Its evidence is found at once; for the LLM it waits in a line. Who goes
away leaves the line, or stops the LLM before its next token.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from rag.engine import Answer, Engine, Evidence, Token, Turn, check_question
from rag.errors import RawiError
from rag.retrieval import Found
from ui.line import Line, Place
from ui.metrics import Metrics

Event = Evidence | Token | Answer
T = TypeVar("T")

logger = logging.getLogger(__name__)


class QueueFullError(RawiError):
    """As many questions as ``limits.waiting`` allows are being answered."""


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

    def send(self, event: object) -> None:
        if not self.gone.is_set():
            self.loop.call_soon_threadsafe(self.events.put_nowait, event)

    def seconds(self) -> float:
        return time.perf_counter() - self.began


class Work:
    """Answers the questions of all programs and readers."""

    def __init__(
        self, engine: Callable[[], Engine | None], most: int, metrics: Metrics, line: Line
    ) -> None:
        """Begin with no work.

        :param engine: Returns the engine once it is loaded.
        :param most: Questions that are taken at once.
        :param line: Of those that wait for the LLM; to be shared with whoever else asks it.
        """
        self._engine = engine
        self._metrics = metrics
        self._line = line
        self._places = threading.BoundedSemaphore(most)
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="rawi-answer")

    @property
    def is_ready(self) -> bool:
        """Whether the engine is loaded."""
        return self._engine() is not None

    def close(self) -> None:
        """Wait for what runs and end the threads."""
        self._threads.shutdown()

    async def answer(
        self, question: str, history: Sequence[Turn] = ()
    ) -> AsyncGenerator[Event, None]:
        """Yield what ``Engine.answer`` yields; closing the iterator stops the work.

        :raises QuestionError: When the question can't be asked.
        :raises QueueFullError: When too many are being answered.
        :raises NotReadyError: When the engine isn't loaded.
        """
        engine = self._ready()
        question = check_question(question, engine.settings.question)
        asked = _Asked(question, history, asyncio.get_running_loop())
        self._submit(self._run, engine, asked)
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

    async def passages(self, question: str, k: int) -> list[Found]:
        """Return the ``k`` best passages.

        :raises RawiError: As ``answer``.
        """
        engine = self._ready()
        question = check_question(question, engine.settings.question)
        return await asyncio.wrap_future(self._submit(engine.retriever.passages, question, k))

    def _ready(self) -> Engine:
        engine = self._engine()
        if engine is None:
            raise NotReadyError("Rawi is still loading; ask again in a moment")
        return engine

    def _submit(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """Give work to a thread, which frees its place when it ends."""
        if not self._places.acquire(blocking=False):
            raise QueueFullError("too many questions at once; ask again in a moment")
        self._metrics.running.inc()

        def ended(_: Future[T]) -> None:
            self._metrics.running.dec()
            self._places.release()

        future = self._threads.submit(work, *arguments)
        future.add_done_callback(ended)
        return future

    def _run(self, engine: Engine, asked: _Asked) -> None:
        """Send the engine's events; an error is one, so that no reader waits for ever."""
        try:
            for event in self._events(engine, asked):
                asked.send(event)
        except RawiError as exc:
            self._metrics.errors.labels(type(exc).__name__).inc()
            asked.send(exc)
        except Exception:
            self._metrics.errors.labels("internal").inc()
            asked.send(InternalError("something went wrong here; it is in the log"))
            logger.exception("an answer failed")

    def _events(self, engine: Engine, asked: _Asked) -> Iterator[Event]:
        events = cast("Generator[Event, None, None]", engine.answer(asked.question, asked.history))
        with closing(events):
            if asked.gone.is_set():
                return
            yield next(events)
            self._metrics.evidence.observe(asked.seconds())
            with self._line.joined() as place:
                if not self._turn_came(place, asked):
                    return
                yield from self._written(events, asked)

    def _turn_came(self, place: Place, asked: _Asked) -> bool:
        with self._metrics.waiting.track_inprogress():
            return not any(asked.gone.is_set() for _ in place.waited()) and not asked.gone.is_set()

    def _written(self, events: Iterator[Event], asked: _Asked) -> Iterator[Event]:
        first = True
        for event in events:
            if asked.gone.is_set():
                return
            if first:
                self._metrics.first.observe(asked.seconds())
                first = False
            if isinstance(event, Answer):
                self._metrics.total.observe(asked.seconds())
                self._metrics.answered(event)
            yield event
