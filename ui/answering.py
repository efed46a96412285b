"""The engine's events → what the page shows of them, while others wait and a reader may stop it.

The engine runs in a thread of its own, so that a reader who stops is answered at once, whatever the
LLM is doing; the thread closes the engine's iterator, and so the LLM, as soon as it can.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Literal

from rag.engine import Answer, Engine, Evidence, Token, Turn
from rag.errors import RawiError
from rag.grounding import Citation
from rag.language import detect
from rag.retrieval import Found
from ui.conversations import Message, Quote
from ui.line import Line
from ui.loading import Loader

# Characters of a sentence that stand beside the answer; its article has all of it.
_SHOWN_CHARS = 1_000
# Seconds between two looks at whether the reader has stopped.
_LOOK_S = 0.1


@dataclass(frozen=True)
class Shown:
    """An answer on its way.

    :ivar message: What there is of it.
    :ivar stage: ``loading``, ``searching``, ``waiting``, ``writing`` or ``done``.
    :ivar ahead: How many questions are before it, when it is waiting.
    """

    message: Message
    stage: Literal["loading", "searching", "waiting", "writing", "done"]
    ahead: int = 0


@dataclass(frozen=True)
class _Ahead:
    """How many are before this question."""

    count: int


@dataclass(frozen=True)
class _Ended:
    """The thread has ended; without an answer before it, something went wrong in there."""


@dataclass
class _Asked:
    """A question with its own thread, which fills ``events``."""

    question: str
    history: Sequence[Turn]
    stop: threading.Event = field(default_factory=threading.Event)
    events: queue.SimpleQueue[object] = field(default_factory=queue.SimpleQueue)


class BusyError(RawiError):
    """More questions are waiting than are taken at once."""


class Answering:
    """Answers the questions of all readers of the page, one after the other."""

    def __init__(self, loader: Loader, most: int) -> None:
        """Answer with what the loader has.

        :param most: Questions that are taken at once.
        """
        self._loader = loader
        self._most = most
        self._line = Line()
        self._running: dict[str, _Asked] = {}

    def stop(self, session: str) -> None:
        """Stop what is being answered for one reader; without anything, do nothing."""
        if asked := self._running.get(session):
            asked.stop.set()

    def answer(self, session: str, question: str, history: Sequence[Turn]) -> Iterator[Shown]:
        """Yield the answer as it grows; the last one is ``done``.

        Closing the iterator stops the LLM.

        :raises BusyError: When too many are waiting already.
        """
        if len(self._running) >= self._most:
            raise BusyError
        asked = _Asked(question, history)
        self._running[session] = asked
        try:
            yield from self._shown(asked)
        finally:
            asked.stop.set()
            if self._running.get(session) is asked:
                del self._running[session]

    def _shown(self, asked: _Asked) -> Iterator[Shown]:
        shown = Shown(
            Message(role="assistant", text="", language=detect(asked.question)), "loading"
        )
        while self._loader.engine is None and not asked.stop.is_set():
            if self._loader.wait(0):
                yield _failed(shown, self._loader.progress().reason)
                return
            yield shown
            self._loader.wait(1.0)
        engine = self._loader.engine
        if engine is not None:
            threading.Thread(target=self._run, args=(engine, asked), daemon=True).start()
        shown = replace(shown, stage="searching")
        yield shown
        while shown.stage != "done":
            changed = _next(shown, asked, engine)
            if changed != shown:
                yield changed
            shown = changed

    def _run(self, engine: Engine, asked: _Asked) -> None:
        """Put the engine's events into the queue; find the evidence before waiting in line."""
        try:
            with closing(engine.answer(asked.question, asked.history)) as events:  # type: ignore[type-var]
                asked.events.put(next(events))
                with self._line.joined() as place:
                    for ahead in place.waited():
                        asked.events.put(_Ahead(ahead))
                        if asked.stop.is_set():
                            return
                    asked.events.put(_Ahead(0))
                    for event in events:
                        asked.events.put(event)
                        if asked.stop.is_set():
                            return
        except RawiError as exc:
            asked.events.put(exc)
        finally:
            asked.events.put(_Ended())


def _next(shown: Shown, asked: _Asked, engine: Engine | None) -> Shown:
    """Return the answer after the next event, or as it was when nothing happened for a moment."""
    if asked.stop.is_set() or engine is None:
        return _ended(shown, problem="stopped")
    try:
        return _with_event(shown, asked.events.get(timeout=_LOOK_S), engine)
    except queue.Empty:
        return shown


def _with_event(shown: Shown, event: object, engine: Engine) -> Shown:
    message = shown.message
    if isinstance(event, Evidence):
        evidence = tuple(_evidence(found, engine) for found in event.sentences)
        return Shown(message.model_copy(update={"evidence": evidence}), "writing")
    if isinstance(event, _Ahead):
        return Shown(message, "waiting" if event.count else "writing", event.count)
    if isinstance(event, Token):
        return Shown(message.model_copy(update={"text": message.text + event.text}), "writing")
    if isinstance(event, Answer):
        return Shown(_answered(message, event, engine), "done")
    return _failed(shown, str(event) if isinstance(event, RawiError) else "")


def _answered(message: Message, answer: Answer, engine: Engine) -> Message:
    return message.model_copy(
        update={
            "text": answer.answer,
            "language": detect(answer.answer),
            "citations": tuple(_cited(c, engine) for c in answer.citations),
            "how": answer.how,
            "corrected": answer.corrected and not answer.failure,
            "problem": "model" if answer.failure else "",
            "detail": answer.failure,
            "seconds": round(answer.timings.total_s, 1),
        }
    )


def _failed(shown: Shown, reason: str) -> Shown:
    return _ended(shown, problem="failed", detail=reason)


def _ended(shown: Shown, **fields: str) -> Shown:
    return Shown(shown.message.model_copy(update=fields), "done")


def _cited(citation: Citation, engine: Engine) -> Quote:
    return Quote(
        marker=citation.marker,
        doc=citation.doc,
        title=title_of(engine, citation.doc),
        start=citation.start,
        end=citation.end,
        text=citation.quote,
        language=detect(citation.quote),
    )


def _evidence(found: Found, engine: Engine) -> Quote:
    return Quote(
        doc=found.doc,
        title=title_of(engine, found.doc),
        start=found.start,
        end=found.end,
        text=found.text if len(found.text) <= _SHOWN_CHARS else found.text[:_SHOWN_CHARS] + "…",
        language=found.language,
    )


def title_of(engine: Engine, doc: str) -> str:
    """Return a document's title; its id when the index doesn't hold it."""
    return engine.retriever.storage.title(doc) or doc
