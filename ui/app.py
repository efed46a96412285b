"""One FastAPI application: the chat page, and whether it is up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from rag.config import Settings
from ui import documents, page
from ui.loading import Loader
from ui.security import Security


def build(loader: Loader) -> FastAPI:
    """Put the page and the health check on one port; loading begins with the server."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loader.start()
        yield
        loader.close()

    app = FastAPI(title="Rawi", docs_url=None, redoc_url=None, lifespan=lifespan)
    # Without a CORS middleware of the parent, Gradio adds one that lets every origin in.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(Security, uploads=documents.is_open(loader.settings))

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "ok"}

    page.serve_static(app)
    page.mount(app, loader, "/")
    return app


def run(settings: Settings) -> None:
    """Serve until interrupted."""
    server = settings.server
    uvicorn.run(build(Loader(settings)), host=server.host, port=server.port, log_level="warning")
