"""Translations that were checked, kept with the index: the LLM takes seconds for each.

Decoding is greedy, so a sentence that is asked for again in the same words would be answered alike.
A translation goes with its document.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import suppress

from rag.config import LLMSettings
from rag.prompts import Messages

SCHEMA = """
CREATE TABLE IF NOT EXISTS translations (
    doc TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    asked TEXT NOT NULL,  -- what the LLM was asked, and which: see translations.key
    text TEXT NOT NULL,   -- what of the translation holds; empty when nothing does
    PRIMARY KEY (doc, asked)
) STRICT, WITHOUT ROWID;
"""


class Translations:
    """Sentences of documents in the other language, by what the LLM was asked."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def get(self, doc: str, asked: str) -> str | None:
        """Return a translation; None when it isn't kept."""
        query = "SELECT text FROM translations WHERE doc = ? AND asked = ?"
        row = self._db.execute(query, (doc, asked)).fetchone()
        return None if row is None else str(row[0])

    def keep(self, doc: str, asked: str, text: str) -> None:
        """Keep a translation, where the index can be written to and still holds the document."""
        # One that can't be kept is only written again.
        with suppress(sqlite3.OperationalError, sqlite3.IntegrityError), self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO translations VALUES (?, ?, ?)", (doc, asked, text)
            )


def key(messages: Messages, settings: LLMSettings, *, retry: bool) -> str:
    """Return the SHA-256 of what decides a translation, in hexadecimal digits.

    :param retry: Whether one that doesn't hold is tried again.
    """
    parts = [
        *(settings.backend, settings.base_url, settings.model, settings.max_tokens, settings.seed),
        retry,
        *((message.role.value, message.content) for message in messages),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
