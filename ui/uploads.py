"""A file on its way from a browser into the folder: who, how much, what kind, and only then bytes.

One request brings one file, as it is. What arrives is held in a file without a name, which is gone
when the request is, however that ends.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import asdict
from tempfile import TemporaryFile
from typing import IO, Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from rag.config import Settings
from ui import address, documents, text
from ui.documents import RefusedError
from ui.limits import AtOnce, Limits

logger = logging.getLogger(__name__)

PATH: Final = "/documents/upload"
# Bytes a second; who is slower is hung up on, or a few could hold all places for hours.
_SLOWEST: Final = 10_000
_AT_ONCE_EACH: Final = 3
_AT_ONCE: Final = 8


def router(settings: Settings, limits: Limits) -> APIRouter:
    """Return the one route."""
    routes = APIRouter(include_in_schema=False)
    places = AtOnce(each=_AT_ONCE_EACH, total=_AT_ONCE)

    @routes.post(PATH)
    async def upload(request: Request, name: Annotated[str, Query(max_length=500)]) -> JSONResponse:
        """Take a file into the folder; it is indexed when the page says that all are there."""
        asker = address.asker(request.scope)
        try:
            size = _let_in(request, settings, limits, asker)
            doc = documents.checked_name(settings, name)
            if not places.take(asker):
                raise RefusedError(text.TOO_MANY, 429, 1)
            try:
                settings.storage.mkdir(parents=True, exist_ok=True, mode=0o700)
                with TemporaryFile(dir=settings.storage) as held:
                    await _received(request, held, size, settings.server.body_timeout_s)
                    await asyncio.to_thread(documents.add, settings, doc, held.read())
            finally:
                places.leave(asker)
        except OSError as exc:  # there is no room to hold it
            logger.warning("%s: %s", settings.storage, exc)
            refusal = documents.unwritten(exc)
        except RefusedError as exc:
            refusal = exc
        else:
            return JSONResponse({"doc": doc}, 201)
        # What is still on its way is of no use: without this, it would be waited for.
        headers = {"Connection": "close"}
        if refusal.retry_s:
            headers["Retry-After"] = str(refusal.retry_s)
        return JSONResponse(asdict(refusal.reason), refusal.status, headers)

    return routes


def _let_in(request: Request, settings: Settings, limits: Limits, asker: str) -> int:
    """Return the bytes that will come, of somebody who may send as many.

    :raises RefusedError: When he may not.
    """
    scope = request.scope
    if address.is_foreign(scope) or not documents.may_change(settings, scope):
        raise RefusedError(text.REFUSED_CLOSED, 403)
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()):
        raise RefusedError(text.REFUSED_WRITE, 411)
    most = documents.upload_limit(settings)
    if len(length) > len(str(most)) or int(length) > most:
        raise RefusedError(text.REFUSED_SIZE.format(most=documents.size_text(most)), 413)
    wait = limits.upload(asker, int(length))
    if wait is not None:
        raise RefusedError(text.TOO_MANY, 429, wait)
    return int(length)


async def _received(request: Request, held: IO[bytes], size: int, stall_s: float) -> None:
    """Write what comes into ``held`` and go back to its beginning.

    :param size: Bytes that were promised.
    :param stall_s: Seconds that it may be behind the slowest that is let be.
    :raises RefusedError: When it comes too slowly, or as something else.
    """
    try:
        async with asyncio.timeout(stall_s) as patience, aclosing(request.stream()) as parts:
            async for part in parts:
                held.write(part)
                # As much later as what came was worth.
                patience.reschedule((patience.when() or 0.0) + len(part) / _SLOWEST)
    except TimeoutError as exc:
        raise RefusedError(text.REFUSED_SLOW, 408) from exc
    if held.tell() != size:
        raise RefusedError(text.REFUSED_SLOW, 400)
    held.seek(0)
