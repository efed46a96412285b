"""One FastAPI app on one port: the chat page, the API, MCP, the widget, health and metrics."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import uvicorn
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles

from rag.config import Settings
from ui import api, connections, health, logs, mcp, originals, page, uploads, widget
from ui.guard import Guard
from ui.limits import Limits
from ui.loading import Loader
from ui.tickets import Tickets


def build(loader: Loader) -> FastAPI:
    """Put everything on one port; loading begins with the server."""
    settings, work = loader.settings, loader.work
    limits, tickets = Limits(settings.limits), Tickets(loader.secret, settings.widget)
    embedded: widget.Embedded | None = None
    if settings.widget.allowed_origins:  # nobody else could open it
        embedded = widget.Embedded(tickets, loader)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loader.start()
        async with AsyncExitStack() as parts:
            await parts.enter_async_context(tools.session_manager.run())
            if embedded is not None:
                inner = embedded.app
                await parts.enter_async_context(inner.router.lifespan_context(inner))
            yield
        loader.close()

    app = FastAPI(title="Rawi", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.include_router(api.router(work))
    app.include_router(health.router(work))
    app.include_router(uploads.router(settings, limits))
    app.include_router(originals.router(loader))
    app.include_router(widget.router(tickets, settings.widget))
    api.say_errors_as_openai(app)
    widget.refuse_tickets(app)
    tools = mcp.add(app, work, settings.server.max_body_bytes)
    if embedded is not None:
        app.mount(widget.PREFIX, embedded)
    app.add_middleware(
        Guard,
        settings=settings,
        limits=limits,
        metrics=work.metrics,
        session_of=partial(widget.session_of, tickets),
    )
    # Around the guard: a preflight has no key, and what is refused can be read, too.
    # Also what makes Gradio not let every origin in.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.widget.allowed_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["Retry-After", "X-Request-ID"],
    )
    app.mount(page.STATIC_URL, StaticFiles(directory=page.STATIC), name="ui")
    page.mount(app, loader)  # at "/", which takes all the rest
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
