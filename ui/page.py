"""The whole page: header, chat, documents and quality; and its mounting under FastAPI."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Final, cast

import gradio as gr
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from rag.config import Settings
from ui import chat, documents, quality, text
from ui.components import on
from ui.documents_tab import DocumentsTab
from ui.gate import Gate
from ui.loading import Loader
from ui.markup import both, button
from ui.text import Phrase

STATIC: Final = Path(__file__).parent / "static"
STATIC_URL: Final = "/ui"

_VIEWS: Final = {"ask": text.ASK, "documents": text.DOCUMENTS, "quality": text.QUALITY}


def build(loader: Loader, *, compact: bool = False, with_documents: bool = False) -> gr.Blocks:
    """Lay out the page.

    :param compact: The chat alone, for a frame within another site.
    :param with_documents: For those who may change the folder.
    """
    settings = loader.settings
    views = ["ask"] if compact else [v for v in _VIEWS if v != "documents" or with_documents]
    blocks: gr.Blocks
    with gr.Blocks(title=f"{text.TITLE.en} · {text.TITLE.ar}", analytics_enabled=False) as blocks:
        gr.HTML(
            _header(views, compact), elem_id="rawi-header", apply_default_css=False, padding=False
        )
        with gr.Column(elem_id="rawi-view-ask", elem_classes="rw-view"):
            parts = chat.build(loader, compact=compact)
        if "documents" in views:
            with gr.Column(elem_id="rawi-view-documents", elem_classes="rw-view"):
                tab = DocumentsTab(settings, loader, parts.source)
            on(blocks.load, tab.load, [], [tab.listing], queue=False)
        if "quality" in views:
            with gr.Column(elem_id="rawi-view-quality", elem_classes="rw-view"):
                gr.HTML(f"<h2>{both(text.QUALITY)}</h2>")
                shown = gr.HTML(elem_id="rawi-quality", apply_default_css=False)

            def measured() -> str:
                return quality.quality_html(settings.page.report)

            on(blocks.load, measured, [], [shown], queue=False)
    return blocks


def mount(app: FastAPI, loader: Loader, *, compact: bool = False, head: str = "") -> None:
    """Put the page, or its compact form, at ``/`` of the application, after all else is there.

    Who may change the folder gets another page than who may not, so that nobody else can call what
    changes it.

    :param head: What stands in the page's head beside its own.
    """
    settings = loader.settings
    # Relative to the page's address, which a proxy may have lengthened.
    head = _head("../../ui" if compact else "ui") + head
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
        # Gradio writes the path that browsers know into its page.
        root = scope["rawi.root"]
        seen = {"root_path": f"{root}{scope['root_path']}", "path": f"{root}{scope['path']}"}
        await page({**scope, **seen}, receive, send)


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


def serve_static(app: FastAPI) -> None:
    """Serve the stylesheet, the script and the fonts."""
    app.mount(STATIC_URL, StaticFiles(directory=STATIC), name="ui")


def _header(views: list[str], compact: bool) -> str:
    tabs = "".join(
        f'<button type="button" class="rw-tab" data-view="{view}">{both(_VIEWS[view])}</button>'
        for view in views
    )
    nav = (
        f'<nav class="rw-tabs"><h2 class="rw-hidden">{both(text.NAVIGATION)}</h2>{tabs}</nav>'
        if len(views) > 1
        else ""
    )
    brand = f'<h1 class="rw-brand">{both(text.TITLE)}</h1>'
    other = text.OTHER_LANGUAGE
    language = (
        '<button type="button" id="rawi-language" class="rw-button" data-local="language">'
        f'<span class="rw-ar" lang="en" dir="ltr">{other.ar}</span>'
        f'<span class="rw-en" lang="ar" dir="rtl">{other.en}</span></button>'
    )
    aside = "" if compact else button(text.CONVERSATIONS, "side", glyph="menu")
    clear = button(text.DELETE, "clear", glyph="clear") if compact else ""
    theme = button(text.THEME, "theme", glyph="theme")
    skip = f'<a class="rw-skip" href="#rawi-question">{both(text.SKIP)}</a>'
    return (
        f'<header class="rw-header">{skip}{aside}{brand}{nav}'
        f'<div class="rw-settings">{clear}{theme}{language}</div></header>'
    )


def _head(url: str) -> str:
    """Return the links to what we serve, and the strings that the script puts into attributes.

    :param url: Of the static files.
    """
    phrases: dict[str, Phrase] = {
        "placeholder": text.PLACEHOLDER,
        "question": text.QUESTION,
        "offline": text.OFFLINE,
        "online": text.ONLINE,
        "many": text.TOO_MANY,
        "not-taken": text.NOT_TAKEN,
        "many-files": text.TOO_MANY_FILES,
        "sending": text.SENDING,
        "copied": text.COPIED,
        "title": text.TITLE,
        "messages": text.MESSAGES,
        "found": text.EVIDENCE_FOUND,
        "link-copied": text.LINK_COPIED,
        "no-conversation": text.NO_CONVERSATION,
        "no-answer": text.NO_ANSWER,
    }
    metas = "".join(
        f'<meta name="rawi-{name}" data-ar="{escape(phrase.ar)}" data-en="{escape(phrase.en)}">'
        for name, phrase in phrases.items()
    )
    return (
        f'{metas}<link rel="stylesheet" href="{url}/rawi.css"><script src="{url}/rawi.js"></script>'
    )
