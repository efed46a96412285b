"""What readers think of answers, kept in ``<storage>/feedback.jsonl``, on this machine alone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rag.errors import IndexStorageError

FILE = "feedback.jsonl"
# Bytes; whoever reaches the page can add to the file, but not fill the disk.
MOST_BYTES = 50_000_000


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


def note(storage: Path, feedback: Feedback) -> None:
    """Add a line to the file; without room or permission for it, raise.

    :raises IndexStorageError: When it can't be written.
    """
    path = storage / FILE
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
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
    latest = {feedback.message: feedback for feedback in _parsed(lines)}
    return [feedback for feedback in latest.values() if feedback.rating]


def _parsed(lines: list[str]) -> Iterator[Feedback]:
    """Yield every whole line; one that a full disk cut short is passed over."""
    for line in lines:
        try:
            value: dict[str, Any] = json.loads(line)
            yield Feedback(**{**value, "citations": tuple(value["citations"])})
        except (ValueError, TypeError, KeyError):
            continue
