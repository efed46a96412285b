"""The engine's events → what the page shows of them, while others wait and a reader may stop it.

The engine runs in a thread of its own, so that a reader who stops is answered at once, whatever the
LLM is doing; the thread closes the engine's iterator, and so the LLM, as soon as it can.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from rag.engine import Answer, Engine, Turn
from rag.errors import RawiError
from rag.language import detect
from ui.answer_steps import Shown, ended, failed, told, with_event
from ui.conversations import Message
from ui.line import in_turn
from ui.loading import Loader

# Seconds between two looks at whether the reader has stopped.
_LOOK_S = 0.1
_YIELD_S = 1.0  # at least so often


@dataclass(frozen=True)
class _Ended:
    """The thread has ended; without an answer before it, something went wrong in there."""


@dataclass
class _Asked:
    """A question with its own thread, which fills ``events``.

    :ivar leave: Gives its place back; the thread does that, once it has begun.
    """

    question: str
    history: Sequence[Turn]
    leave: Callable[[], None]
    begun: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    events: queue.SimpleQueue[object] = field(default_factory=queue.SimpleQueue)


class BusyError(RawiError):
    """More questions are waiting than are taken at once, of all or of one address."""


class Answering:
    """Answers the questions of all readers of the page, one after the other."""

    def __init__(self, loader: Loader) -> None:
        """Answer with what the loader has."""
        self._loader = loader
        self._running: dict[str, _Asked] = {}
        self._lock = threading.Lock()

    def stop(self, session: str) -> None:
        """Stop what is being answered for one reader; without anything, do nothing."""
        with self._lock:
            if asked := self._running.get(session):
                asked.stop.set()

    def answer(
        self, session: str, asker: str, question: str, history: Sequence[Turn]
    ) -> Iterator[Shown]:
        """Yield the answer as it grows; the last one is ``done``.

        Closing the iterator stops the LLM, and so does the same session's next question.

        :param session: The page, by a name that its browser chose.
        :param asker: The address that the guard found.
        :raises BusyError: When too many are waiting already.
        """
        self.stop(session)
        readers = self._loader.readers
        if not readers.take(asker):
            raise BusyError
        asked = _Asked(question, history, partial(readers.leave, asker))
        try:
            with self._lock:
                self._running[session] = asked
            yield from self._shown(asked)
        finally:
            asked.stop.set()
            with self._lock:
                if self._running.get(session) is asked:
                    del self._running[session]
            if not asked.begun:
                asked.leave()

    def _shown(self, asked: _Asked) -> Iterator[Shown]:
        shown = Shown(
            Message(role="assistant", text="", language=detect(asked.question)), "loading"
        )
        while self._loader.engine is None and not asked.stop.is_set():
            if self._loader.wait(0):
                progress = self._loader.progress()
                empty = progress.stage == "no index"
                yield ended(shown, problem="empty") if empty else failed(shown, progress.reason)
                return
            yield shown
            self._loader.wait(1.0)
        engine = self._loader.engine
        if engine is not None:
            threading.Thread(target=self._run, args=(engine, asked), daemon=True).start()
            asked.begun = True
        shown = replace(shown, stage="searching")
        yield shown
        yielded = time.monotonic()
        while shown.stage != "done":
            changed = _next(shown, asked, engine)
            # Only where something is yielded can this be closed: when the reader has gone away.
            if changed != shown or time.monotonic() - yielded >= _YIELD_S:
                yield changed
                yielded = time.monotonic()
            shown = changed

    def _run(self, engine: Engine, asked: _Asked) -> None:
        """Put the engine's events into the queue."""
        try:
            events = engine.answer(asked.question, asked.history)
            for event in in_turn(events, self._loader.lines, asked.stop.is_set):
                asked.events.put(told(event, engine) if isinstance(event, Answer) else event)
        except RawiError as exc:
            asked.events.put(exc)
        finally:
            asked.leave()
            asked.events.put(_Ended())


def _next(shown: Shown, asked: _Asked, engine: Engine | None) -> Shown:
    """Return the answer after the next event, or as it was when nothing happened for a moment."""
    event = None
    with suppress(queue.Empty):
        event = asked.events.get(timeout=_LOOK_S)
    # What comes of a thread that was stopped is its end, which is no failure then.
    if asked.stop.is_set() or engine is None:
        return ended(shown, problem="stopped")
    return shown if event is None else with_event(shown, event, engine)
