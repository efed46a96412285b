"""What the chat does when something is asked, clicked or loaded."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.engine import check_question
from rag.errors import QuestionError, RawiError
from rag.language import clean, detect, is_supported
from ui import export, feedback, messages, sources, text
from ui.answering import Answering, BusyError
from ui.conversations import Conversation, Conversations, Message
from ui.documents_html import problem_html
from ui.feedback import Feedback
from ui.loading import Loader
from ui.states_html import progress_html
from ui.text import Phrase

if TYPE_CHECKING:
    from ui.chat import Chat

logger = logging.getLogger(__name__)

Update = dict[Any, Any]


class ChatEvents:
    """Reads what the browser keeps, and returns what it shows next."""

    def __init__(self, loader: Loader, chat: Chat) -> None:
        """Answer with what the loader has, and show it in the components of ``chat``."""
        self._loader = loader
        self._settings = loader.settings
        self._chat = chat
        self._answering = Answering(loader, loader.settings.page.waiting)

    # ---------------------------------------------------------------- asking

    def ask(self, question: str, kept: Any, editing: str, request: gr.Request) -> Iterator[Update]:
        """Answer what was typed; what can't be asked stays where it was typed."""
        conversations = Conversations.read(kept)
        refusal = self._refusal(question)
        if refusal:
            yield {self._chat.live: problem_html(refusal)}
        elif question.strip():
            base = conversations.current
            base = base.before(editing) if editing else base
            yield from self._answer(question, conversations, base, request)

    def ask_example(
        self, kept: Any, editing: str, event: gr.EventData, request: gr.Request
    ) -> Iterator[Update]:
        """Answer an example question."""
        at = int(_given(event, "at") or 0)
        offered = self._loader.examples or ()
        if 0 <= at < len(offered):
            yield from self.ask(offered[at].question, kept, "", request)

    def retry(
        self, kept: Any, editing: str, event: gr.EventData, request: gr.Request
    ) -> Iterator[Update]:
        """Ask the question of a message again; what followed it goes."""
        conversations = Conversations.read(kept)
        current = conversations.current
        question = current.question_of(_given(event, "id"))
        if question is not None:
            base = current.before(question.id)
            yield from self._answer(question.text, conversations, base, request)

    def stop(self, request: gr.Request) -> None:
        """Stop the answer on its way; the stream itself then shows that."""
        self._answering.stop(str(request.session_hash))

    def _answer(
        self, question: str, kept: Conversations, base: Conversation, request: gr.Request
    ) -> Iterator[Update]:
        question = clean(question).strip()
        asked = base.with_message(Message(role="user", text=question, language=detect(question)))
        kept = kept.put(asked)
        chat = self._chat
        yield {
            **self._shown(kept),
            chat.question: "",
            chat.source: "",
            chat.messages: self._messages_html(asked, waiting=True),
        }
        session = str(request.session_hash)
        answer = None
        try:
            for answer in self._answering.answer(session, question, base.turns()):
                yield {
                    chat.live: messages.live_html(answer),
                    chat.evidence: messages.evidence_html(answer.message),
                }
        except BusyError:
            refusal = problem_html(text.QUEUE_FULL)
            yield {chat.messages: self._messages_html(asked), chat.live: refusal}
            return
        if answer is not None:
            yield self._shown(kept.put(asked.with_message(answer.message)))

    def _refusal(self, question: str) -> Phrase | None:
        """Say in both languages why a question can't be asked."""
        most = self._settings.question.max_chars
        if len(clean(question).strip()) > most:
            return text.TOO_LONG.format(length=len(question), most=most)
        if question.strip() and not is_supported(question):
            return text.THIRD_LANGUAGE
        try:
            check_question(question, self._settings.question)
        except QuestionError:
            return text.UNASKABLE if question.strip() else None
        return None

    # ---------------------------------------------------------------- what is shown

    def load(self, kept: Any, editing: str) -> Update:
        """Show what the browser kept."""
        return self._shown(Conversations.read(kept), "", store=False)

    def tick(self, kept: Any, editing: str) -> Update:
        """Show how far loading is, once a second until it is done."""
        done = self._loader.examples is not None
        conversation = Conversations.read(kept).current
        return {
            self._chat.welcome: self._welcome_html(conversation),
            self._chat.timer: gr.Timer(active=not done),
        }

    def _shown(self, kept: Conversations, editing: str = "", *, store: bool = True) -> Update:
        """Return all that depends on the conversations."""
        chat, current = self._chat, kept.current
        last = next((m for m in reversed(current.messages) if m.role == "assistant"), None)
        return {
            chat.kept: kept.dump() if store else gr.skip(),
            chat.editing: editing,
            chat.conversations: messages.conversations_html(kept),
            chat.welcome: self._welcome_html(current),
            chat.messages: self._messages_html(current, editing),
            chat.live: "",
            chat.evidence: messages.evidence_html(last),
        }

    def _messages_html(
        self, conversation: Conversation, editing: str = "", *, waiting: bool = False
    ) -> str:
        return messages.conversation_html(
            conversation,
            editing=editing,
            feedback=self._settings.page.feedback,
            waiting=waiting,
        )

    def _welcome_html(self, conversation: Conversation) -> str:
        state = progress_html(self._loader.progress())
        if conversation.messages:
            return f'<div class="rw-welcome">{state}</div>' if state else ""
        return messages.welcome_html(self._loader.examples or (), state)

    # ---------------------------------------------------------------- conversations

    def new(self, kept: Any, editing: str) -> Update:
        """Begin a conversation."""
        return self._moved(Conversations.read(kept).opened(""))

    def pick(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Open one of the conversations."""
        return self._moved(Conversations.read(kept).opened(_given(event, "id")))

    def delete(self, kept: Any, editing: str) -> Update:
        """Forget the open conversation."""
        conversations = Conversations.read(kept)
        return self._moved(conversations.without(conversations.current.id))

    def _moved(self, kept: Conversations) -> Update:
        return {**self._shown(kept), self._chat.source: "", self._chat.question: ""}

    def edit(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Put a question back where it is typed; without an id, leave off editing."""
        conversations = Conversations.read(kept)
        question = conversations.current.question_of(_given(event, "id"))
        if question is None:
            return {**self._shown(conversations), self._chat.question: ""}
        shown = self._shown(conversations, question.id)
        return {**shown, self._chat.question: question.text}

    def export(self, kept: Any, editing: str, event: gr.EventData) -> str:
        """Hand the open conversation to the browser as a file."""
        kind: export.Kind = "json" if _given(event, "kind") == "json" else "md"
        file = export.export(Conversations.read(kept).current, kind)
        return (
            f'<span data-file="{escape(file.name)}" data-kind="{file.kind}"'
            f' data-content="{escape(file.content)}"></span>'
        )

    # ---------------------------------------------------------------- answers

    def cite(self, kept: Any, editing: str, event: gr.EventData) -> str:
        """Open an article at a sentence."""
        engine = self._loader.engine
        start, end = _given(event, "start"), _given(event, "end")
        if engine is None or not (start.isdecimal() and end.isdecimal()):
            return ""
        return sources.source_html(engine, _given(event, "doc"), int(start), int(end))

    def close(self) -> str:
        """Close the article."""
        return ""

    def rate(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Note a thumb up or down; the same one again takes it back."""
        conversations = Conversations.read(kept)
        current, id_ = conversations.current, _given(event, "id")
        answer, wanted = current.answer(id_), _given(event, "rating")
        if answer is None or wanted not in ("up", "down"):
            return self._shown(conversations)
        rating: Any = "" if answer.rating == wanted else wanted
        self._note(current, answer.model_copy(update={"rating": rating}))
        return self._shown(conversations.put(current.rated(id_, rating)))

    def reason(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Note why an answer is bad."""
        conversations = Conversations.read(kept)
        current, id_ = conversations.current, _given(event, "id")
        answer, reason = current.answer(id_), _given(event, "reason")
        if answer is None or reason not in text.REASONS:
            return self._shown(conversations)
        self._note(current, answer.model_copy(update={"rating": "down"}), reason)
        return self._shown(conversations.put(current.rated(id_, "down", reason)))

    def _note(self, current: Conversation, answer: Message, reason: str = "") -> None:
        if not self._settings.page.feedback:
            return
        question = current.question_of(answer.id)
        try:
            feedback.note(
                self._settings.storage,
                Feedback(
                    message=answer.id,
                    rating=answer.rating,
                    reason=reason,
                    question=question.text if question else "",
                    answer=answer.text,
                    citations=tuple(f"{q.doc}:{q.start}-{q.end}" for q in answer.citations),
                ),
            )
        except RawiError as exc:
            logger.warning("%s", exc)


def _given(event: gr.EventData, name: str) -> str:
    """Return what the clicked button carried under a name; empty when it carried nothing."""
    return str(getattr(event, name, ""))
