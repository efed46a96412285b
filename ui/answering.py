"""The engine's events → what the page shows of them, while others wait and a reader may stop it.

The engine runs in a thread of its own (``work.py``), so that a reader who stops is answered at
once, whatever the LLM is doing.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from rag.engine import Engine, Turn
from rag.errors import RawiError
from rag.language import detect
from ui.answer_steps import Shown, ended, failed, with_event
from ui.conversations import Message
from ui.line import Event
from ui.loading import Loader
from ui.scope import Among
from ui.work import Asked, QueueFullError

# Seconds between two looks at whether the reader has stopped.
_LOOK_S = 0.1
_YIELD_S = 1.0  # at least so often


@dataclass
class _Growing:
    """An answer as far as it came, and every step of it that is still to be shown."""

    shown: Shown
    history: Sequence[Turn]
    docs: Sequence[str]
    steps: queue.SimpleQueue[Shown] = field(default_factory=queue.SimpleQueue)

    def within(self, engine: Engine) -> Engine:
        """Return an engine that knows the chosen documents alone, as far as they are there."""
        if not self.docs:
            return engine
        among = Among.chosen(engine, self.docs)
        message = self.shown.message.model_copy(update=vars(among))
        self.shown = replace(self.shown, message=message)
        self.steps.put(self.shown)
        return engine.within(among.docs) if among.docs else engine

    def hear(self, event: Event | RawiError, engine: Engine) -> None:
        self.shown = with_event(self.shown, event, engine, self.history)
        self.steps.put(self.shown)


class Answering:
    """Answers the questions of the readers of a page."""

    def __init__(self, loader: Loader) -> None:
        """Answer with what the loader has."""
        self._loader = loader
        self._running: dict[str, Asked] = {}
        self._lock = threading.Lock()

    def stop(self, session: str) -> None:
        """Stop what is being answered for one reader; without anything, do nothing."""
        with self._lock:
            if asked := self._running.get(session):
                asked.gone.set()

    def answer(
        self,
        session: str,
        asker: str,
        question: str,
        history: Sequence[Turn],
        docs: Sequence[str] = (),
    ) -> Iterator[Shown]:
        """Yield the answer as it grows; the last one is ``done``.

        Closing the iterator stops the LLM, and so does the same session's next question.

        :param session: The page, by a name that its browser chose.
        :param asker: The address that the guard found.
        :param docs: Those that alone are asked, as far as they are there; none asks all.
        :raises QueueFullError: When too many are waiting already.
        """
        self.stop(session)
        message = Message(role="assistant", text="", language=detect(question))
        shown = Shown(message, "searching")
        growing = _Growing(shown, history, docs)
        with self._lock:
            if len(self._running) >= self._loader.settings.page.waiting:
                raise QueueFullError("too many readers wait")
            asked = self._loader.work.begin(asker, question, history, growing.hear, growing.within)
            self._running[session] = asked
        try:
            yield from self._shown(shown, asked, growing)
        finally:
            asked.gone.set()
            with self._lock:
                if self._running.get(session) is asked:
                    del self._running[session]

    def _shown(self, shown: Shown, asked: Asked, growing: _Growing) -> Iterator[Shown]:
        shown = replace(shown, stage="loading")
        while self._loader.engine is None and not asked.gone.is_set():
            if self._loader.wait(0):
                progress = self._loader.progress()
                empty = progress.stage == "no index"
                yield ended(shown, problem="empty") if empty else failed(shown, progress.reason)
                return
            yield shown
            self._loader.wait(1.0)
        shown = replace(shown, stage="searching")
        yield shown
        yielded = time.monotonic()
        while shown.stage != "done":
            changed = _next(shown, asked, growing)
            # Only where something is yielded can this be closed: when the reader has gone away.
            if changed != shown or time.monotonic() - yielded >= _YIELD_S:
                yield changed
                yielded = time.monotonic()
            shown = changed


def _next(shown: Shown, asked: Asked, growing: _Growing) -> Shown:
    """Return the answer after the next event, or as it was when nothing happened for a moment."""
    changed = shown
    with suppress(queue.Empty):
        changed = growing.steps.get(timeout=_LOOK_S)
    # What comes of a thread that was stopped is its end, which is no failure then.
    return ended(shown, problem="stopped") if asked.gone.is_set() else changed
