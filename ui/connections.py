"""What a connection may do before, between and after its requests: not much, and not for long.

uvicorn closes a connection that is idle after a request. It waits for ever for a first head, for
the rest of a head, and for a client that doesn't read; and counts all connections together, so that
one address could hold them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from rag.config import ServerSettings, Settings
from ui import address
from ui.limits import AtOnce

# Well within the 1,024 files that a process may commonly have open.
_MOST: Final = 800
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Retry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


def protocol(settings: Settings) -> type[asyncio.Protocol]:
    """Return what makes the connections of one server."""
    at_once = AtOnce(each=settings.limits.connections, total=_MOST)
    return cast(
        "type[asyncio.Protocol]", partial(_Connection, settings=settings.server, at_once=at_once)
    )


class _Connection(H11Protocol):
    """One connection; h11, because it bounds how large a head may grow."""

    def __init__(self, *, settings: ServerSettings, at_once: AtOnce, **given: Any) -> None:
        super().__init__(**given)
        self._settings = settings
        self._at_once = at_once
        self._leave: Callable[[], None] | None = None
        self._head = _Deadline(self, settings.header_timeout_s)
        self._reading = _Deadline(self, settings.send_timeout_s)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = self.client[0] if self.client else ""
        trusted = address.is_within(peer, self._settings.trusted_proxies)
        holder = None if trusted else address.bucket(peer)
        if not self._at_once.take(holder):
            transport.write(_FULL)
            transport.close()
            return
        self._leave = partial(self._at_once.leave, holder)
        # Whatever can't be sent is told by pause_writing, and not from 64 kB on alone.
        transport.set_write_buffer_limits(high=0)
        self._head.set()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._head.lift()
        self._reading.lift()
        if self._leave is not None:
            self._leave()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._head.set()
        else:
            self._head.lift()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading.set()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reading.lift()


class _Deadline:
    """Ends a connection on which something doesn't happen in time."""

    def __init__(self, connection: H11Protocol, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def set(self) -> None:
        """Begin to count; one that is set stays as it is."""
        if self._timer is None:
            abort = self._connection.transport.abort
            self._timer = self._connection.loop.call_later(self._seconds, abort)

    def lift(self) -> None:
        """Count no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
