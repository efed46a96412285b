"""The API: OpenAI's chat completions with citations, a list of one model, and search.

A stream is: one chunk with ``evidence``; chunks with the answer as it is written; one chunk with
``finish_reason``, ``usage`` and all fields of ``Checked``; ``[DONE]``. An error on the way is one
chunk with ``error``, as OpenAI's servers send it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from rag.engine import Answer, Evidence, Timings, Token, Turn
from rag.errors import NoDocumentError, QuestionError, RawiError
from rag.language import detect
from ui import address, schemas, tasks
from ui.logs import note_question
from ui.schemas import MODEL, ChatMessage, ChatRequest, ChatResponse, ErrorResponse
from ui.work import Event, NotReadyError, QueueFullError, Work, whole


class NoModelError(RawiError):
    """A model that isn't ours."""


_RETRY_S: Final = "5"
# What is said of an error: its status, its kind, and where they are known its code and parameter.
_STATUS: Final[tuple[tuple[type[RawiError], int, tuple[str, ...]], ...]] = (
    (NoModelError, 404, ("invalid_request_error", "model_not_found", "model")),
    (NoDocumentError, 400, ("invalid_request_error", "document_not_found", "docs")),
    (QuestionError, 400, ("invalid_request_error",)),
    (QueueFullError, 429, ("rate_limit_error",)),
    (NotReadyError, 503, ("service_unavailable_error",)),
    (RawiError, 502, ("server_error",)),
)
_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": ErrorResponse, "description": "The question can't be asked, or not of docs"},
    401: {"model": ErrorResponse, "description": "The API key is missing or wrong"},
    403: {"model": ErrorResponse, "description": "Not from this origin"},
    404: {"model": ErrorResponse, "description": "No such model"},
    408: {"model": ErrorResponse, "description": "The body took too long"},
    413: {"model": ErrorResponse, "description": "The body is too large"},
    422: {"model": ErrorResponse, "description": "A field is missing or not allowed"},
    429: {"model": ErrorResponse, "description": "Too many questions; see Retry-After"},
    502: {"model": ErrorResponse, "description": "The answer failed"},
    503: {"model": ErrorResponse, "description": "Loading, or switched off"},
}


def router(work: Work) -> APIRouter:
    """Return the routes of the API."""
    routes = APIRouter(responses=_ERRORS)

    @routes.post("/v1/chat/completions", response_model=ChatResponse)
    async def chat_completions(asked: ChatRequest, request: Request) -> Response:
        """Answer the last message, which must be the user's, with citations."""
        _check_model(asked.model)
        question, history = _conversation(asked.messages)
        note_question(request, question)
        told = tasks.reply(question)
        if told is not None:
            events = _told(question, told)
        else:
            events = work.answer(address.asker(request.scope), question, history, asked.docs)
        return await (_streamed(events) if asked.stream else _whole(events, request))

    @routes.get("/v1/models")
    async def models() -> schemas.Models:
        """List the one model."""
        return schemas.Models()

    @routes.get("/v1/models/{model:path}")  # org/name
    async def model(model: str) -> schemas.Model:
        """Describe the one model."""
        _check_model(model)
        return schemas.Model()

    @routes.post("/search")
    async def search(asked: schemas.SearchRequest, request: Request) -> schemas.SearchResponse:
        """Find the passages nearest to a question, without the LLM."""
        note_question(request, asked.question)
        asker = address.asker(request.scope)
        passages = await work.passages(asker, asked.question, asked.k, asked.docs)
        return schemas.found(asked.question, passages)

    @routes.post("/translate")
    async def translate(asked: schemas.TranslationRequest, request: Request) -> schemas.Translation:
        """Put a sentence of a document into the other language."""
        place = (asked.doc, asked.start, asked.end)
        text = work.translating(address.asker(request.scope), *place)
        return schemas.Translation(text=await asyncio.wrap_future(text))

    return routes


def _check_model(model: str) -> None:
    if model != MODEL:
        raise NoModelError(f"there is no such model; use {MODEL}")


def say_errors_as_openai(app: FastAPI) -> None:
    """Translate every error into a status and OpenAI's form."""

    @app.exception_handler(RawiError)
    async def translated(_: Request, exc: RawiError) -> JSONResponse:
        status, said = next((code, said) for kind, code, said in _STATUS if isinstance(exc, kind))
        headers = {"Retry-After": _RETRY_S} if status in (429, 503) else None
        return JSONResponse(schemas.error(str(exc), *said), status, headers)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, exc: HTTPException) -> JSONResponse:
        # A body that is no text, or has no bottom; what else FastAPI itself refuses.
        body = schemas.error(str(exc.detail), "invalid_request_error")
        return JSONResponse(body, exc.status_code, exc.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, exc: RequestValidationError) -> JSONResponse:
        # The first error alone, and never the input: it may be large, or not even text.
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        message = f"{where or 'body'}: {first['msg']}"
        body = schemas.error(message, "invalid_request_error", param=where or None)
        return JSONResponse(body, 422)


def _conversation(messages: Sequence[ChatMessage]) -> tuple[str, list[Turn]]:
    """Return the question and what was said before it.

    :raises QuestionError: When the last message isn't the user's.
    """
    turns: list[Turn] = []
    for message in messages:
        is_answered = not turns or turns[-1].role == "assistant"
        role = message.role or ("user" if is_answered else "assistant")
        if role in ("user", "assistant"):
            turns.append(Turn("user" if role == "user" else "assistant", message.content))
    if not turns or turns[-1].role != "user":
        raise QuestionError("the last message must be the user's; it is the question")
    return turns[-1].content, turns[:-1]


async def _told(question: str, text: str) -> AsyncGenerator[Event, None]:
    """Yield what needs no document as the events of an answer."""
    yield Evidence(())
    yield Token(text)
    yield Answer(
        question=question,
        language=detect(text),
        answer=text,
        abstained=False,
        citations=(),
        evidence=(),
        timings=Timings(0.0, 0.0, 0.0, 0, 0),
        how="told",
        confidence=1.0,
    )


async def _whole(events: AsyncGenerator[Event, None], request: Request) -> Response:
    """Answer at once; stop when the client goes away."""
    answering = asyncio.ensure_future(whole(events))
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            return Response(status_code=499)  # nobody reads it; the log does
        answer = answering.result()
    finally:
        for task in (answering, gone):
            task.cancel()
        await asyncio.gather(answering, gone, return_exceptions=True)
    response = ChatResponse(
        id=_id(),
        created=int(time.time()),
        choices=[schemas.Choice(message=schemas.ReplyMessage(content=answer.answer))],
        usage=schemas.usage(answer),
        **dict(schemas.checked(answer)),
    )
    return JSONResponse(response.model_dump())


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _streamed(events: AsyncGenerator[Event, None]) -> Response:
    # The first event before the status: what can't be asked is refused, not streamed.
    first = await anext(events)
    return StreamingResponse(
        _chunks(first, events),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _chunks(first: Event, events: AsyncGenerator[Event, None]) -> AsyncIterator[str]:
    base = {
        "id": _id(),
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": MODEL,
    }
    async with aclosing(events):
        yield _chunk(base, first)
        try:
            async for event in events:
                yield _chunk(base, event)
        except RawiError as exc:
            yield _sse(schemas.error(str(exc), "server_error"))
            return
    yield "data: [DONE]\n\n"


def _chunk(base: dict[str, Any], event: Event) -> str:
    delta: dict[str, Any] = {}
    more: dict[str, Any] = {}
    finish = None
    if isinstance(event, Evidence):
        delta = {"role": "assistant", "content": ""}
        more = {"evidence": [schemas.sentence(found).model_dump() for found in event.sentences]}
    elif isinstance(event, Token):
        delta = {"content": event.text}
    else:
        finish = "stop"
        more = {**schemas.checked(event).model_dump(), "usage": schemas.usage(event).model_dump()}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _sse({**base, "choices": [choice], **more})


def _sse(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _id() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"
