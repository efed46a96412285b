"""What readers think of answers, kept in ``<storage>/feedback.jsonl``, on this machine alone."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from itsdangerous import Signer
from limits import RateLimitItemPerDay
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from pydantic import TypeAdapter, ValidationError

from rag.errors import IndexStorageError
from ui.conversations import Message

FILE = "feedback.jsonl"
# Bytes; whoever reaches the page can add to the file, but not fill the disk.
MOST_BYTES = 50_000_000
# A reader may think again, but not without an end.
_CHANGES = RateLimitItemPerDay(10)


@dataclass(frozen=True)
class Feedback:
    """One thumb up or down.

    :ivar rating: ``up``, ``down``, or empty when it was taken back.
    :ivar reason: A key of ``ui.text.REASONS``; empty when none was given.
    :ivar citations: ``doc:start-end`` of each.
    """

    message: str
    rating: str
    reason: str
    question: str
    answer: str
    citations: tuple[str, ...]
    when: str = ""


_LINE = TypeAdapter(Feedback)


class Notes:
    """Notes what readers think of answers that were given here, and of no others.

    A browser keeps the answers and sends them back with a thumb: what it can't have made itself is
    the proof that goes with each.
    """

    def __init__(self, storage: Path, key: str) -> None:
        """Write into a storage folder.

        :param key: Proofs are signed with; they hold as long as it is the same.
        """
        self._storage = storage
        self._signer = Signer(key, salt="rawi-answer", digest_method=hashlib.sha256)
        self._changes = SlidingWindowCounterRateLimiter(MemoryStorage())

    def proof(self, question: str, answer: Message) -> str:
        """Return what proves that an answer was given to a question."""
        return self._signer.get_signature(_signed(question, answer)).decode()

    def note(self, question: str, answer: Message, reason: str = "") -> None:
        """Add a line to the file, for an answer that was given, and not too often.

        :raises IndexStorageError: When it can't be written.
        """
        proven = self._signer.verify_signature(_signed(question, answer), answer.proof)
        if not proven or not self._changes.hit(_CHANGES, answer.id):
            return
        rated = Feedback(
            message=answer.id,
            rating=answer.rating,
            reason=reason,
            question=question,
            answer=answer.text,
            citations=tuple(f"{q.doc}:{q.start}-{q.end}" for q in answer.citations),
        )
        append(self._storage, rated)


def _signed(question: str, answer: Message) -> bytes:
    cited = [[quote.doc, quote.start, quote.end] for quote in answer.citations]
    return json.dumps([answer.id, question, answer.text, cited]).encode()


def append(storage: Path, feedback: Feedback) -> None:
    """Add a line to the file; without room or permission for it, raise.

    :raises IndexStorageError: When it can't be written.
    """
    path = storage / FILE
    now = datetime.now(UTC).isoformat(timespec="seconds")
    line = json.dumps({**asdict(feedback), "when": now}, ensure_ascii=False) + "\n"
    try:
        storage.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > MOST_BYTES:
            raise IndexStorageError(f"{path}: is full; move it away")
        # One write of a whole line, so that lines of two processes never mix.
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode("utf-8", "replace"))
        finally:
            os.close(handle)
    except OSError as exc:
        raise IndexStorageError(f"{path}: can't be written ({exc.strerror})") from exc


def read(storage: Path) -> list[Feedback]:
    """Return the last word on every answer, in the order they were first rated.

    :raises IndexStorageError: When the file is there but can't be read.
    """
    path = storage / FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise IndexStorageError(f"{path}: can't be read ({exc.strerror})") from exc
    latest = dict[str, Feedback]()
    for line in lines:
        with suppress(ValidationError):  # one that a full disk cut short is passed over
            feedback = _LINE.validate_json(line)
            latest[feedback.message] = feedback
    return [feedback for feedback in latest.values() if feedback.rating]
