"""What the chat does with conversations and answers that are there, and what they are asked of."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import wait
from typing import Any

import gradio as gr

from rag.errors import GenerationError, QuestionError, RawiError
from ui import export, messages, panels, sources, text
from ui.chat_view import ChatView, Update
from ui.components import asker, carried, given, given_number
from ui.conversations import MOST_DOCS, Conversation, Conversations, Message, Quote
from ui.feedback import Notes
from ui.loading import Loader
from ui.messages import translation_html
from ui.panels import picker_html, scope_html, titles_of
from ui.work import NotReadyError, QueueFullError

logger = logging.getLogger(__name__)

_LOOK_S = 1.0  # so often the page is told that it still waits for a translation


class ReadEvents:
    """Opens articles, moves between conversations, notes what readers think, keeps their choice."""

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
                yield from self._translated(message, quote, asker(request))

    def _translated(self, message: Message, quote: Quote, asker: str) -> Iterator[str]:
        """Yield that it is waited for, then the translation, or that there is none.

        It takes a reader's place and waits for the LLM as a question does.
        """
        engine, span = self._loader.engine, slice(quote.start, quote.end)
        if engine and engine.retriever.storage.text(quote.doc)[span] != quote.text:
            yield translation_html(message, quote, why=text.SOURCE_CHANGED)
            return
        said, why, again = "", text.UNTRANSLATED, False
        try:
            translating = self._loader.work.translating(asker, quote.doc, quote.start, quote.end)
            while not translating.done():  # left only at a yield, when its reader has gone away
                yield translation_html(message, quote, waits=True)
                wait([translating], timeout=_LOOK_S)
            said = translating.result()
        except QueueFullError:
            why, again = text.QUEUE_FULL, True
        except (GenerationError, NotReadyError):
            again = True
        except QuestionError:  # it is no single sentence any more
            pass
        yield translation_html(message, quote, said, why=None if said else why, again=again)

    def open(self, event: gr.EventData) -> str:
        """Open an article from its beginning."""
        engine = self._loader.engine
        return "" if engine is None else sources.document_html(engine, given(event, "doc"))

    def close(self) -> str:
        """Close the article, or the list of documents."""
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

    def choose(self, kept: Any, editing: str) -> str:
        """Show the documents."""
        return picker_html(titles_of(self._loader.engine), Conversations.read(kept).current.docs)

    def chosen(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Keep which documents are ticked."""
        docs = carried(event).get("docs")
        rows = docs if isinstance(docs, list) else []
        ticked = dict.fromkeys(str(one.get("doc")) for one in rows if isinstance(one, dict))
        titles = titles_of(self._loader.engine)
        known = [doc for doc in ticked if doc in titles]
        nth = given_number(event, "nth") or 0
        return self._kept(Conversations.read(kept).asking(known[:MOST_DOCS]), nth)

    def all(self, kept: Any, editing: str) -> Update:
        """Ask all documents again."""
        return {**self._kept(Conversations.read(kept).asking(())), self._view.chat.picker: ""}

    def scope(self, kept: Any, editing: str) -> str:
        """Say which documents are asked, after they may have changed."""
        return scope_html(self._loader.engine, Conversations.read(kept).current.docs)

    def _kept(self, kept: Conversations, nth: int = 0) -> Update:
        said = scope_html(self._loader.engine, kept.current.docs, nth)
        return {self._view.chat.kept: kept.dump(), self._view.chat.scope: said}
