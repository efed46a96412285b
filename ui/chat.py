"""The chat: its components, and what they show of the conversations that the browser keeps.

The page is Gradio's: its queue, streaming, state and storage in the browser. What is seen is HTML
of our own (``messages``, ``sources``), so that every message has its own direction and all text is
escaped; buttons in it carry ``data-act``, which comes back here as an event of that name.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui import messages, panels, text, tickets
from ui.components import Update, acting, on
from ui.conversations import Conversation, Conversations
from ui.loading import Loader


class Chat:
    """The components of the chat, and what they hold of the conversations.

    :ivar loader: Has what is shown.
    :ivar state: What events are given of the conversations.
    :ivar changing: What may change with the conversations.
    """

    def __init__(self, loader: Loader, *, compact: bool) -> None:
        """Lay them out within the current ``gr.Blocks``.

        :param compact: For a frame within another site: without the list of conversations.
        """
        self.loader = loader
        self.kept = gr.BrowserState(
            {},
            storage_key="rawi-embedded" if compact else "rawi-conversations",
            # Whoever is served the page has it: it hides nothing from a reader, and what another
            # program on this port left behind is no conversation of ours.
            secret=tickets.derived(loader.secret, "conversations"),
        )
        # Not gr.State, for which Gradio would hold a connection open for every page.
        self.editing = gr.Textbox(visible=False)
        with gr.Row(elem_id="rawi-layout", elem_classes=["rw-compact"] if compact else []):
            with gr.Column(elem_id="rawi-side", visible="hidden" if compact else True):
                self.conversations = acting(
                    "new", "pick", "rename", "delete", "export", elem_id="rawi-conversations"
                )
                gr.HTML(panels.keys_html(), apply_default_css=False, padding=False)
            with gr.Column(elem_id="rawi-chat"):
                with gr.Column(elem_id="rawi-messages"):
                    self.welcome = acting("example", "open", "refresh")
                    self.messages = acting(
                        "cite", "retry", "edit", "rate", "reason", "near", "translate"
                    )
                    self.live = acting(elem_id="rawi-live")
                self.scope = acting("choose", "all", "refresh", elem_id="rawi-scope")
                self.picker = acting("chosen", "close", elem_id="rawi-picker")
                with gr.Row(elem_id="rawi-composer"):
                    self.question = gr.Textbox(
                        elem_id="rawi-question",
                        label=f"{text.QUESTION.ar} · {text.QUESTION.en}",
                        placeholder=text.PLACEHOLDER.en,
                        max_lines=6,
                        container=False,
                        interactive=False,  # until the page shows what the browser kept
                    )
                    self.tools = acting("send", "stop", value=panels.tools_html())
            with gr.Column(elem_id="rawi-panel"):
                self.source = acting("close", "turn", elem_id="rawi-source")
                self.evidence = acting("cite", elem_id="rawi-evidence")
        self.download = acting(elem_id="rawi-download")
        self.translation = acting(elem_id="rawi-translation")
        self.cleared = acting("restore", "forget", elem_id="rawi-cleared")
        self.timer = gr.Timer(1.0)
        self.state: list[Any] = [self.kept, self.editing]
        self.changing: list[Any] = [
            *self.state, self.question, self.conversations, self.welcome, self.messages, self.live,
            self.evidence, self.source, self.scope, self.picker, self.cleared,
        ]  # fmt: skip

    def connect(self, page: gr.Blocks) -> None:
        """Show it when the page is opened, and what has changed since."""
        ticking = [self.welcome, self.timer, self.scope]
        on(self.timer.tick, self.tick, [self.kept, self.scope], ticking, queue=False)
        on(self.welcome.refresh, self.refresh, [self.kept], [self.welcome], queue=False)
        on(page.load, self.load, [self.kept], self.changing, queue=False)

    def load(self, kept: Any) -> Update:
        """Show what the browser kept, and only then let the reader ask.

        Shown after a question, it would stand over the answer.
        """
        kept = Conversations.read(kept)
        cleared = kept.cleared is not None
        if cleared:  # long ago, perhaps by another reader
            kept = kept.opened(kept.open)
        shown = self.shown(kept, store=cleared)
        return {**shown, self.question: gr.Textbox(interactive=True)}

    def refresh(self, kept: Any) -> str:
        """Show what may be asked, after the documents may have changed."""
        state = panels.progress_html(self.loader.progress())
        if Conversations.read(kept).current.messages:
            return f'<div class="rw-welcome">{state}</div>' if state else ""
        return panels.welcome_html(self.loader.listing, self.loader.examples or (), state)

    def tick(self, kept: Any, scope: str) -> Update:
        """Show how far loading is, once a second until it is done.

        :param scope: What the page shows of the documents to choose from. Where there are some, one
            may be chosen meanwhile: what was true when this was asked isn't shown over that.
        """
        done = self.loader.examples is not None
        return {
            self.welcome: self.refresh(kept),
            self.timer: gr.Timer(active=not done),
            self.scope: gr.skip() if scope else self.scope_html(kept),
        }

    def shown(self, kept: Conversations, editing: str = "", *, store: bool = True) -> Update:
        """Return all that depends on the conversations."""
        current = kept.current
        last = next((m for m in reversed(current.messages) if m.role == "assistant"), None)
        return {
            self.kept: kept.dump() if store else gr.skip(),
            self.editing: editing,
            self.conversations: panels.conversations_html(kept.kept, current),
            self.welcome: self.refresh(kept),
            self.messages: self.messages_html(current, editing),
            self.live: "",
            self.evidence: messages.evidence_html(last),
            self.scope: self.scope_html(kept),
            self.picker: "",
            self.cleared: "" if kept.cleared is None else panels.cleared_html(),
        }

    def messages_html(
        self, conversation: Conversation, editing: str = "", *, waiting: bool = False
    ) -> str:
        """Return the messages; ``waiting`` while an answer to the last is on its way."""
        engine = self.loader.engine
        return messages.conversation_html(
            conversation.messages,
            editing=editing,
            feedback=self.loader.settings.page.feedback,
            waiting=waiting,
            retry=self.loader.progress().stage != "failed",
            translates=engine is not None and engine.translates,
        )

    def scope_html(self, kept: Any, nth: int = 0) -> str:
        """Say which documents are asked, and offer to choose; nothing where there is no choice.

        :param nth: Which of the page's changes this answers, from 1; 0 where it answers none.
        """
        docs, titles = Conversations.read(kept).current.docs, panels.titles_of(self.loader.engine)
        if len(titles) < 2 and not (titles and docs):
            return ""
        gone = [doc for doc in docs if doc not in titles]
        return panels.scope_html([doc for doc in docs if doc in titles], gone, len(titles), nth)
