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

# Each file's name, its size in bytes and its date in nanoseconds.
Look = frozenset[tuple[str, int, int]]

# Of the time that a look takes: how long there is none after it, so that it is little of a core.
_REST = 20.0


def look(settings: Settings) -> Look:
    """Return what the folder holds; nothing where it can't be listed, as an indexing run will say.

    Not the files' inodes: some network mounts number them anew each time.
    """
    try:
        files = index.listed(settings)
    except DocumentError:
        return frozenset()
    found = set()
    for doc in files:
        try:
            about = (settings.corpus / doc).stat()
        except OSError:  # it left meanwhile, or its folder is closed
            continue
        found.add((doc, about.st_size, about.st_mtime_ns))
    return frozenset(found)


def follow(
    settings: Settings,
    update: Callable[[], IndexReport],
    stop: Event,
    every_s: float,
    indexed: Look | None = None,
) -> Iterator[IndexReport | RawiError]:
    """Yield what comes of indexing the folder whenever it has changed, until ``stop`` is set.

    What is otherwise at each look is still being written, and waited for. What fails for another
    reason than the documents is tried again, and yielded once.

    :param update: Makes the index equal to the folder.
    :param every_s: Seconds between two looks; more where a look takes long.
    :param indexed: What the folder held before it was last indexed; None indexes it in any case.
    """
    pause_s, last, said = every_s, None, ""
    while not stop.wait(pause_s):
        began = time.monotonic()
        now = look(settings)
        pause_s = max(every_s, _REST * (time.monotonic() - began))
        rests, last = now == last, now
        if not rests or now == indexed:
            continue
        try:
            report = update()
        except DocumentError as exc:  # nothing to do before it changes
            indexed = now
            yield exc
        except RawiError as exc:  # another process indexes, or the disk is full
            pause_s = max(pause_s, time.monotonic() - began)
            if str(exc) != said:
                yield exc
            said = str(exc)
        else:
            indexed, said = now, ""
            yield report
