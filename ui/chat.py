"""The chat: its layout, and which event calls what.

The page is Gradio's: its queue, streaming, state and storage in the browser. What is seen is HTML
of our own (``messages``, ``sources``), so that every message has its own direction and all text is
escaped; buttons in it carry ``data-act``, which comes back here as an event of that name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from ui import panels, text, tickets
from ui.asking import AskEvents
from ui.chat_view import ChatView
from ui.components import Chat, acting, on
from ui.feedback import Notes
from ui.loading import Loader
from ui.reading import ReadEvents


def build(loader: Loader, *, compact: bool = False) -> Chat:
    """Lay out the chat within the current ``gr.Blocks`` and connect it.

    :param compact: For a frame within another site: without the list of conversations.
    """
    chat = _laid_out(compact, tickets.derived(loader.secret, "conversations"))
    view = ChatView(loader, chat)
    notes = Notes(loader.settings.storage, tickets.derived(loader.secret, "feedback"))
    asking, reading = AskEvents(loader, view, notes), ReadEvents(loader, view, notes)
    _connect(chat, view, asking, reading)
    return chat


def _laid_out(compact: bool, browser_key: str) -> Chat:
    key = "rawi-embedded" if compact else "rawi-conversations"
    # Whoever is served the page has the key: it hides nothing from a reader, and what another
    # program on this port left behind is no conversation of ours.
    kept = gr.BrowserState({}, storage_key=key, secret=browser_key)
    # Not gr.State, for which Gradio would hold a connection open for every page.
    editing = gr.Textbox(visible=False)
    with gr.Row(elem_id="rawi-layout", elem_classes=["rw-compact"] if compact else []):
        with gr.Column(elem_id="rawi-side", visible="hidden" if compact else True):
            conversations = acting(
                "new", "pick", "rename", "delete", "export", elem_id="rawi-conversations"
            )
            gr.HTML(panels.keys_html(), apply_default_css=False, padding=False)
        with gr.Column(elem_id="rawi-chat"):
            with gr.Column(elem_id="rawi-messages"):
                welcome = acting("example", "open", "refresh")
                messages = acting("cite", "retry", "edit", "rate", "reason", "near", "translate")
                live = acting(elem_id="rawi-live")
            scope = acting("choose", "all", "refresh", elem_id="rawi-scope")
            picker = acting("chosen", "close", elem_id="rawi-picker")
            with gr.Row(elem_id="rawi-composer"):
                question = gr.Textbox(
                    elem_id="rawi-question",
                    label=f"{text.QUESTION.ar} · {text.QUESTION.en}",
                    placeholder=text.PLACEHOLDER.en,
                    max_lines=6,
                    container=False,
                    interactive=False,  # until the page shows what the browser kept
                )
                tools = acting("send", "stop", value=panels.tools_html())
        with gr.Column(elem_id="rawi-panel"):
            source = acting("close", "turn", elem_id="rawi-source")
            evidence = acting("cite", elem_id="rawi-evidence")
    download = acting(elem_id="rawi-download")
    translation = acting(elem_id="rawi-translation")
    cleared = acting("restore", "forget", elem_id="rawi-cleared")
    timer = gr.Timer(1.0)
    return Chat(
        kept, editing, question, tools, conversations, welcome, messages, live, evidence, source,
        download, translation, cleared, timer, scope, picker,
    )  # fmt: skip


def _connect(chat: Chat, view: ChatView, asking: AskEvents, reading: ReadEvents) -> None:
    shown: list[Any] = [
        chat.kept, chat.editing, chat.question, chat.conversations, chat.welcome, chat.messages,
        chat.live, chat.evidence, chat.source, chat.scope, chat.picker, chat.cleared,
    ]  # fmt: skip
    state: list[Any] = [chat.kept, chat.editing]
    typed, ticking = [chat.question, *state], [*state, chat.scope]
    # All these stream; who waits is told by our own line, so Gradio's lets them in.
    streams: list[tuple[Callable[..., Any], Callable[..., Any], list[Any]]] = [
        (chat.question.submit, asking.ask, typed),
        (chat.tools.send, asking.ask, typed),
        (chat.welcome.example, asking.ask_example, state),
        (chat.messages.retry, asking.retry, state),
        (chat.messages.near, asking.ask_near, state),
    ]
    for listen, handle, given in streams:
        on(listen, handle, given, shown, concurrency_limit=None)
    quick: list[tuple[Callable[..., Any], Callable[..., Any], list[Any], list[Any]]] = [
        (chat.tools.stop, asking.stop, [], []),
        (chat.messages.edit, reading.edit, state, shown),
        (chat.messages.rate, reading.rate, state, shown),
        (chat.messages.reason, reading.reason, state, shown),
        (chat.messages.cite, reading.cite, state, [chat.source, chat.evidence]),
        (chat.evidence.cite, reading.cite, state, [chat.source, chat.evidence]),
        (chat.welcome.open, reading.open, [], [chat.source]),
        (chat.source.close, reading.close, [], [chat.source]),
        (chat.conversations.new, reading.new, state, shown),
        (chat.conversations.pick, reading.pick, state, shown),
        (chat.conversations.delete, reading.delete, state, shown),
        (chat.conversations.rename, reading.rename, state, shown),
        (chat.cleared.restore, reading.restore, state, shown),
        (chat.cleared.forget, reading.forget, state, shown),
        (chat.welcome.refresh, view.refresh, state, [chat.welcome]),
        (chat.conversations.export, reading.export, state, [chat.download]),
        (chat.timer.tick, view.tick, ticking, [chat.welcome, chat.timer, chat.scope]),
        (chat.scope.choose, reading.choose, state, [chat.picker]),
        (chat.scope.all, reading.all, state, [chat.kept, chat.scope, chat.picker]),
        (chat.scope.refresh, reading.scope, state, [chat.scope]),
        (chat.picker.close, reading.close, [], [chat.picker]),
    ]
    for listen, handle, given, outputs in quick:
        on(listen, handle, given, outputs, queue=False)
    # The page sends the next change when it sees this answer, before Gradio holds it for ended.
    ticked, outputs = chat.picker.chosen, [chat.kept, chat.scope]
    on(ticked, reading.chosen, state, outputs, queue=False, trigger_mode="multiple")
    on(chat.source.turn, reading.turn, [], [chat.source], queue=False)
    asked, said = chat.messages.translate, [chat.translation]
    on(asked, reading.translate, state, said, concurrency_limit=None)
    page = gr.context.Context.root_block
    if page is not None:
        on(page.load, view.load, state, shown, queue=False)
