"""What the chat does when something is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from rag.language import clean, detect, is_supported
from ui import messages, text
from ui.answering import Answering
from ui.chat import Chat
from ui.components import Update, asker, given, given_number, on
from ui.conversations import Conversation, Conversations, Message
from ui.feedback import Notes
from ui.markup import problem_html
from ui.text import Phrase
from ui.work import QueueFullError


class AskEvents:
    """Answers questions: typed, of the examples, and asked again."""

    def __init__(self, chat: Chat, notes: Notes) -> None:
        """Answer with what the chat's loader has.

        :param notes: Prove later that an answer was given here.
        """
        self._notes = notes
        self._chat = chat
        self._answering = Answering(chat.loader)
        # All these stream; who waits is told by our own line, so Gradio's lets them in.
        for listen, handle, inputs in (
            (chat.question.submit, self.ask, [chat.question, *chat.state]),
            (chat.tools.send, self.ask, [chat.question, *chat.state]),
            (chat.welcome.example, self.ask_example, [chat.kept]),
            (chat.messages.retry, self.retry, [chat.kept]),
            (chat.messages.near, self.ask_near, [chat.kept]),
        ):
            on(listen, handle, inputs, chat.changing, concurrency_limit=None)
        on(chat.tools.stop, self.stop, [], [], queue=False)

    def ask(self, question: str, kept: Any, editing: str, request: gr.Request) -> Iterator[Update]:
        """Answer what was typed; what can't be asked stays where it was typed."""
        question = question or ""  # of another client than the page it may be None
        refusal = self._refusal(question)
        if refusal:
            yield {self._chat.live: problem_html(refusal)}
        elif question.strip():
            kept = Conversations.read(kept)
            base = kept.current
            base = base.before(editing) if editing else base
            yield from self._answer(question, kept, base, request)

    def ask_example(self, kept: Any, event: gr.EventData, request: gr.Request) -> Iterator[Update]:
        """Answer an example, which the button says itself: others may be offered since."""
        yield from self.ask(given(event, "question"), kept, "", request)

    def ask_near(self, kept: Any, event: gr.EventData, request: gr.Request) -> Iterator[Update]:
        """Answer a question that an answer offered."""
        answer = Conversations.read(kept).current.answer(given(event, "id"))
        at = given_number(event, "at")
        if answer is not None and at is not None and at < len(answer.near):
            yield from self.ask(answer.near[at], kept, "", request)

    def retry(self, kept: Any, event: gr.EventData, request: gr.Request) -> Iterator[Update]:
        """Ask the question of a message again; what followed it goes."""
        kept = Conversations.read(kept)
        current = kept.current
        question = current.question_of(given(event, "id"))
        if question is not None:
            yield from self._answer(question.text, kept, current.before(question.id), request)

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
            **chat.shown(kept),
            chat.question: "",
            chat.source: "",
            chat.messages: chat.messages_html(asked, waiting=True),
        }
        session = str(request.session_hash)
        answer = None
        try:
            who, turns = asker(request), base.turns()
            for answer in self._answering.answer(session, who, question, turns, base.docs):
                yield {
                    chat.live: messages.live_html(answer),
                    chat.evidence: messages.evidence_html(answer.message),
                }
        except QueueFullError:
            refusal = problem_html(text.QUEUE_FULL)
            yield {chat.messages: chat.messages_html(asked), chat.live: refusal}
            return
        if answer is not None:
            proof = self._notes.proof(question, answer.message)
            message = answer.message.model_copy(update={"proof": proof})
            yield chat.shown(kept.put(asked.with_message(message)))

    def _refusal(self, question: str) -> Phrase | None:
        """Say in both languages why a question can't be asked."""
        asked, most = clean(question).strip(), self._chat.loader.settings.question.max_chars
        if not asked:
            return text.UNASKABLE if question.strip() else None
        if len(asked) > most:
            return text.TOO_LONG.format(length=len(asked), most=most)
        return None if is_supported(asked) else text.THIRD_LANGUAGE
