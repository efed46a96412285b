"""The chat: its layout, and which event calls what.

The page is Gradio's: its queue, streaming, state and storage in the browser. What is seen is HTML
of our own (``messages``, ``sources``), so that every message has its own direction and all text is
escaped; buttons in it carry ``data-act``, which comes back here as an event of that name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui import text
from ui.chat_events import ChatEvents
from ui.loading import Loader
from ui.markup import both, button

# Hands a click on a [data-act] on to the server as an event of that name.
_ACTS = """
window.rawi.acts(element, trigger, {acts});
watch("value", () => window.rawi.changed(element));
"""


@dataclass(frozen=True)
class Chat:
    """The components of the chat that events read and write."""

    kept: gr.BrowserState
    editing: gr.State
    question: gr.Textbox
    tools: gr.HTML
    conversations: gr.HTML
    welcome: gr.HTML
    messages: gr.HTML
    live: gr.HTML
    evidence: gr.HTML
    source: gr.HTML
    download: gr.HTML
    timer: gr.Timer


def acting(*acts: str, **options: Any) -> gr.HTML:
    """Return an HTML component whose ``[data-act]`` buttons become these events."""
    names = "[" + ", ".join(f'"{act}"' for act in acts) + "]"
    return gr.HTML(
        js_on_load=_ACTS.format(acts=names), apply_default_css=False, padding=False, **options
    )


def build(loader: Loader, *, compact: bool = False) -> Chat:
    """Lay out the chat within the current ``gr.Blocks`` and connect it.

    :param compact: For a frame within another site: without the list of conversations.
    """
    chat = _laid_out(compact)
    _connect(chat, ChatEvents(loader, chat))
    return chat


def _laid_out(compact: bool) -> Chat:
    kept = gr.BrowserState({}, storage_key="rawi-conversations", secret="rawi")  # noqa: S106
    editing = gr.State("")
    with gr.Row(elem_id="rawi-layout", elem_classes=["rw-compact"] if compact else []):
        with gr.Column(elem_id="rawi-side", visible="hidden" if compact else True):
            conversations = acting("new", "pick", "delete", "export", elem_id="rawi-conversations")
        with gr.Column(elem_id="rawi-chat"):
            with gr.Column(elem_id="rawi-messages"):
                welcome = acting("example")
                messages = acting("cite", "retry", "edit", "rate", "reason")
                live = acting(elem_id="rawi-live")
            with gr.Row(elem_id="rawi-composer"):
                question = gr.Textbox(
                    elem_id="rawi-question",
                    label=f"{text.QUESTION.ar} · {text.QUESTION.en}",
                    placeholder=text.PLACEHOLDER.en,
                    max_lines=6,
                    container=False,
                )
                tools = acting("send", "stop", value=_tools())
        with gr.Column(elem_id="rawi-panel"):
            source = acting("close", elem_id="rawi-source")
            evidence = acting("cite", elem_id="rawi-evidence")
    download = acting(elem_id="rawi-download")
    timer = gr.Timer(1.0)
    return Chat(
        kept, editing, question, tools, conversations, welcome, messages, live, evidence, source,
        download, timer,
    )  # fmt: skip


def _tools() -> str:
    send = button(text.SEND, "send", glyph="send").replace("<button ", '<button id="rawi-send" ', 1)
    stop = button(text.STOP, "stop", glyph="stop").replace("<button ", '<button id="rawi-stop" ', 1)
    return send + stop


def _connect(chat: Chat, events: ChatEvents) -> None:
    shown: list[Any] = [
        chat.kept, chat.editing, chat.question, chat.conversations, chat.welcome, chat.messages,
        chat.live, chat.evidence, chat.source,
    ]  # fmt: skip
    state: list[Any] = [chat.kept, chat.editing]
    typed = [chat.question, *state]
    # All these stream; who waits is told by our own line, so Gradio's lets them in.
    streams: list[tuple[Callable[..., Any], Callable[..., Any], list[Any]]] = [
        (chat.question.submit, events.ask, typed),
        (chat.tools.send, events.ask, typed),
        (chat.welcome.example, events.ask_example, state),
        (chat.messages.retry, events.retry, state),
    ]
    for listen, handle, given in streams:
        on(listen, handle, given, shown, concurrency_limit=None)
    quick: list[tuple[Callable[..., Any], Callable[..., Any], list[Any], list[Any]]] = [
        (chat.tools.stop, events.stop, [], []),
        (chat.messages.edit, events.edit, state, shown),
        (chat.messages.rate, events.rate, state, shown),
        (chat.messages.reason, events.reason, state, shown),
        (chat.messages.cite, events.cite, state, [chat.source]),
        (chat.evidence.cite, events.cite, state, [chat.source]),
        (chat.source.close, events.close, [], [chat.source]),
        (chat.conversations.new, events.new, state, shown),
        (chat.conversations.pick, events.pick, state, shown),
        (chat.conversations.delete, events.delete, state, shown),
        (chat.conversations.export, events.export, state, [chat.download]),
        (chat.timer.tick, events.tick, state, [chat.welcome, chat.timer]),
    ]
    for listen, handle, given, outputs in quick:
        on(listen, handle, given, outputs, queue=False)
    page = gr.context.Context.root_block
    if page is not None:
        on(page.load, events.load, state, shown, queue=False)


def on(
    listen: Callable[..., Any],
    handle: Callable[..., Any],
    inputs: list[Any],
    outputs: list[Any],
    **options: Any,
) -> None:
    """Connect an event; nothing of Gradio's own progress is shown and no API is made of it."""
    listen(
        handle,
        inputs or None,
        outputs or None,
        show_progress="hidden",
        api_visibility="private",
        **options,
    )


def brand() -> str:
    """Return the page's name."""
    return f'<h1 class="rw-brand">{both(text.TITLE)}</h1>'
