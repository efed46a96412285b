"""The MCP server: two tools, search and ask, over streamable HTTP at /mcp.

It keeps no sessions: every call stands for itself, under the same key and limits as the API.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import FastAPI
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import Field
from starlette.responses import Response

from rag.errors import RawiError
from ui import address, schemas
from ui.work import Work, whole

PATH: Final = "/mcp"
_ABOUT: Final = (
    "Answers questions in Arabic or English about this server's own documents. Every answer quotes"
    " the exact sentence it came from; when the documents don't say, it says so."
)

Question = Annotated[str, Field(max_length=20_000, description="A question in Arabic or English.")]


def build(work: Work) -> MCPServer[Any]:
    """Return the server with its two tools."""
    server: MCPServer[Any] = MCPServer("Rawi", instructions=_ABOUT)

    @server.tool()
    async def search(
        question: Question,
        context: Context[Any],
        k: Annotated[int, Field(ge=1, le=50)] = 5,
        docs: schemas.Docs = None,
    ) -> schemas.SearchResponse:
        """Find the passages nearest to a question, best first, in either language."""
        try:
            return schemas.found(question, await work.passages(_asker(context), question, k, docs))
        except RawiError as exc:
            raise ToolError(str(exc)) from exc

    @server.tool()
    async def ask(
        question: Question, context: Context[Any], docs: schemas.Docs = None
    ) -> schemas.Checked:
        """Answer a question from the documents; ``[n]`` in the answer is citation n."""
        try:
            events = work.answer(_asker(context), question, docs=docs)
            return schemas.checked(await whole(events))
        except RawiError as exc:
            raise ToolError(str(exc)) from exc

    return server


def _asker(context: Context[Any]) -> str:
    request = context.request_context.request
    return address.asker(request.scope) if request is not None else ""


def add(app: FastAPI, work: Work, max_bytes: int) -> MCPServer[Any]:
    """Put the MCP server onto an application; its session manager must run while it serves.

    Its own check of hosts is off: the guard before it has checked key, host and origin.
    """
    server = build(work)
    inner = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=max_bytes,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )

    @app.get(PATH, include_in_schema=False)
    def no_stream() -> Response:
        """Refuse the stream that a client may ask for: this server has nothing to push."""
        return Response(status_code=405, headers={"Allow": "POST"})

    app.router.routes.extend(inner.routes)
    return server
