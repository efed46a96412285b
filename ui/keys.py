"""API keys: made here, known only by their SHA-256.

A key is 256 random bits, so a plain hash keeps it: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence

_PREFIX = "rawi-"


def make() -> tuple[str, str]:
    """Return a new key and the hash that goes into ``api.key_hashes``."""
    key = _PREFIX + secrets.token_urlsafe(32)
    return key, digest(key)


def digest(key: str) -> str:
    """Return the SHA-256 of a key, in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()


def find(key: str, hashes: Sequence[str]) -> str | None:
    """Return the hash of a valid key, else None, in a time that says nothing about either."""
    asked, found = digest(key), None
    for known in hashes:
        if hmac.compare_digest(asked, known):
            found = known
    return found


def bearer(authorization: str) -> str:
    """Return the key of an ``Authorization: Bearer …`` header; empty when there is none."""
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
