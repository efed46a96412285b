"""Everything beside the chat page, put onto one application: API, MCP, widget, health, guard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from ui import api, health, mcp, uploads, widget
from ui.connections import Streams
from ui.guard import Guard
from ui.limits import Limits
from ui.loading import Loader
from ui.tickets import TicketError, Tickets


def add_services(
    app: FastAPI,
    loader: Loader,
    *,
    mount_page: widget.MountPage,
) -> None:
    """Add them; to be called before the chat page is mounted at ``/``, which takes all the rest.

    :param mount_page: Puts the compact page, with more in its head, at ``/`` of an application.
    """
    settings, work = loader.settings, loader.work
    limits = Limits(settings.limits)
    tickets = Tickets(loader.secret, settings.widget)
    app.include_router(api.router(work))
    app.include_router(health.router(work))
    app.include_router(uploads.router(settings, limits))
    api.say_errors_as_openai(app)
    running = mcp.add(app, work, settings.server.max_body_bytes)
    app.include_router(widget.router(tickets, settings.widget))
    widget.refuse_tickets(app)
    lives: list[Callable[[], AbstractAsyncContextManager[Any]]] = [running]
    if settings.widget.allowed_origins:  # nobody else could open it
        embedded = widget.Embedded(tickets, mount_page)
        app.mount(widget.PREFIX, embedded)
        lives.append(partial(embedded.app.router.lifespan_context, embedded.app))
    _run_with(app, lives)

    def session_of(path: str) -> str | None:
        if not path.startswith(f"{widget.PREFIX}/"):
            return None
        try:
            return tickets.session(path.split("/")[2]).id
        except TicketError:
            return None  # refused where the page is served

    app.add_middleware(Streams, each=settings.limits.streams)
    app.add_middleware(
        Guard, settings=settings, limits=limits, metrics=work.metrics, session_of=session_of
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


def _run_with(
    app: FastAPI, lives: Sequence[Callable[[], AbstractAsyncContextManager[Any]]]
) -> None:
    """Make the application's life that of its parts too: of MCP, and of the embedded page."""
    outer = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[Any]:
        async with outer(application) as state, AsyncExitStack() as parts:
            for life in lives:
                await parts.enter_async_context(life())
            yield state

    app.router.lifespan_context = lifespan
