"""One FastAPI application: the chat page, the API, MCP, the widget, health and metrics."""

from __future__ import annotations

import gradio as gr
import uvicorn
from fastapi import FastAPI

from rag.config import ServerSettings
from rag.engine import Engine
from ui import chat, logs
from ui.services import add_services


def build(engine: Engine) -> FastAPI:
    """Put everything on one port."""
    app = FastAPI(title="Rawi", docs_url=None, redoc_url=None)
    add_services(
        app,
        engine.settings,
        lambda: engine,
        mount_page=lambda inner, head: mount_page(inner, engine, head),
    )
    mount_page(app, engine)
    return app


def mount_page(app: FastAPI, engine: Engine, head: str = "") -> None:
    """Put the chat page at ``/``.

    :param head: What stands in the page's head beside its own.
    """
    page = chat.build(engine)
    page.queue(max_size=20, api_open=False)
    gr.mount_gradio_app(app, page, path="/", footer_links=[], ssr_mode=False, head=head)


def run(engine: Engine, settings: ServerSettings) -> None:
    """Serve until interrupted; then running answers get ``server.stop_timeout_s`` to end."""
    logs.set_up()
    uvicorn.run(
        build(engine),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # The guard reads X-Forwarded-For itself, as far as server.trusted_proxies says.
        proxy_headers=False,
        timeout_graceful_shutdown=int(settings.stop_timeout_s),
        limit_concurrency=1_000,
    )
