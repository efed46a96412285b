"""What of Gradio is served: the routes and functions that the page uses, and nothing else.

Gradio brings some eighty routes, of which several fetch from other hosts or serve files. The page
needs eight; every other one is answered with 404, whatever a new version of Gradio adds. What is
sent to a function has one shape; the rest of it is refused before Gradio reads it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from lxml import etree
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import address, schemas
from ui.conversations import Conversations
from ui.guard import FRAMED_BY, again, policy

_NO_PATH: Final = "invalid_request_error"
_NAME: Final = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
PAGE: Final = "/"
# The routes that the page uses.
ROUTES: Final = {
    "GET": (
        re.compile(PAGE),  # the page itself
        re.compile(rf"/assets/{_NAME}\.(?:js|css|woff2|svg)"),  # Gradio's own script
        re.compile(rf"/static/(?:fonts/{_NAME}|js)/{_NAME}\.(?:js|woff2)"),  # its fonts
        re.compile(r"/theme\.css"),  # its colours
        re.compile(r"/favicon\.ico"),  # browsers ask for it
        re.compile(r"/gradio_api/queue/data"),  # the stream of what was joined
    ),
    "POST": (
        re.compile(r"/gradio_api/run/predict"),  # an event that is answered at once
        re.compile(r"/gradio_api/queue/join"),  # an event whose answer streams
    ),
}


def _no_file(name: str) -> str:
    """Refuse the one name by which Gradio takes a value for a file, and looks for it."""
    if name == "path":
        raise ValueError("not a name of the page's")
    return name


# What a button of the page carries: its data-* attributes; of an upload, a list of such.
_Text = Annotated[str, Field(max_length=20_000)]
# What a browser kept; whatever else is in it would be Gradio's to interpret, a file's address too.
_Kept = Annotated[dict[str, Any], AfterValidator(lambda kept: Conversations.read(kept).dump())]
_Name = Annotated[str, Field(max_length=40), AfterValidator(_no_file)]
# What became of the files of a folder: 500 at most, and that there were more.
_Files = Annotated[list[dict[_Name, _Text]], Field(max_length=501)]


class Call(BaseModel):
    """An event of the page, as its script sends it; what else is in it is dropped."""

    model_config = ConfigDict(extra="ignore", strict=True)

    fn_index: int
    data: list[str | _Kept | None]  # a body's bound is theirs
    event_data: dict[_Name, _Text | _Files] | None = None
    trigger_id: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    session_hash: Annotated[str, Field(pattern=r"^[a-z0-9]{6,40}$")]


class Gate:
    """Stands before Gradio's application.

    :ivar app: That application, with all that it has.
    """

    def __init__(self, app: ASGIApp, functions: Mapping[int, int]) -> None:
        """Wrap Gradio's application.

        :param functions: How many inputs each of the page's functions has, by its index.
        """
        self.app = app
        self._functions = functions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        if not is_served(str(scope["method"]), path):
            # Whoever looks for the API under another path reads this as the API would say it.
            body = schemas.error("there is no such path; the API's begin with /v1", _NO_PATH)
            await JSONResponse(body, 404)(scope, receive, send)
        elif address.is_foreign(scope):
            await PlainTextResponse("not allowed", 403)(scope, receive, send)
        elif path == PAGE:
            await self._page(scope, receive, send)
        elif scope["method"] == "POST":
            await self._called(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the page on; its own scripts, and no others, are allowed by their hashes."""
        start: Message = {}
        body = b""

        async def held(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            body += message.get("body", b"")

        await self.app(scope, receive, held)
        framed_by = str(scope.get(FRAMED_BY, "'self'"))
        headers = MutableHeaders(scope=start)
        headers["Content-Security-Policy"] = policy(framed_by, scripts=script_hashes(body))
        headers["Cache-Control"] = "no-store"
        await send(start)
        await send({"type": "http.response.body", "body": body})

    async def _called(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an event on in the one shape that it may have."""
        try:
            call = Call.model_validate_json(await Request(scope, receive).body())
        except ValidationError:
            await PlainTextResponse("not an event of the page", 422)(scope, receive, send)
            return
        if self._functions.get(call.fn_index) != len(call.data):
            await PlainTextResponse("no such event", 404)(scope, receive, send)
            return
        body = call.model_dump_json().encode("utf-8", "replace")
        passed = {**scope, "headers": [h for h in scope["headers"] if h[0] != b"content-length"]}
        passed["headers"].append((b"content-length", str(len(body)).encode()))
        message = {"type": "http.request", "body": body, "more_body": False}
        await self.app(passed, again(message, receive), send)


def is_served(method: str, path: str) -> bool:
    """Tell whether a path of Gradio's application is one that the page uses."""
    routes = ROUTES.get("GET" if method == "HEAD" else method, ())
    return any(route.fullmatch(path) for route in routes)


def script_hashes(page: bytes) -> list[str]:
    """Return the source expression of every script that stands in a page itself.

    https://www.w3.org/TR/CSP3/#grammardef-hash-source

    :param page: HTML in UTF-8.
    """
    parsed = etree.HTML(page, etree.HTMLParser(encoding="utf-8", huge_tree=True))
    scripts = [] if parsed is None else parsed.iterfind(".//script")  # None: nothing is in it
    within = [script.text or "" for script in scripts if "src" not in script.attrib]
    digests = (hashlib.sha256(script.encode()).digest() for script in within)
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
