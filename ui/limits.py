"""How much may be asked: by an address, a session and everybody, over time and at once."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute, strategies
from limits.storage import MemoryStorage

from rag.config import LimitsSettings


class Limits:
    """Counts in this process's memory; what is idle is forgotten."""

    def __init__(self, settings: LimitsSettings) -> None:
        self._settings = settings
        # Hits are counted: a window that remembers them keeps whoever it once saw.
        self._counted = strategies.SlidingWindowCounterRateLimiter(MemoryStorage())

    def ask(self, address: str, session: str | None) -> int | None:
        """Count a question; return the seconds to wait when it is one too many, else None.

        The narrow limits come first: who is over them takes nothing from the others.
        """
        most, wait = self._settings, None
        if session is not None:
            wait = self._minute(most.session_per_minute, f"session:{session}")
        return (
            wait
            or self._minute(most.address_per_minute, f"address:{address}")
            or self._day(most.address_per_day, f"address:{address}")
            or self._day(most.total_per_day, "everybody")
        )

    def open(self, address: str) -> int | None:
        """Count an attempt to open the widget or to use a wrong key, as ``ask`` does."""
        return self._minute(self._settings.address_per_minute, f"open:{address}")

    def upload(self, address: str, size: int) -> int | None:
        """Count a file of so many bytes that is about to come, as ``ask`` does."""
        most = self._settings
        return (
            self._minute(most.uploads_per_minute, f"uploads:{address}")
            or self._day(most.uploads_per_day, f"uploads:{address}")
            or self._day(most.upload_bytes_per_day, f"bytes:{address}", size)
        )

    def _minute(self, most: int, whose: str) -> int | None:
        return self._wait(RateLimitItemPerMinute(most), whose)

    def _day(self, most: int, whose: str, cost: int = 1) -> int | None:
        return self._wait(RateLimitItemPerDay(most), whose, cost)

    def _wait(self, most: RateLimitItem, whose: str, cost: int = 1) -> int | None:
        """Count against a limit; return the seconds to wait when it is full, else None."""
        if self._counted.hit(most, whose, cost=cost):
            return None
        stats = self._counted.get_window_stats(most, whose)
        return max(1, math.ceil(stats.reset_time - time.time()))


class AtOnce:
    """Bounds how much there is at once: in all, and of one holder. For any thread."""

    def __init__(self, *, each: int, total: int | None = None) -> None:
        """Begin with nothing.

        :param each: For one holder.
        :param total: For all together; None is without a bound.
        """
        self._each = each
        self._total = math.inf if total is None else total
        self._taken: Counter[str | None] = Counter()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many places are taken."""
        with self._lock:
            return self._taken.total()

    def take(self, holder: str | None) -> bool:
        """Take a place, to be given back with ``leave``; tell whether there was one.

        :param holder: Whose it is; None is bounded by the total alone.
        """
        with self._lock:
            full = holder is not None and self._taken[holder] >= self._each
            if full or self._taken.total() >= self._total:
                return False
            self._taken[holder] += 1
            return True

    def leave(self, holder: str | None) -> None:
        """Give a place back; who holds none is forgotten."""
        with self._lock:
            self._taken[holder] -= 1
            if not self._taken[holder]:
                del self._taken[holder]
