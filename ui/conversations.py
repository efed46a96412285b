"""What the browser keeps: conversations of messages, with the sentences behind every answer.

They come back from the browser with every event, so they are anybody's: what doesn't have this
shape is dropped, and every text in it is escaped when it is shown.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.engine import Turn
from rag.language import Language, Span, clean

# A browser keeps some five million characters for a site; an answer with evidence takes five
# thousand.
MOST_CONVERSATIONS = 20
MOST_MESSAGES = 100
MOST_DOCS = 100
TITLE_CHARS = 60

How = Literal["", "written", "quoted", "refused", "told"]
Rating = Literal["", "up", "down"]


class _Kept(BaseModel):
    """Frozen, and written down as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")


_Line = Annotated[str, Field(max_length=1_000)]
_Path = Annotated[str, Field(max_length=4_096)]  # the system's own bound
MOST_CHARS = 20_000
_Text = Annotated[str, Field(max_length=MOST_CHARS)]
_Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Quote(_Kept):
    """A sentence of a document; ``marker`` is 0 unless the answer cites it.

    :ivar marks: Places within ``text`` of the words that carry the answer.
    """

    marker: _Count = 0
    doc: _Path
    title: _Path = ""
    start: _Count
    end: _Count
    text: _Text
    language: Language
    marks: Annotated[tuple[tuple[_Count, _Count], ...], Field(max_length=200)] = ()
    page: _Count | None = None
    author: _Line = ""
    date: _Line = ""


_Quotes = Annotated[tuple[Quote, ...], Field(max_length=50)]
_Docs = Annotated[tuple[_Path, ...], Field(max_length=MOST_DOCS)]


class Message(_Kept):
    """A question, or an answer with what it stands on.

    :ivar docs: Of an answer, the documents that alone were asked, of as many as ``of``; none where
        all were.
    :ivar short: What the text begins with, where that is short and in Rawi's own words.
    :ivar near: Questions about what is near that the documents do answer.
    :ivar problem: Why there is no answer, or not the model's: ``stopped``, ``model`` (the sentences
        themselves are shown), ``failed``, ``empty`` (nothing is indexed); else empty.
    :ivar detail: What the model or the engine said of the problem.
    :ivar proof: That it was answered here; see ``feedback.Notes``.
    """

    id: _Line = Field(default_factory=lambda: secrets.token_hex(6))
    role: Literal["user", "assistant"]
    text: _Text
    language: Language
    citations: _Quotes = ()
    evidence: _Quotes = ()
    docs: _Docs = ()
    of: _Count = 0
    how: How = ""
    short: _Line = ""
    near: Annotated[tuple[_Line, ...], Field(max_length=10)] = ()
    problem: Literal["", "stopped", "model", "failed", "empty"] = ""
    detail: _Text = ""
    rating: Rating = ""
    reason: _Line = ""
    seconds: float = Field(0.0, ge=0, le=1e6, allow_inf_nan=False)
    proof: _Line = ""


class Conversation(_Kept):
    """Messages in turn, questions and answers.

    :ivar docs: The documents that alone are asked; none asks all.
    :ivar name: What its reader calls it; empty when they gave it no name.
    """

    id: _Line = Field(default_factory=lambda: secrets.token_hex(6))
    messages: Annotated[tuple[Message, ...], Field(max_length=MOST_MESSAGES)] = ()
    docs: _Docs = ()
    name: _Line = ""

    @property
    def title(self) -> str:
        """Its name or its first question, shortened; empty before one is asked."""
        text = self.name or next((m.text for m in self.messages if m.role == "user"), "")
        return text if len(text) <= TITLE_CHARS else text[: TITLE_CHARS - 1] + "…"

    def with_message(self, message: Message) -> Conversation:
        """Return it with one more message; the oldest go when there are too many."""
        return self.model_copy(update={"messages": (*self.messages, message)[-MOST_MESSAGES:]})

    def before(self, message_id: str) -> Conversation:
        """Return what went before a message; all of it when there is no such message."""
        for at, message in enumerate(self.messages):
            if message.id == message_id:
                return self.model_copy(update={"messages": self.messages[:at]})
        return self

    def question_of(self, message_id: str) -> Message | None:
        """Return the question that a message is, or answers."""
        found = None
        for message in self.messages:
            found = message if message.role == "user" else found
            if message.id == message_id:
                return found
        return None

    def answer(self, message_id: str) -> Message | None:
        """Return one of its answers."""
        return next(
            (m for m in self.messages if m.id == message_id and m.role == "assistant"), None
        )

    def quote(self, doc: str, place: Span, citing: Message | None) -> str:
        """Return what stood at a place of a document when an answer was given; "" if none tells.

        :param citing: Who doesn't say which answer is told what the last of them quotes.
        """
        answers = reversed(self.messages) if citing is None else [citing]
        quotes = (q for message in answers for q in (*message.citations, *message.evidence))
        return next((q.text for q in quotes if (q.doc, q.start, q.end) == (doc, *place)), "")

    def rated(self, message_id: str, rating: Rating, reason: str = "") -> Conversation:
        """Return it with what its reader thinks of an answer."""
        messages = tuple(
            m.model_copy(update={"rating": rating, "reason": reason}) if m.id == message_id else m
            for m in self.messages
        )
        return self.model_copy(update={"messages": messages})

    def turns(self) -> list[Turn]:
        """Return what the engine is told of it."""
        return [Turn(m.role, m.text) for m in self.messages if m.text]


class Conversations(_Kept):
    """All that one browser keeps, the newest first, and which one is open.

    :ivar cleared: The one that was cleared a moment ago, and can be brought back.
    :ivar docs: What a conversation that hasn't begun will ask.
    """

    open: _Line = ""
    cleared: Conversation | None = None
    kept: Annotated[tuple[Conversation, ...], Field(max_length=MOST_CONVERSATIONS)] = ()
    docs: _Docs = ()

    @classmethod
    def read(cls, value: Any) -> Conversations:
        """Return what a browser sent, or was read already; nothing when it has another shape."""
        try:
            return cls.model_validate(value or {})
        except ValidationError:
            return cls()

    def dump(self) -> dict[str, Any]:
        """Return it as the browser keeps it."""
        return self.model_dump(mode="json")

    @property
    def current(self) -> Conversation:
        """The open conversation; a new one when none is."""
        return next((c for c in self.kept if c.id == self.open), Conversation(docs=self.docs))

    def put(self, conversation: Conversation) -> Conversations:
        """Open a conversation and keep its newest state; one without messages isn't kept."""
        others = tuple(c for c in self.kept if c.id != conversation.id)
        kept = (conversation, *others) if conversation.messages else others
        return Conversations(open=conversation.id, kept=kept[:MOST_CONVERSATIONS])

    def opened(self, conversation_id: str) -> Conversations:
        """Open another of the kept conversations, or a new one when there is no such."""
        known = any(c.id == conversation_id for c in self.kept)
        docs = self.docs if conversation_id == self.open else ()
        opened = {"open": conversation_id if known else "", "cleared": None, "docs": docs}
        return self.model_copy(update=opened)

    def asking(self, docs: Sequence[str]) -> Conversations:
        """Have the open conversation ask some documents alone; all, where none are given."""
        current = self.current.model_copy(update={"docs": tuple(docs)})
        begun = bool(current.messages)
        return self.put(current) if begun else self.model_copy(update={"docs": current.docs})

    def renamed(self, conversation_id: str, name: str) -> Conversations:
        """Give a conversation a name; without one it is called by its first question again."""
        name = " ".join(clean(name).split())[:TITLE_CHARS]
        kept = tuple(
            c.model_copy(update={"name": name}) if c.id == conversation_id else c for c in self.kept
        )
        return self.model_copy(update={"kept": kept})

    def without(self, conversation_id: str) -> Conversations:
        """Clear a conversation; another that is open stays open."""
        cleared = next((c for c in self.kept if c.id == conversation_id), None)
        kept = tuple(c for c in self.kept if c.id != conversation_id)
        open_ = "" if self.open == conversation_id else self.open
        docs = self.docs if open_ == self.open else ()
        return Conversations(open=open_, kept=kept, cleared=cleared, docs=docs)

    def restored(self) -> Conversations:
        """Bring back what was cleared; it is opened unless another is."""
        if self.cleared is None:
            return self
        back = self.put(self.cleared)
        return back.opened(self.open or back.open)
