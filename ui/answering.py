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
from typing import Literal

from rag.engine import Answer, Engine, Evidence, Token, Turn
from rag.errors import RawiError
from rag.grounding import Citation
from rag.language import detect
from rag.retrieval import Found
from ui import examples
from ui.conversations import MOST_CHARS, Message, Quote
from ui.line import Ahead, Event
from ui.loading import Loader
from ui.work import Asked, InternalError, QueueFullError

# Characters of a sentence that stand beside the answer; its article has all of it.
_SHOWN_CHARS = 1_000
# Of a short answer that is shown large; a longer one is prose.
_LARGE_CHARS = 120
# Seconds between two looks at whether the reader has stopped.
_LOOK_S = 0.1
_YIELD_S = 1.0  # at least so often


@dataclass(frozen=True)
class Shown:
    """An answer on its way.

    :ivar message: What there is of it.
    :ivar stage: ``loading``, ``searching``, ``waiting`` for others, ``warming`` while the LLM reads
        ahead, ``writing`` or ``done``.
    :ivar ahead: How many questions are before it, when it is waiting.
    """

    message: Message
    stage: Literal["loading", "searching", "waiting", "warming", "writing", "done"]
    ahead: int = 0


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
        titles = engine.retriever.titles()
        docs = tuple(doc for doc in self.docs if doc in titles)
        message = self.shown.message.model_copy(update={"docs": docs, "of": len(titles)})
        self.shown = replace(self.shown, message=message)
        self.steps.put(self.shown)
        return engine.within(docs) if docs else engine

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
                yield ended(shown, "empty") if empty else ended(shown, "failed", progress.reason)
                return
            yield shown
            self._loader.wait(1.0)
        shown = replace(shown, stage="searching")
        yield shown
        yielded = time.monotonic()
        while shown.stage != "done":
            changed = shown  # when nothing happens for a moment
            with suppress(queue.Empty):
                changed = growing.steps.get(timeout=_LOOK_S)
            if asked.gone.is_set():  # what comes of a thread that was stopped is no failure
                changed = ended(shown, "stopped")
            # Only where something is yielded can this be closed: when the reader has gone away.
            if changed != shown or time.monotonic() - yielded >= _YIELD_S:
                yield changed
                yielded = time.monotonic()
            shown = changed


def with_event(
    shown: Shown, event: Event | RawiError, engine: Engine, history: Sequence[Turn] = ()
) -> Shown:
    """Return an answer after one event: of the engine, the line, or an error of either."""
    message = shown.message
    if isinstance(event, Evidence):
        evidence = tuple(_evidence(found, engine) for found in event.sentences)
        return Shown(message.model_copy(update={"evidence": evidence}), "writing")
    if isinstance(event, Ahead):
        if event.warming and not event.count:
            return Shown(message, "warming")
        return Shown(message, "waiting" if event.count else "writing", event.count)
    if isinstance(event, Token):
        return Shown(message.model_copy(update={"text": message.text + event.text}), "writing")
    if isinstance(event, Answer):
        if event.abstained:
            near = examples.near(engine, event.evidence, event.language)
        else:
            near = examples.following(engine, event, [turn.content for turn in history])
        return Shown(_answered(message, event, near), "done")
    return ended(shown, "failed", "" if isinstance(event, InternalError) else str(event))


def _answered(message: Message, answer: Answer, near: tuple[str, ...]) -> Message:
    return message.model_copy(
        update={
            "text": answer.answer[:MOST_CHARS],
            "language": answer.language,
            "citations": tuple(map(_cited, answer.citations)),
            "how": answer.how,
            "short": answer.short_answer if len(answer.short_answer) <= _LARGE_CHARS else "",
            "near": near,
            "problem": "model" if answer.failure else "",
            "detail": answer.failure[:MOST_CHARS],
            "seconds": round(answer.timings.total_s, 1),
        }
    )


def ended(shown: Shown, problem: str, detail: str = "") -> Shown:
    """Return an answer as far as it came, and why no more of it comes.

    :param detail: The engine's own words for it.
    """
    fields = {"problem": problem, "detail": detail}
    return Shown(shown.message.model_copy(update=fields), "done")


def _cited(citation: Citation) -> Quote:
    said = {
        "title": citation.title or citation.doc,
        "text": citation.quote[:MOST_CHARS],
        "language": detect(citation.quote),
        "marks": [(a - citation.start, z - citation.start) for a, z in citation.marks],
    }
    return Quote.model_validate({**vars(citation), **said})


def _evidence(found: Found, engine: Engine) -> Quote:
    known = engine.retriever.storage.origin(found.doc)
    said = {
        "title": known.title or found.doc,
        "text": found.text if len(found.text) <= _SHOWN_CHARS else found.text[:_SHOWN_CHARS] + "…",
        "page": engine.retriever.storage.page(found.doc, found.start),
    }
    return Quote.model_validate({**vars(found), **vars(known), **said})
