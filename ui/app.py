"""One FastAPI application: the chat page, and whether it is up."""

from __future__ import annotations

import gradio as gr
import uvicorn
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from rag.config import ServerSettings
from rag.engine import Engine
from ui import chat


def build(engine: Engine) -> FastAPI:
    """Put the page and the health check on one port."""
    app = FastAPI(title="Rawi", docs_url=None, redoc_url=None)
    # Without a CORS middleware of the parent, Gradio adds one that lets every origin in.
    app.add_middleware(CORSMiddleware, allow_origins=[])

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "ok"}

    page = chat.build(engine)
    page.queue(max_size=20, api_open=False)
    gr.mount_gradio_app(app, page, path="/", footer_links=[], ssr_mode=False)
    return app


def run(engine: Engine, settings: ServerSettings) -> None:
    """Serve until interrupted."""
    uvicorn.run(build(engine), host=settings.host, port=settings.port, log_level="warning")
