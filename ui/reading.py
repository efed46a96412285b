"""What the chat does with conversations and answers that are there, and what they are asked of."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import wait
from typing import Any

import gradio as gr

from rag.errors import GenerationError, QuestionError, RawiError
from rag.language import Span
from ui import export, messages, panels, sources, text
from ui.chat import Chat
from ui.components import Update, asker, carried, given, given_number, on
from ui.conversations import MOST_DOCS, Conversations, Message, Quote, Rating
from ui.feedback import Notes
from ui.messages import translation_html
from ui.work import NotReadyError, QueueFullError

logger = logging.getLogger(__name__)

_LOOK_S = 1.0  # so often the page is told that it still waits for a translation


class ReadEvents:
    """Opens articles, moves between conversations, notes what readers think, keeps their choice."""

    def __init__(self, chat: Chat, notes: Notes) -> None:
        """Read what the chat's loader has, and note what readers think."""
        self._notes = notes
        self._loader = chat.loader
        self._chat = chat
        kept = [chat.kept]
        for listen, handle, inputs, outputs in (
            (chat.messages.edit, self.edit, kept, chat.changing),
            (chat.messages.rate, self.rate, kept, chat.changing),
            (chat.messages.reason, self.reason, kept, chat.changing),
            (chat.messages.cite, self.cite, kept, [chat.source, chat.evidence]),
            (chat.evidence.cite, self.cite, kept, [chat.source, chat.evidence]),
            (chat.welcome.open, self.open, [], [chat.source]),
            (chat.source.turn, self.turn, [], [chat.source]),
            (chat.source.close, self.close, [], [chat.source]),
            (chat.conversations.new, self.new, kept, chat.changing),
            (chat.conversations.pick, self.pick, kept, chat.changing),
            (chat.conversations.delete, self.delete, chat.state, chat.changing),
            (chat.conversations.rename, self.rename, chat.state, chat.changing),
            (chat.conversations.export, self.export, kept, [chat.download]),
            (chat.cleared.restore, self.restore, chat.state, chat.changing),
            (chat.cleared.forget, self.forget, kept, chat.changing),
            (chat.scope.choose, self.choose, kept, [chat.picker]),
            (chat.scope.all, self.all, kept, [chat.kept, chat.scope, chat.picker]),
            (chat.scope.refresh, chat.scope_html, kept, [chat.scope]),
            (chat.picker.close, self.close, [], [chat.picker]),
        ):
            on(listen, handle, inputs, outputs, queue=False)
        # The page sends the next change when it sees this answer, before Gradio holds it for ended.
        ticked, outputs = chat.picker.chosen, [chat.kept, chat.scope]
        on(ticked, self.chosen, kept, outputs, queue=False, trigger_mode="multiple")
        asked, said = chat.messages.translate, [chat.translation]
        on(asked, self.translate, kept, said, concurrency_limit=None)

    def new(self, kept: Any) -> Update:
        """Begin a conversation."""
        return self._moved(Conversations.read(kept).opened(""))

    def pick(self, kept: Any, event: gr.EventData) -> Update:
        """Open one of the conversations."""
        return self._moved(Conversations.read(kept).opened(given(event, "id")))

    def delete(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Clear a conversation; for a moment it can be brought back."""
        kept = Conversations.read(kept)
        return self._changed(kept, kept.without(given(event, "id")), editing)

    def rename(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Call a conversation by another name."""
        kept = Conversations.read(kept)
        named = kept.renamed(given(event, "id"), given(event, "name"))
        return self._changed(kept, named, editing)

    def restore(self, kept: Any, editing: str) -> Update:
        """Bring back the conversation that was cleared."""
        kept = Conversations.read(kept)
        return self._changed(kept, kept.restored(), editing)

    def forget(self, kept: Any) -> Update:
        """Keep nothing of the conversation that was cleared."""
        kept = Conversations.read(kept)
        return self._chat.shown(kept.opened(kept.open))

    def _changed(self, before: Conversations, kept: Conversations, editing: str) -> Update:
        return self._chat.shown(kept, editing) if kept.open == before.open else self._moved(kept)

    def _moved(self, kept: Conversations) -> Update:
        return {**self._chat.shown(kept), self._chat.source: "", self._chat.question: ""}

    def edit(self, kept: Any, event: gr.EventData) -> Update:
        """Put a question back where it is typed; without an id, leave off editing."""
        kept = Conversations.read(kept)
        question = kept.current.question_of(given(event, "id"))
        shown = self._chat.shown(kept, question.id if question else "")
        return {**shown, self._chat.question: question.text if question else ""}

    def export(self, kept: Any, event: gr.EventData) -> str:
        """Hand the open conversation to the browser as a file."""
        kind: export.Kind = "json" if given(event, "kind") == "json" else "md"
        return panels.download_html(export.export(Conversations.read(kept).current, kind))

    def cite(self, kept: Any, event: gr.EventData) -> Update:
        """Open an article at a sentence, above the evidence of the answer that cites it."""
        engine, chat = self._loader.engine, self._chat
        start, end = given_number(event, "start"), given_number(event, "end")
        if engine is None or start is None or end is None:
            return {chat.source: ""}
        doc, place = given(event, "doc"), Span(start, end)
        current = Conversations.read(kept).current
        citing = current.answer(given(event, "message"))
        quote = current.quote(doc, place, citing)
        shown: Update = {chat.source: sources.source_html(engine, doc, place, quote)}
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

    def translate(self, kept: Any, event: gr.EventData, request: gr.Request) -> Iterator[str]:
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

    def rate(self, kept: Any, event: gr.EventData) -> Update:
        """Note a thumb up or down; the same one again takes it back."""
        kept = Conversations.read(kept)
        answer, wanted = kept.current.answer(given(event, "id")), given(event, "rating")
        if answer is not None and wanted in ("up", "down"):
            rating: Any = "" if answer.rating == wanted else wanted
            kept = self._rated(kept, answer, rating)
        return self._chat.shown(kept)

    def reason(self, kept: Any, event: gr.EventData) -> Update:
        """Note why an answer is bad."""
        kept = Conversations.read(kept)
        answer, reason = kept.current.answer(given(event, "id")), given(event, "reason")
        if answer is not None and reason in text.REASONS:
            kept = self._rated(kept, answer, "down", reason)
        return self._chat.shown(kept)

    def _rated(
        self, kept: Conversations, answer: Message, rating: Rating, reason: str = ""
    ) -> Conversations:
        question = kept.current.question_of(answer.id)
        if question is not None and self._loader.settings.page.feedback:
            rated = answer.model_copy(update={"rating": rating})
            try:
                self._notes.note(question.text, rated, reason)
            except RawiError as exc:
                logger.warning("%s", exc)
        return kept.put(kept.current.rated(answer.id, rating, reason))

    def choose(self, kept: Any) -> str:
        """Show the documents."""
        return panels.picker_html(
            panels.titles_of(self._loader.engine), Conversations.read(kept).current.docs
        )

    def chosen(self, kept: Any, event: gr.EventData) -> Update:
        """Keep which documents are ticked."""
        docs = carried(event).get("docs")
        rows = docs if isinstance(docs, list) else []
        ticked = dict.fromkeys(str(one.get("doc")) for one in rows if isinstance(one, dict))
        titles = panels.titles_of(self._loader.engine)
        known = [doc for doc in ticked if doc in titles]
        kept = Conversations.read(kept).asking(known[:MOST_DOCS])
        nth = given_number(event, "nth") or 0
        return {
            self._chat.kept: kept.dump(),
            self._chat.scope: self._chat.scope_html(kept, nth),
        }

    def all(self, kept: Any) -> Update:
        """Ask all documents again."""
        kept, chat = Conversations.read(kept).asking(()), self._chat
        return {chat.kept: kept.dump(), chat.scope: chat.scope_html(kept), chat.picker: ""}
