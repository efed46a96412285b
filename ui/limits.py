"""How much may be asked: by an address, a session and everybody, over time and at once."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Sequence

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

from rag.config import LimitsSettings

# What counts, how much is let in, whose it is, and what it costs.
_Check = tuple[MovingWindowRateLimiter | SlidingWindowCounterRateLimiter, RateLimitItem, str, int]


class Limits:
    """Counts in this process's memory; what is idle is forgotten."""

    def __init__(self, settings: LimitsSettings) -> None:
        storage = MemoryStorage()
        self._minutes = MovingWindowRateLimiter(storage)
        # A day's hits are counted rather than remembered one by one.
        self._days = SlidingWindowCounterRateLimiter(storage)
        self._address_minute = RateLimitItemPerMinute(settings.address_per_minute)
        self._session_minute = RateLimitItemPerMinute(settings.session_per_minute)
        self._address_day = RateLimitItemPerDay(settings.address_per_day)
        self._total_day = RateLimitItemPerDay(settings.total_per_day)
        self._uploads_minute = RateLimitItemPerMinute(settings.uploads_per_minute)
        self._uploads_day = RateLimitItemPerDay(settings.uploads_per_day)
        self._bytes_day = RateLimitItemPerDay(settings.upload_bytes_per_day)

    def ask(self, address: str, session: str | None) -> int | None:
        """Count a question; return the seconds to wait when it is one too many, else None.

        The narrow limits come first: who is over them takes nothing from the others.
        """
        asking: list[_Check] = []
        if session is not None:
            asking.append((self._minutes, self._session_minute, f"session:{session}", 1))
        asking.append((self._minutes, self._address_minute, f"address:{address}", 1))
        asking.append((self._days, self._address_day, f"address:{address}", 1))
        asking.append((self._days, self._total_day, "everybody", 1))
        return _wait(asking)

    def open(self, address: str) -> int | None:
        """Count an attempt to open the widget or to use a wrong key, as ``ask`` does."""
        return _wait([(self._minutes, self._address_minute, f"open:{address}", 1)])

    def upload(self, address: str, size: int) -> int | None:
        """Count a file of so many bytes that is about to come, as ``ask`` does."""
        return _wait(
            [
                (self._minutes, self._uploads_minute, f"uploads:{address}", 1),
                (self._days, self._uploads_day, f"uploads:{address}", 1),
                (self._days, self._bytes_day, f"bytes:{address}", size),
            ]
        )


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


def _wait(checks: Sequence[_Check]) -> int | None:
    """Count against each; return the seconds to wait for the first that is full, else None."""
    for limiter, item, key, cost in checks:
        if not limiter.hit(item, key, cost=cost):
            stats = limiter.get_window_stats(item, key)
            return max(1, math.ceil(stats.reset_time - time.time()))
    return None
