"""What a browser may do with what is served: talk to us alone, and run nothing but our scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Who may frame a response, in the scope of its request; ourselves alone when it isn't there.
FRAMED_BY: Final = "rawi.framed_by"


def policy(framed_by: str, *, scripts: Sequence[str] = ()) -> str:
    """Return a Content-Security-Policy that keeps every connection at home.

    Gradio makes functions of its components' templates, so 'unsafe-eval' must stay where its page
    is; and it sets styles by attribute.

    :param framed_by: Source expressions of those who may frame the response.
    :param scripts: Of a page's own scripts; without any, nothing is a page and nothing runs.
    """
    runs = f"'self' 'unsafe-eval' {' '.join(scripts)}" if scripts else "'none'"
    return (
        f"default-src 'self'; script-src {runs}; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; frame-src 'none';"
        f" base-uri 'self'; form-action 'self'; frame-ancestors {framed_by}"
    )


class Security:
    """Adds the headers where a response has none."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                framed_by = str(scope.get(FRAMED_BY, "'self'"))
                headers.setdefault("content-security-policy", policy(framed_by))
                headers.setdefault("referrer-policy", "same-origin")
                headers.setdefault("x-content-type-options", "nosniff")
            await send(message)

        await self._app(scope, receive, with_headers)
