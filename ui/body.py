"""A request's body, read whole before anything works on it, within bounds of size and time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope


class TooLargeError(Exception):
    """The body has more bytes than allowed."""


class TooSlowError(Exception):
    """The body did not arrive in time."""


async def whole(scope: Scope, receive: Receive, most: int, timeout_s: float) -> Receive:
    """Read the body; return a ``receive`` that gives it again, and then what comes after it.

    :param most: Bytes.
    :raises TooLargeError: As soon as it is known.
    :raises TooSlowError: When it isn't whole after ``timeout_s`` seconds.
    """
    length = Headers(scope=scope).get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise TooLargeError
    try:
        messages = iter(await asyncio.wait_for(_read(receive, most), timeout_s))
    except asyncio.TimeoutError as exc:
        raise TooSlowError from exc
    return _again(messages, receive)


def _again(messages: Iterator[Message], receive: Receive) -> Receive:
    async def again() -> Message:
        return next(messages, None) or await receive()

    return again


async def _read(receive: Receive, most: int) -> list[Message]:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return [message]
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise TooLargeError
        if not message.get("more_body", False):
            return [{"type": "http.request", "body": b"".join(parts), "more_body": False}]
