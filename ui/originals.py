"""The file that a PDF's citation is of, for the browser to open at its page.

It comes from anybody: it is sent as what its first bytes are, to be shown in an origin of its own
where nothing runs, and to no other site's page.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.responses import FileResponse, Response

from rag import documents
from rag.config import Settings
from ui.loading import Loader

PATH: Final = "/documents/original"
_TYPE: Final = "application/pdf"
# Where a reader of PDFs looks for their mark.
_MARK, _LOOKED_AT = b"%PDF-", 1_024
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-cache",
}


def address(settings: Settings, doc: str, page: int | None) -> str:
    """Return where a document is opened at a page, relative to the chat; empty where it isn't."""
    if not settings.page.originals or page is None or not _is_pdf(doc):
        return ""
    return f"{PATH[1:]}?doc={quote(doc, safe='')}#page={page}"


def router(loader: Loader) -> APIRouter:
    """Return the one route."""
    routes = APIRouter(include_in_schema=False)
    settings = loader.settings

    @routes.get(PATH)
    def original(doc: Annotated[str, Query(max_length=4_096)]) -> Response:
        """Return the file of a PDF that the index holds, as it is now."""
        engine, path = loader.engine, settings.corpus / doc
        is_open = settings.page.originals and engine is not None and _is_pdf(doc)
        if not (is_open and engine and engine.retriever.storage.title(doc)):
            return Response(status_code=404)
        try:
            if not documents.is_inside(path, settings.corpus):
                return Response(status_code=404)
            with path.open("rb") as file:
                is_one = _MARK in file.read(_LOOKED_AT)
        except OSError:  # it has left meanwhile, or is closed to us
            return Response(status_code=404)
        if not is_one:
            return Response(status_code=404)
        return FileResponse(
            path,
            media_type=_TYPE,
            headers=_HEADERS,
            filename=PurePosixPath(doc).name,
            content_disposition_type="inline",
        )

    return routes


def _is_pdf(doc: str) -> bool:
    return doc.lower().endswith(".pdf")
