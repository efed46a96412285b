"""One answer is written at a time; the others wait in line and know how many are before them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds between two looks at whether one's turn has come or one has gone away.
_LOOK_S = 0.1


class Line:
    """A fair line; every place in it belongs to one thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._places: list[object] = []

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
