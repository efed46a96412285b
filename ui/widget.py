"""The embeddable widget: its script, its tickets, and the chat page in a frame.

::

    GET  /widget.js                the script that a site embeds
    POST /widget/ticket            from the site's page: a ticket for its Origin
    GET  /embed?ticket=…           in the frame: once, then on to
    ANY  /embed/<session>/…        the chat page, which only this site's pages may frame
"""

from __future__ import annotations

import json
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Header, Query
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rag.config import WidgetSettings
from rag.language import LANGUAGES
from ui import page, text
from ui.guard import FRAMED_BY, NOTHING, policy
from ui.loading import Loader
from ui.tickets import TicketError, Tickets

PREFIX: Final = "/embed"
_THEMES: Final = ("light", "dark")


def router(tickets: Tickets, settings: WidgetSettings) -> APIRouter:
    """Return the routes outside the frame."""
    routes = APIRouter(include_in_schema=False)
    script = script_text()

    @routes.get("/widget.js")
    def widget_js() -> Response:
        """Serve the launcher; it is the same for every site and holds no secret."""
        return Response(
            script,
            media_type="text/javascript",
            headers={
                "Cache-Control": "public, max-age=300",
                # A page that isolates itself may still load it.
                "Cross-Origin-Resource-Policy": "cross-origin",
            },
        )

    @routes.post("/widget/ticket")
    def ticket(origin: Annotated[str, Header()] = "") -> JSONResponse:
        """Issue a ticket for the origin that the browser says; a page can't say another."""
        issued = {"ticket": tickets.issue(origin), "session_s": settings.session_s}
        return JSONResponse(issued, headers={"Cache-Control": "no-store"})

    @routes.get(PREFIX)
    def embed(
        ticket: Annotated[str, Query(max_length=1_000)] = "",
        lang: Annotated[str, Query(max_length=10)] = "",
        theme: Annotated[str, Query(max_length=10)] = "",
    ) -> Response:
        """Take the ticket, and go on to where the address says nothing that opens anything."""
        signed, session = tickets.redeem(ticket)
        looks = {"lang": lang in ("ar", "en") and lang, "theme": theme in _THEMES and theme}
        query = urlencode({name: value for name, value in looks.items() if value})
        url = f"{PREFIX[1:]}/{signed}/" + (f"?{query}" if query else "")
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": policy(session.origin),
        }
        return RedirectResponse(url, 303, headers=headers)

    return routes


def script_text() -> str:
    """Return the launcher with its strings in both languages."""
    source = (page.STATIC / "widget.js").read_text(encoding="utf-8")
    strings = {
        language: {name: phrase[language] for name, phrase in text.WIDGET.items()}
        for language in LANGUAGES
    }
    return source.replace('"__STRINGS__"', json.dumps(strings, ensure_ascii=False))


def session_of(tickets: Tickets, path: str) -> str | None:
    """Return the id of the session that a path belongs to."""
    if not path.startswith(f"{PREFIX}/"):
        return None
    try:
        return tickets.session(path.split("/")[2]).id
    except TicketError:
        return None  # refused where the page is served


def refuse_tickets(app: FastAPI) -> None:
    """Answer a ticket that doesn't count with 403, and let nothing frame the answer."""

    @app.exception_handler(TicketError)
    async def refused(_: object, exc: TicketError) -> Response:
        headers = {"Content-Security-Policy": NOTHING}
        return PlainTextResponse(str(exc), 403, headers=headers)


class Embedded:
    """The chat page under ``/embed/<session>/``, for whoever holds a session."""

    def __init__(self, tickets: Tickets, loader: Loader) -> None:
        """Build the page."""
        self._tickets = tickets
        self.app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        # Without a CORS middleware of the parent, Gradio adds one that lets every origin in.
        self.app.add_middleware(CORSMiddleware, allow_origins=[])
        page.mount(self.app, loader, compact=True)
        self._script = (page.STATIC / "embed.js").read_text(encoding="utf-8")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request below ``/embed/``.

        :raises TicketError: Without a session; see ``refuse_tickets``.
        """
        below = f"{scope['root_path']}/"
        signed, _, rest = str(scope["path"]).removeprefix(below).partition("/")
        session = self._tickets.session(signed)
        served: ASGIApp = self.app
        if rest == "embed.js":
            source = self._script.replace('"__ORIGIN__"', json.dumps(session.origin))
            served = Response(source, media_type="text/javascript")
        scope[FRAMED_BY] = session.origin
        await served({**scope, "root_path": f"{below}{signed}"}, receive, send)
