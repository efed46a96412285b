"""One answer is written at a time; the others wait in line and know how many are before them.

Whoever asks, on the page or by the API: the evidence comes first and waits for no LLM, then the LLM
in turn, and who goes away leaves the line, or stops the LLM before its next token.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import cast

from rag.engine import Answer, Evidence, Token

# Seconds between two looks at whether one's turn has come or one has gone away.
_LOOK_S = 0.1


@dataclass(frozen=True)
class Ahead:
    """How many are before this question; 0 when its turn has come.

    :ivar warming: Whether the LLM is still reading ahead after the start, for nobody's question.
    """

    count: int
    warming: bool = False


Event = Evidence | Ahead | Token | Answer


class Line:
    """A fair line; every place in it belongs to one thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._places: list[object] = []

    def __len__(self) -> int:
        """Return how many there are, the one whose turn it is included."""
        with self._changed:
            return len(self._places)

    @contextmanager
    def joined(self) -> Iterator[Iterator[int]]:
        """Take the last place, and leave it in any case.

        What is given yields how many are ahead, whenever that may have changed, until it is nobody.
        """
        place = object()
        with self._changed:
            self._places.append(place)
        try:
            yield self._waited(place)
        finally:
            with self._changed:
                self._places.remove(place)
                self._changed.notify_all()

    def _waited(self, place: object) -> Iterator[int]:
        while ahead := self._ahead_of(place):
            yield ahead
            with self._changed:  # for a moment, or until somebody leaves
                self._changed.wait(_LOOK_S)

    def _ahead_of(self, place: object) -> int:
        with self._changed:
            return self._places.index(place)


@dataclass(frozen=True)
class Lines:
    """The two lines of a server: one to have evidence found, one for the LLM.

    Finding evidence takes all cores, so that two at once are no faster than one after the other;
    and who has gone away before his turn costs nothing.
    """

    search: Line = field(default_factory=Line)
    write: Line = field(default_factory=Line)
    _warming: threading.Event = field(default_factory=threading.Event)
    _in_line: threading.Event = field(default_factory=threading.Event)

    def warm(self, work: Callable[[], None], *, in_line: bool) -> None:
        """Have the LLM read ahead as soon as nobody waits; no question counts that as another.

        :param in_line: For an LLM that can't be asked two things at once, questions wait for it;
            else they go on, and those that need no LLM are answered meanwhile.
        """
        while len(self.search) or len(self.write):
            time.sleep(_LOOK_S)
        self._warming.set()
        try:
            if not in_line:
                work()
                return
            with self.write.joined() as waited:
                for _ in waited:
                    pass
                self._in_line.set()
                work()
        finally:
            self._in_line.clear()
            self._warming.clear()

    def ahead(self, count: int) -> Ahead:
        """Return what to tell who has so many before him in the line for the LLM."""
        return Ahead(max(0, count - self._in_line.is_set()), self._warming.is_set())


def in_turn(
    events: Iterator[Evidence | Token | Answer], lines: Lines, is_gone: Callable[[], bool]
) -> Iterator[Event]:
    """Yield the events of ``Engine.answer``, evidence and what follows each in its turn.

    :param is_gone: Whether nobody listens any more: then it ends, and the LLM with it.
    """
    with closing(cast("Generator[Evidence | Token | Answer, None, None]", events)):
        with lines.search.joined() as waited:
            for ahead in waited:
                if is_gone():
                    return
                yield Ahead(ahead)
            evidence = next(events)
        yield evidence
        with lines.write.joined() as waited:
            for ahead in waited:
                if is_gone():
                    return
                yield lines.ahead(ahead)
            yield lines.ahead(0)
            for event in events:
                if is_gone():
                    return
                yield event
