"""The whole page: header, chat, documents and quality; and its mounting under FastAPI."""

from __future__ import annotations

from pathlib import Path
from typing import Final, cast

import gradio as gr
from fastapi import FastAPI
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from rag.config import Settings
from ui import documents, quality, text, tickets
from ui.asking import AskEvents
from ui.chat import Chat
from ui.components import on
from ui.documents_tab import DocumentsTab
from ui.feedback import Notes
from ui.gate import Gate
from ui.loading import Loader
from ui.markup import heading, macros
from ui.reading import ReadEvents

STATIC: Final = Path(__file__).parent / "static"
STATIC_URL: Final = "/ui"

_VIEWS: Final = {"ask": text.ASK, "documents": text.DOCUMENTS, "quality": text.QUALITY}
_HTML: Final = macros("page")


def build(loader: Loader, *, compact: bool = False, with_documents: bool = False) -> gr.Blocks:
    """Lay out the page.

    :param compact: The chat alone, for a frame within another site.
    :param with_documents: For those who may change the folder.
    """
    settings = loader.settings
    views = {
        view: name
        for view, name in _VIEWS.items()
        if view == "ask" or (not compact and (view != "documents" or with_documents))
    }
    blocks: gr.Blocks
    with gr.Blocks(title=f"{text.TITLE.en} · {text.TITLE.ar}", analytics_enabled=False) as blocks:
        header = _HTML.header(views, compact)
        gr.HTML(header, elem_id="rawi-header", apply_default_css=False, padding=False)
        with gr.Column(elem_id="rawi-view-ask", elem_classes="rw-view"):
            chat = Chat(loader, compact=compact)
            notes = Notes(settings.storage, tickets.derived(loader.secret, "feedback"))
            AskEvents(chat, notes)
            reading = ReadEvents(chat, notes)
            chat.connect(blocks)
        if "documents" in views:
            with gr.Column(elem_id="rawi-view-documents", elem_classes="rw-view"):
                tab = DocumentsTab(loader)
            on(tab.listing.open, reading.open, [], [chat.source], queue=False)
            on(blocks.load, tab.load, [], [tab.listing], queue=False)
        if "quality" in views:
            with gr.Column(elem_id="rawi-view-quality", elem_classes="rw-view"):
                gr.HTML(heading(text.QUALITY))
                shown = gr.HTML(elem_id="rawi-quality", apply_default_css=False)

            def measured() -> str:
                return quality.quality_html(settings.page.report)

            on(blocks.load, measured, [], [shown], queue=False)
    return blocks


def mount(app: FastAPI, loader: Loader, *, compact: bool = False) -> None:
    """Put the page, or its compact form, at ``/`` of the application, after all else is there.

    Who may change the folder gets another page than who may not, so that nobody else can call what
    changes it.
    """
    settings = loader.settings
    head = str(_HTML.head(compact))
    plain = _gradio(app, build(loader, compact=compact), loader, head)
    full = plain
    if not compact and settings.page.documents_tab != "off":
        full = _gradio(app, build(loader, with_documents=True), loader, head)

    app.router.routes.append(Mount("", app=Pages(settings, plain, full)))


class Pages:
    """Serves the page to everybody, and the one with the Documents tab to whom it is open.

    :ivar plain: What strangers get.
    :ivar full: What changes the folder too.
    """

    def __init__(self, settings: Settings, plain: Gate, full: Gate) -> None:
        """Choose between two pages, which may be the same."""
        self._settings = settings
        self.plain = plain
        self.full = full

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        page = self.full if documents.may_change(self._settings, scope) else self.plain
        await page(scope, receive, send)


def _gradio(app: FastAPI, blocks: gr.Blocks, loader: Loader, head: str) -> Gate:
    """Return Gradio's application of a page, with nothing open but what the page uses."""
    blocks.queue(max_size=4 * loader.settings.page.waiting, api_open=False)
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        show_error=False,
        head=head,
    )
    # Its life is part of the application's now; what it serves goes through the gate.
    mounted = cast("Mount", app.router.routes.pop())
    return Gate(mounted.app, {index: len(fn.inputs) for index, fn in blocks.fns.items()})
