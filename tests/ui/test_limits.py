"""How much may be asked over time."""

from __future__ import annotations

import time

import pytest

from rag.config import LimitsSettings
from tests.ui.serving import until
from ui.limits import Limits


def test_who_is_over_a_limit_waits_and_the_others_do_not() -> None:
    limits = Limits(LimitsSettings(address_per_minute=2))
    assert [limits.ask("a", None), limits.ask("a", None)] == [None, None]
    wait = limits.ask("a", None)
    assert wait is not None
    assert 1 <= wait <= 120
    assert limits.ask("b", None) is None


def test_who_is_idle_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(LimitsSettings())
    for n in range(100):
        limits.ask(f"10.0.0.{n}", f"session-{n}")
    kept = limits._counted.storage
    assert len(kept.storage) > 200
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3 * 24 * 3600)

    def is_empty() -> bool:
        limits.open("10.0.0.200")
        return len(kept.storage) + len(kept.expirations) + len(kept.locks) < 20

    assert until(is_empty, 10)
