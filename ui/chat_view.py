"""What the chat shows of the conversations that the browser keeps."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui import messages, panels
from ui.components import Chat
from ui.conversations import Conversation, Conversations
from ui.loading import Loader

Update = dict[Any, Any]


class ChatView:
    """Turns conversations into what the components of the chat hold.

    :ivar chat: The components.
    """

    def __init__(self, loader: Loader, chat: Chat) -> None:
        """Show what the loader answers in the components of ``chat``."""
        self._loader = loader
        self._settings = loader.settings
        self.chat = chat

    def load(self, kept: Any, editing: str) -> Update:
        """Show what the browser kept, and only then let the reader ask.

        Shown after a question, it would stand over the answer.
        """
        conversations = Conversations.read(kept)
        cleared = conversations.cleared is not None
        if cleared:  # long ago, perhaps by another reader
            conversations = conversations.opened(conversations.open)
        shown = self.shown(conversations, "", store=cleared)
        return {**shown, self.chat.question: gr.Textbox(interactive=True)}

    def refresh(self, kept: Any, editing: str) -> str:
        """Show what may be asked, after the documents may have changed."""
        return self._welcome_html(Conversations.read(kept))

    def tick(self, kept: Any, editing: str, scope: str) -> Update:
        """Show how far loading is, once a second until it is done.

        :param scope: What the page shows of the documents to choose from. Where there are some, one
            may be chosen meanwhile: what was true when this was asked isn't shown over that.
        """
        done = self._loader.examples is not None
        read = Conversations.read(kept)
        return {
            self.chat.welcome: self._welcome_html(read),
            self.chat.timer: gr.Timer(active=not done),
            self.chat.scope: gr.skip() if scope else self._scope_html(read),
        }

    def shown(self, kept: Conversations, editing: str = "", *, store: bool = True) -> Update:
        """Return all that depends on the conversations."""
        chat, current = self.chat, kept.current
        last = next((m for m in reversed(current.messages) if m.role == "assistant"), None)
        return {
            chat.kept: kept.dump() if store else gr.skip(),
            chat.editing: editing,
            chat.conversations: panels.conversations_html(kept),
            chat.welcome: self._welcome_html(kept),
            chat.messages: self.messages_html(current, editing),
            chat.live: "",
            chat.evidence: messages.evidence_html(last),
            chat.scope: self._scope_html(kept),
            chat.picker: "",
            chat.cleared: "" if kept.cleared is None else panels.cleared_html(),
        }

    def messages_html(
        self, conversation: Conversation, editing: str = "", *, waiting: bool = False
    ) -> str:
        """Return the messages; ``waiting`` while an answer to the last is on its way."""
        engine = self._loader.engine
        return messages.conversation_html(
            conversation.messages,
            editing=editing,
            feedback=self._settings.page.feedback,
            waiting=waiting,
            retry=self._loader.progress().stage != "failed",
            translates=engine is not None and engine.translates,
        )

    def _scope_html(self, kept: Conversations) -> str:
        return panels.scope_html(self._loader.engine, kept.current.docs)

    def _welcome_html(self, kept: Conversations) -> str:
        state = panels.progress_html(self._loader.progress())
        if kept.current.messages:
            return f'<div class="rw-welcome">{state}</div>' if state else ""
        return panels.welcome_html(self._loader.listing, self._loader.examples or (), state)
