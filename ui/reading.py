"""What the chat does with conversations and answers that are there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import gradio as gr

from rag.errors import RawiError
from ui import address, export, messages, panels, sources, text, translation
from ui.chat_view import ChatView, Update
from ui.components import given, given_number
from ui.conversations import Conversation, Conversations, Message
from ui.feedback import Notes
from ui.loading import Loader

logger = logging.getLogger(__name__)


class ReadEvents:
    """Opens articles, moves between conversations, notes what readers think."""

    def __init__(self, loader: Loader, view: ChatView, notes: Notes) -> None:
        """Read what the loader has, and note what readers think."""
        self._notes = notes
        self._loader = loader
        self._settings = loader.settings
        self._view = view

    def new(self, kept: Any, editing: str) -> Update:
        """Begin a conversation."""
        return self._moved(Conversations.read(kept).opened(""))

    def pick(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Open one of the conversations."""
        return self._moved(Conversations.read(kept).opened(given(event, "id")))

    def delete(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Clear a conversation; for a moment it can be brought back."""
        conversations = Conversations.read(kept)
        return self._changed(conversations, conversations.without(given(event, "id")), editing)

    def rename(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Call a conversation by another name."""
        conversations = Conversations.read(kept)
        named = conversations.renamed(given(event, "id"), given(event, "name"))
        return self._changed(conversations, named, editing)

    def restore(self, kept: Any, editing: str) -> Update:
        """Bring back the conversation that was cleared."""
        conversations = Conversations.read(kept)
        return self._changed(conversations, conversations.restored(), editing)

    def forget(self, kept: Any, editing: str) -> Update:
        """Keep nothing of the conversation that was cleared."""
        conversations = Conversations.read(kept)
        return self._view.shown(conversations.opened(conversations.open))

    def _changed(self, before: Conversations, kept: Conversations, editing: str) -> Update:
        return self._view.shown(kept, editing) if kept.open == before.open else self._moved(kept)

    def _moved(self, kept: Conversations) -> Update:
        return {**self._view.shown(kept), self._view.chat.source: "", self._view.chat.question: ""}

    def edit(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Put a question back where it is typed; without an id, leave off editing."""
        conversations = Conversations.read(kept)
        question = conversations.current.question_of(given(event, "id"))
        if question is None:
            return {**self._view.shown(conversations), self._view.chat.question: ""}
        shown = self._view.shown(conversations, question.id)
        return {**shown, self._view.chat.question: question.text}

    def export(self, kept: Any, editing: str, event: gr.EventData) -> str:
        """Hand the open conversation to the browser as a file."""
        kind: export.Kind = "json" if given(event, "kind") == "json" else "md"
        file = export.export(Conversations.read(kept).current, kind)
        return panels.download_html(file)

    def cite(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Open an article at a sentence, above the evidence of the answer that cites it."""
        engine, chat = self._loader.engine, self._view.chat
        start, end = given_number(event, "start"), given_number(event, "end")
        if engine is None or start is None or end is None:
            return {chat.source: ""}
        shown: Update = {chat.source: sources.source_html(engine, given(event, "doc"), start, end)}
        citing = Conversations.read(kept).current.answer(given(event, "message"))
        if citing is not None:
            shown[chat.evidence] = messages.evidence_html(citing)
        return shown

    def turn(self, event: gr.EventData) -> str:
        """Show more of the article, or another piece of it."""
        engine = self._loader.engine
        places = [given_number(event, name) for name in ("start", "end", "at", "here")]
        if engine is None or None in places:
            return ""
        start, end, at, here = (place or 0 for place in places)
        return sources.piece_html(engine, given(event, "doc"), start, end, at, here)

    def translate(
        self, kept: Any, editing: str, event: gr.EventData, request: gr.Request
    ) -> Iterator[str]:
        """Put a quote of an answer into the answer's language, in turn with all who ask the LLM."""
        message = Conversations.read(kept).current.answer(given(event, "message"))
        marker = given_number(event, "marker")
        for quote in message.citations if message else ():
            if message and quote.marker == marker:
                asker = address.asker(request.request.scope) if request.request else ""
                yield from translation.steps(self._loader, asker, message, quote)

    def open(self, event: gr.EventData) -> str:
        """Open an article from its beginning."""
        engine = self._loader.engine
        return "" if engine is None else sources.document_html(engine, given(event, "doc"))

    def close(self) -> str:
        """Close the article."""
        return ""

    def rate(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Note a thumb up or down; the same one again takes it back."""
        conversations = Conversations.read(kept)
        current, id_ = conversations.current, given(event, "id")
        answer, wanted = current.answer(id_), given(event, "rating")
        if answer is None or wanted not in ("up", "down"):
            return self._view.shown(conversations)
        rating: Any = "" if answer.rating == wanted else wanted
        self._note(current, answer.model_copy(update={"rating": rating}))
        return self._view.shown(conversations.put(current.rated(id_, rating)))

    def reason(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Note why an answer is bad."""
        conversations = Conversations.read(kept)
        current, id_ = conversations.current, given(event, "id")
        answer, reason = current.answer(id_), given(event, "reason")
        if answer is None or reason not in text.REASONS:
            return self._view.shown(conversations)
        self._note(current, answer.model_copy(update={"rating": "down"}), reason)
        return self._view.shown(conversations.put(current.rated(id_, "down", reason)))

    def _note(self, current: Conversation, answer: Message, reason: str = "") -> None:
        question = current.question_of(answer.id)
        if question is None or not self._settings.page.feedback:
            return
        try:
            self._notes.note(question.text, answer, reason)
        except RawiError as exc:
            logger.warning("%s", exc)
