"""What a browser may do with the page: talk to us alone, and let no other site act in its name."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio makes functions of its templates and scripts in the page, so 'unsafe-*' must stay; what
# documents and questions hold is escaped. The policy keeps every connection at home.
POLICY: Final = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none';"
    " base-uri 'self'; form-action 'self'; frame-ancestors {framed_by}"
)
_HEADERS: Final = {
    "content-security-policy": POLICY.format(framed_by="'self'"),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
# Gradio's own interface: what it calls is our page's business alone.
_GRADIO: Final = "/gradio_api/"


class Security:
    """Adds the headers where a response has none, and refuses other sites' calls of Gradio."""

    def __init__(self, app: ASGIApp, *, uploads: bool) -> None:
        """Wrap an application.

        :param uploads: Whether files may be uploaded at all.
        """
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._is_refused(scope):
            await PlainTextResponse("not allowed", status_code=403)(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)

    def _is_refused(self, scope: Scope) -> bool:
        path = str(scope["path"])
        if _GRADIO not in path:
            return False
        if not self._uploads and path.endswith("/upload"):
            return True
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        return origin is not None and urlsplit(origin).netloc != headers.get("host")
