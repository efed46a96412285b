from __future__ import annotations

import pytest

from rag import clock
from rag.language import fold


@pytest.mark.parametrize(
    ("texts", "minutes"),
    [
        (("9:30 p.m.", "9.30pm", "9:30 مساءً", "٩:٣٠ م", "التاسعة والنصف مساءً"), 21 * 60 + 30),
        (("12 noon", "12 p.m.", "noon", "12 ظهرًا", "الثانية عشرة ظهرًا"), 12 * 60),
        (("11 a.m.", "11 in the morning", "الحادية عشرة ظهرًا", "الساعة 11 صباحًا"), 11 * 60),
        (("midnight", "12 a.m.", "منتصف الليل"), 0),
        (("7:45 p.m.", "الثامنة إلا ربعًا مساءً"), 19 * 60 + 45),
        (("12:30 a.m.", "12:30 بعد منتصف الليل"), 30),
    ],
)
def test_one_time_in_many_writings(texts, minutes):
    for text in texts:
        assert [time.minutes for time in clock.times(fold(text))] == [minutes], text


@pytest.mark.parametrize(
    "text", ["12 مساءً", "9 م", "5 ظهرًا", "13 p.m.", "الثانية", "9:30", "5 men"]
)
def test_what_is_no_certain_time_is_none(text):
    assert list(clock.times(fold(text))) == []


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_time_is_read_as_it_is_said(language):
    for minutes in range(0, 24 * 60, 15):
        said = clock.name(minutes, language)
        assert [time.minutes for time in clock.times(fold(said))] == [minutes], said
