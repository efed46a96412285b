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
    def joined(self) -> Iterator[Place]:
        """Take the last place, and leave it in any case."""
        place = Place(self)
        with self._changed:
            self._places.append(place)
        try:
            yield place
        finally:
            with self._changed:
                self._places.remove(place)
                self._changed.notify_all()

    def ahead_of(self, place: Place) -> int:
        """Return how many are before a place."""
        with self._changed:
            return self._places.index(place)

    def wait_for_change(self) -> None:
        """Wait a moment, or until somebody leaves."""
        with self._changed:
            self._changed.wait(_LOOK_S)


class Place:
    """A place in a line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def waited(self) -> Iterator[int]:
        """Yield how many are ahead, whenever that may have changed, until it is nobody."""
        while ahead := self._line.ahead_of(self):
            yield ahead
            self._line.wait_for_change()


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
            with self.write.joined() as place:
                for _ in place.waited():
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
        with lines.search.joined() as place:
            for ahead in place.waited():
                if is_gone():
                    return
                yield Ahead(ahead)
            evidence = next(events)
        yield evidence
        with lines.write.joined() as place:
            for ahead in place.waited():
                if is_gone():
                    return
                yield lines.ahead(ahead)
            yield lines.ahead(0)
            for event in events:
                if is_gone():
                    return
                yield event
