"""One FastAPI app on one port: the chat page, the API, MCP, the widget, health and metrics."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from rag.config import Settings
from ui import connections, logs, page
from ui.loading import Loader
from ui.security import Security
from ui.services import add_services


def build(loader: Loader) -> FastAPI:
    """Put everything on one port; loading begins with the server."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loader.start()
        yield
        loader.close()

    app = FastAPI(title="Rawi", docs_url=None, redoc_url=None, lifespan=lifespan, openapi_url=None)

    @app.get("/openapi.json", include_in_schema=False)
    def described(request: Request) -> JSONResponse:
        servers = [{"url": request.scope["rawi.root"] or "/"}]
        return JSONResponse({**app.openapi(), "servers": servers})

    def mount_compact(inner: FastAPI, head: str) -> None:
        page.mount(inner, loader, compact=True, head=head)

    app.add_middleware(Security)
    add_services(app, loader, mount_page=mount_compact)
    page.serve_static(app)
    page.mount(app, loader)
    return app


def config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """Return how an application is served."""
    wanted = settings.server
    return uvicorn.Config(
        app,
        host=wanted.host,
        port=wanted.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # The guard reads X-Forwarded-For itself, as far as server.trusted_proxies says.
        proxy_headers=False,
        timeout_graceful_shutdown=int(wanted.stop_timeout_s),
        timeout_keep_alive=wanted.idle_timeout_s,
        http=connections.protocol(settings),
        ws="none",
    )


class _Server(uvicorn.Server):
    """Says when it listens, and at which port."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[int], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce(self.servers[0].sockets[0].getsockname()[1])


def run(settings: Settings, announce: Callable[[int], None]) -> None:
    """Serve until interrupted; then running answers get ``server.stop_timeout_s`` to end.

    :param announce: Told the port, once it listens.
    """
    logs.set_up()
    server = _Server(config(build(Loader(settings)), settings), announce)
    with suppress(KeyboardInterrupt, SystemExit):  # uvicorn has a status of its own
        server.run()
    if not server.started:
        raise SystemExit(1)  # why is in the log
