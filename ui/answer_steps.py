"""One event of the engine more → what the page shows of the answer then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from rag.engine import Answer, Engine, Evidence, Token
from rag.errors import RawiError
from rag.grounding import Citation
from rag.language import detect
from rag.retrieval import Found
from ui import examples
from ui.conversations import MOST_CHARS, Message, Quote
from ui.line import Ahead
from ui.scope import Among

# Characters of a sentence that stand beside the answer; its article has all of it.
_SHOWN_CHARS = 1_000


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


@dataclass(frozen=True)
class Told:
    """An answer with the questions that it leaves: of a refusal, what is near and answered."""

    answer: Answer
    near: tuple[str, ...] = ()


def with_event(shown: Shown, event: object, engine: Engine) -> Shown:
    """Return an answer after one event: of the engine, the line, or an error of either."""
    message = shown.message
    if isinstance(event, Among):
        return replace(shown, message=message.model_copy(update=vars(event)))
    if isinstance(event, Evidence):
        evidence = tuple(_evidence(found, engine) for found in event.sentences)
        return Shown(message.model_copy(update={"evidence": evidence}), "writing")
    if isinstance(event, Ahead):
        if event.warming and not event.count:
            return Shown(message, "warming")
        return Shown(message, "waiting" if event.count else "writing", event.count)
    if isinstance(event, Token):
        return Shown(message.model_copy(update={"text": message.text + event.text}), "writing")
    if isinstance(event, Told):
        return Shown(_answered(message, event.answer, engine, event.near), "done")
    return failed(shown, str(event) if isinstance(event, RawiError) else "")


def told(answer: Answer, engine: Engine) -> Told:
    """Return an answer, and where there is none what may be asked instead."""
    near = examples.near(engine, answer.evidence, answer.language) if answer.abstained else ()
    return Told(answer, near)


def _answered(message: Message, answer: Answer, engine: Engine, near: tuple[str, ...]) -> Message:
    return message.model_copy(
        update={
            "text": answer.answer[:MOST_CHARS],
            "language": answer.language,
            "citations": tuple(_cited(c, engine) for c in answer.citations),
            "how": answer.how,
            "near": near,
            "problem": "model" if answer.failure else "",
            "detail": answer.failure[:MOST_CHARS],
            "seconds": round(answer.timings.total_s, 1),
        }
    )


def failed(shown: Shown, reason: str) -> Shown:
    """Return an answer that will not come, with the engine's own words for why."""
    return ended(shown, problem="failed", detail=reason)


def ended(shown: Shown, **fields: str) -> Shown:
    """Return an answer as far as it came, with these fields of its message."""
    return Shown(shown.message.model_copy(update=fields), "done")


def _cited(citation: Citation, engine: Engine) -> Quote:
    return Quote(
        marker=citation.marker,
        doc=citation.doc,
        title=title_of(engine, citation.doc),
        start=citation.start,
        end=citation.end,
        text=citation.quote[:MOST_CHARS],
        language=detect(citation.quote),
        marks=tuple((a - citation.start, z - citation.start) for a, z in citation.marks),
        page=citation.page,
    )


def _evidence(found: Found, engine: Engine) -> Quote:
    return Quote(
        doc=found.doc,
        title=title_of(engine, found.doc),
        start=found.start,
        end=found.end,
        text=found.text if len(found.text) <= _SHOWN_CHARS else found.text[:_SHOWN_CHARS] + "…",
        language=found.language,
        page=engine.retriever.storage.page(found.doc, found.start),
    )


def title_of(engine: Engine, doc: str) -> str:
    """Return a document's title; its id when the index doesn't hold it."""
    return engine.retriever.storage.title(doc) or doc
