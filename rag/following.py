"""Keep the index equal to a folder that changes: looked at again and again, indexed when it rests.

By names, sizes and dates, not by the file system's own notices: network mounts and containers'
volumes send none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Event

from rag import index
from rag.config import Settings
from rag.errors import DocumentError, RawiError
from rag.index import IndexReport

Look = frozenset[tuple[str, int, int, int]]

# Of the time that a look takes: how long there is none after it, so that it is little of a core.
_REST = 20.0


class Folder:
    """The folder of documents, as it was when it was last looked at, and when it was indexed."""

    def __init__(self, settings: Settings, every_s: float) -> None:
        """Know of nothing that is indexed.

        :param every_s: Seconds between two looks, at least.
        """
        self._settings = settings
        self._every_s = every_s
        self._seen: Look | None = None
        self._indexed: Look | None = None
        self.pause_s = every_s

    def is_to_be_indexed(self) -> bool:
        """Look again; tell whether it is otherwise than when it was indexed, and rests.

        What changes between two looks is still being written.
        """
        began = time.monotonic()
        now = _look(self._settings)
        self.pause_s = max(self._every_s, _REST * (time.monotonic() - began))
        rests, self._seen = now == self._seen, now
        return rests and now != self._indexed

    def indexed(self) -> None:
        """Note that what was seen last is indexed, or can't be until it changes."""
        self._indexed = self._seen


def follow(
    folder: Folder, update: Callable[[], IndexReport], stop: Event
) -> Iterator[IndexReport | RawiError]:
    """Yield what comes of indexing the folder whenever it has changed, until ``stop`` is set.

    What fails for another reason than the documents is tried again, and yielded once.

    :param update: Makes the index equal to the folder.
    """
    said = ""
    while not stop.wait(folder.pause_s):
        if not folder.is_to_be_indexed():
            continue
        try:
            report = update()
        except DocumentError as exc:
            folder.indexed()
            yield exc
        except RawiError as exc:  # another process indexes, or the disk is full
            if str(exc) != said:
                yield exc
            said = str(exc)
        else:
            folder.indexed()
            said = ""
            yield report


def _look(settings: Settings) -> Look:
    try:
        files = index.listed(settings)
    except DocumentError:  # it is gone, or can't be read: so an indexing run will say
        return frozenset()
    found = set()
    for doc in files:
        try:
            about = (settings.corpus / doc).stat()
        except OSError:
            continue
        found.add((doc, about.st_size, about.st_mtime_ns, about.st_ino))
    return frozenset(found)
