"""What every request passes first: whether it is whole, small, allowed, and not one too many.

Pure ASGI, around everything but what tells browsers who may read, so that the page, the API, MCP
and the widget are under the same rules, and nothing is forgotten when a route is added. Every
response leaves with what a browser may do with it: talk to us alone, and run our scripts alone.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.config import Settings
from ui import address, keys, logs, schemas, uploads
from ui.limits import AtOnce, Limits
from ui.metrics import Metrics

# A file of this name in the storage folder switches everything off, without a restart.
SWITCH: Final = "OFF"
_KEYED: Final = ("/v1", "/search", "/translate", "/mcp", "/metrics")
_ASKING: Final = re.compile(
    r"/v1/chat/completions/?|/search/?|/translate/?|/mcp/?|.*/gradio_api/(?:queue/join|run/predict)"
)
_OPENING: Final = re.compile(r"/widget/ticket/?|/embed/?")
_ALWAYS: Final = ("/healthz", "/metrics")
_ROUTES: Final = (
    "/v1/chat/completions", "/v1/models", "/search", "/translate", "/mcp", "/metrics", "/healthz",
    "/widget.js", "/widget/ticket", "/embed", "/openapi.json",
)  # fmt: skip
# What a proxy says of the outside; from anybody else it is an invention.
_PROXY_HEADERS: Final = (b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server")
_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9_.~-]{1,100}){1,10}")
_MISDIRECTED: Final = "Rawi isn't known by this name; its operator can add it to server.hosts"
_NO_KEY: Final = "the API key is missing or wrong: Authorization: Bearer …"
_NO_KEYS: Final = "without keys the API serves its own machine alone; make one with: rawi key"
# What of Gradio is served as a stream.
_STREAM: Final = re.compile(r"/gradio_api/queue/data")
_STREAM_RETRY_S: Final = 5
NOTHING: Final = "default-src 'none'; frame-ancestors 'none'"
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


class Guard:
    """The middleware."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        limits: Limits,
        metrics: Metrics,
        session_of: Callable[[str], str | None],
    ) -> None:
        """Wrap an application.

        :param session_of: Returns the id of the widget's session that a path belongs to.
        """
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._limits = limits
        self._session_of = session_of
        self._streams = AtOnce(each=settings.limits.streams)
        self._switch: Path = settings.storage / SWITCH

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, and note how it went."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Request(scope, send)
        try:
            await self._handle(request, scope, receive)
        finally:
            self._note(request, scope)

    async def _handle(self, request: _Request, scope: Scope, receive: Receive) -> None:
        trusted = self._settings.server.trusted_proxies
        root = self._root(scope, trusted)
        if root and scope["path"] == root:
            await RedirectResponse(f"{root}/", 307)(scope, receive, request.send)
            return
        if root and scope["path"].startswith(f"{root}/"):
            scope["path"] = scope["path"].removeprefix(root)
        client = address.client(scope, trusted)
        if address.peer(scope) == client:
            scope["headers"] = [h for h in scope["headers"] if h[0] not in _PROXY_HEADERS]
        scope["rawi.asker"] = address.bucket(client)
        given = self._refusal(scope, client) or await self._whole(scope, receive)
        stream = scope["method"] == "GET" and _STREAM.search(scope["path"])
        holder = address.asker(scope) if stream else None
        if not isinstance(given, Response) and not self._streams.take(holder):
            given = _refused(429, "too many open streams", "rate_limit_error", _STREAM_RETRY_S)
        if isinstance(given, Response):
            if given.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                self._metrics.limited.labels("rate_limit_error").inc()
            await given(scope, receive, request.send)
            return
        request.is_let_in = True
        request.scope = {**scope, "root_path": root, "path": f"{root}{scope['path']}"}
        try:
            await self._app(request.scope, given, request.send)
        finally:
            self._streams.leave(holder)

    async def _whole(self, scope: Scope, receive: Receive) -> Receive | Response:
        """Read the body before anything works on it; return what gives it again."""
        if scope["path"] == uploads.PATH:
            return receive
        most, within_s = self._settings.server.max_body_bytes, self._settings.server.body_timeout_s
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > most:
            return _too_large()
        try:
            message = await asyncio.wait_for(_read(receive, most), within_s)
        except TimeoutError:
            return _refused(408, "the request took too long")
        return _too_large() if message is None else again(message, receive)

    def _root(self, scope: Scope, trusted: Sequence[str]) -> str:
        """Return the path that this server is known below, as its proxy or the settings say."""
        said = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
        if address.is_within(address.peer(scope), trusted) and _PREFIX.fullmatch(said):
            return said
        return self._settings.server.root_path

    def _refusal(self, scope: Scope, client: str) -> Response | None:
        path, bucket = str(scope["path"]), address.bucket(client)
        if not address.is_for_us(scope, self._settings.server):
            return _refused(421, _MISDIRECTED)
        if not path.isprintable():
            return _refused(400, "the path is not one")
        is_off = not self._settings.server.enabled or self._switch.exists()
        if is_off and path not in _ALWAYS:
            return _refused(503, "Rawi is switched off", "service_unavailable_error", 600)
        holder: str | None = None
        if _below(path, _KEYED):
            holder = self._holder(scope)
            if holder is None:
                wait = self._limits.open(bucket)
                if wait is not None:
                    return _too_many(wait)
                missing = _NO_KEY if self._settings.api.key_hashes else _NO_KEYS
                return _refused(401, missing, "authentication_error")
            scope["rawi.asker"] = holder or bucket
        if scope["method"] == "POST" and _ASKING.fullmatch(path):
            wait = self._limits.ask(bucket, holder or self._session_of(path))
        elif scope["method"] in ("GET", "POST") and _OPENING.fullmatch(path):
            wait = self._limits.open(bucket)
        else:
            return None
        return None if wait is None else _too_many(wait)

    def _holder(self, scope: Scope) -> str | None:
        """Return who asks: a key's hash, or "" for this machine where no key is needed."""
        hashes = self._settings.api.key_hashes
        if hashes:
            return keys.find(keys.bearer(Headers(scope=scope).get("authorization", "")), hashes)
        return "" if address.is_this_machine(scope, self._settings.server) else None

    def _note(self, request: _Request, scope: Scope) -> None:
        route = _route(str(scope["path"]))
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(route, method, str(request.status)).inc()
        fields: dict[str, Any] = {
            "request_id": request.id,
            "method": method,
            "route": route,
            "status": request.status,
            "seconds": round(time.perf_counter() - request.began, 4),
        }
        if self._settings.server.log_questions and "rawi.question" in request.scope:
            fields["question"] = request.scope["rawi.question"]
        logs.access(**fields)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


async def _read(receive: Receive, most: int) -> Message | None:
    """Return a body in one message; None when it has more bytes than allowed."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return message
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return {"type": "http.request", "body": bytes(body), "more_body": False}


def again(message: Message, receive: Receive) -> Receive:
    """Return what gives a message, and then what comes after it."""
    given = iter([message])

    async def received() -> Message:
        return next(given, None) or await receive()

    return received


class _Request:
    """One request on its way: its id and how it was answered.

    :ivar scope: As the application within has it, once it is let in.
    """

    def __init__(self, scope: Scope, send: Send) -> None:
        self.id = secrets.token_hex(8)
        self.status = 499  # until something was answered
        self.began = time.perf_counter()
        self.is_let_in = False
        self.scope = scope
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass a message on, with the headers that every response has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.id
            allowed = policy(str(self.scope.get(FRAMED_BY, "'self'")))
            headers.setdefault("Content-Security-Policy", allowed if self.is_let_in else NOTHING)
            if FRAMED_BY in self.scope:  # there is a session in its address
                headers.setdefault("Cache-Control", "no-store")
            headers.setdefault("Referrer-Policy", "same-origin")
            headers.setdefault("X-Content-Type-Options", "nosniff")
        await self._send(message)


def _route(path: str) -> str:
    """Return which part of the server a path belongs to; sessions and names are not in it."""
    return _below(path, _ROUTES) or "page"


def _below(path: str, routes: Sequence[str]) -> str | None:
    """Return which of some routes a path is, or is below of."""
    return next((r for r in routes if path == r or path.startswith(f"{r}/")), None)


def _refused(
    status: int, message: str, kind: str = "invalid_request_error", retry_s: int | None = None
) -> Response:
    """Return why a request is not let in, in OpenAI's form."""
    headers = {"Retry-After": str(retry_s)} if retry_s else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(schemas.error(message, kind), status, headers)


def _too_large() -> Response:
    return _refused(413, "the request is too large")


def _too_many(wait_s: int) -> Response:
    return _refused(429, "too many questions; ask again later", "rate_limit_error", wait_s)
