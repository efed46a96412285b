"""How time grows with a text, on a machine that other work slows."""

from __future__ import annotations

import time
from collections.abc import Callable


def assert_about_linear(function: Callable[[str], object], part: str, few: int) -> None:
    """Fail when a function needs far more than eight times as long for eight times the text.

    :param few: How often a part is repeated for the shorter text.
    """

    def seconds(times: int) -> float:
        text = part * times
        began = time.process_time()
        function(text)
        return time.process_time() - began

    seconds(few)
    most = 30 * max(seconds(few), 0.01)  # a square would be 64
    # One of some: other work makes a run slower, never quicker.
    assert any(seconds(8 * few) < most for _ in range(3))
