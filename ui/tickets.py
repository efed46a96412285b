"""Tickets and sessions of the widget: signed, short-lived, bound to the site that embeds it.

::

    site's page → ticket   for its Origin, which the browser sets; opens the widget once
    ticket      → session  within the widget's own addresses; what limits count by

Both are readable and worth nothing to whoever can't sign them; neither is a cookie.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadSignature, URLSafeTimedSerializer

from rag.config import Settings, WidgetSettings
from rag.errors import IndexStorageError, RawiError

logger = logging.getLogger(__name__)

_KEY_FILE = "widget.key"
# Below this a secret could be guessed.
_LEAST_CHARS = 32


class TicketError(RawiError):
    """A ticket or session that doesn't count: forged, expired, used, or of another site."""


@dataclass(frozen=True)
class Session:
    """An opened widget.

    :ivar origin: The site that embeds it.
    :ivar id: Random; made here, so that nobody chooses one.
    """

    origin: str
    id: str


class Tickets:
    """Issues and checks; what was used is remembered in this process until it expires."""

    def __init__(self, secret: str, settings: WidgetSettings) -> None:
        self._settings = settings
        self._tickets = URLSafeTimedSerializer(secret, salt="rawi-ticket")
        self._sessions = URLSafeTimedSerializer(secret, salt="rawi-session")
        self._used: dict[str, float] = {}
        self._lock = threading.Lock()

    def issue(self, origin: str) -> str:
        """Return a ticket for a site.

        :raises TicketError: When the site may not embed the widget.
        """
        self._require(origin)
        return self._tickets.dumps([origin, secrets.token_urlsafe(12)])

    def redeem(self, ticket: str) -> tuple[str, Session]:
        """Return a session, signed and plain, for a ticket; it works once.

        :raises TicketError: When the ticket doesn't count.
        """
        origin, nonce = self._read(self._tickets, ticket, self._settings.ticket_s)
        now = time.monotonic()
        with self._lock:
            self._used = {used: until for used, until in self._used.items() if until > now}
            if nonce in self._used:
                raise TicketError("this ticket was used already")
            self._used[nonce] = now + self._settings.ticket_s + 1
        session = Session(origin, secrets.token_urlsafe(12))
        return self._sessions.dumps([session.origin, session.id]), session

    def session(self, signed: str) -> Session:
        """Return what a signed session says.

        :raises TicketError: When it is forged or expired, or the site is no longer allowed.
        """
        return Session(*self._read(self._sessions, signed, self._settings.session_s))

    def _read(self, serializer: URLSafeTimedSerializer, signed: str, age_s: int) -> tuple[str, str]:
        try:
            origin, name = serializer.loads(signed, max_age=age_s)
        except BadSignature as exc:  # an expired one too
            raise TicketError("this ticket is not valid, or no longer") from exc
        self._require(origin)
        return origin, name

    def _require(self, origin: str) -> None:
        if origin not in self._settings.allowed_origins:
            raise TicketError("this site may not embed Rawi (widget.allowed_origins)")


def secret(settings: Settings) -> str:
    """Return the secret that signs; without one in the settings, of a file made on first start.

    Where there can be no such file it is a new one every time, and the log says so.

    :raises IndexStorageError: When the file, or the setting, holds no secret.
    """
    given = settings.widget.secret.get_secret_value()
    path = settings.storage / _KEY_FILE
    if not given:
        try:
            given = _kept(path)
        except OSError as exc:
            given = secrets.token_urlsafe(48)
            logger.warning(
                "%s: %s; with the server's end, browsers lose the conversations that they keep,"
                " unless RAWI_WIDGET__SECRET is set",
                path,
                exc.strerror,
            )
    if len(given) < _LEAST_CHARS:
        raise IndexStorageError(
            f"{path}: the widget's secret needs {_LEAST_CHARS} characters; delete the file, or set"
            " a longer RAWI_WIDGET__SECRET"
        )
    return given


def derived(secret: str, purpose: str) -> str:
    """Return a key for one purpose, which tells nothing of the secret or of other keys."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _kept(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        made = secrets.token_urlsafe(48)
        file.write(made)
    return made
