from __future__ import annotations

import pytest

from rag import dates
from rag.language import fold


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("9 December", {"December"}),
        ("في ديسمبر", {"December"}),
        ("كانون الأول (ديسمبر)", {"December"}),
        ("كانون الثاني", {"January"}),
        ("it may march on", set()),
        ("May and March", {"May", "March"}),
        ("أب وأم", set()),
        ("في آب", {"August"}),
        ("12 ربيع الأول", {"Rabi al-Awwal"}),
        ("12 Rabi al-Awwal", {"Rabi al-Awwal"}),
        ("في ربيع العام", set()),
        ("غرة ذي الحجة", {"Dhu al-Hijjah"}),
        ("كل أحد منهم، كل اثنين", set()),
        ("كل يوم أحد", {"Sunday"}),
    ],
)
def test_months_and_days(text, months):
    assert dates.named(text) == months


@pytest.mark.parametrize(
    ("arabic", "english"),
    [
        ("يوم الاثنين", "on Monday"),
        ("كل سبت والأحد", "every Saturday and on Sundays"),
        ("من الأربعاء حتى الخميس", "Wed. to Thursday"),
        ("في ٩ رمضان", "9 Ramadan"),
        ("٣ محرّم", "3 Muharram"),
        ("في كانون الأول", "in Dec"),
        ("قيمة صفر، وهو محرّم", "zero and forbidden, mon ami, newly wed"),
    ],
)
def test_days_and_months_have_one_name_in_both_languages(arabic, english):
    assert dates.named(arabic) == dates.named(english)


def test_other_days_are_told_apart():
    assert dates.named("Monday") != dates.named("الثلاثاء")
    assert dates.named("Rajab") != dates.named("شعبان")


@pytest.mark.parametrize(
    ("texts", "minutes"),
    [
        (("9:30 p.m.", "9.30pm", "9:30 مساءً", "٩:٣٠ م", "التاسعة والنصف مساءً"), 21 * 60 + 30),
        (("12 noon", "12 p.m.", "noon", "12 ظهرًا", "الثانية عشرة ظهرًا"), 12 * 60),
        (("11 a.m.", "11 in the morning", "الحادية عشرة ظهرًا", "الساعة 11 صباحًا"), 11 * 60),
        (("midnight", "12 a.m.", "منتصف الليل"), 0),
        (("7:45 p.m.", "الثامنة إلا ربعًا مساءً"), 19 * 60 + 45),
        (("half past 10 in the evening", "العاشرة والنصف مساءً"), 22 * 60 + 30),
        (("12:30 a.m.", "12:30 بعد منتصف الليل"), 30),
    ],
)
def test_one_time_in_many_writings(texts, minutes):
    for text in texts:
        assert [time.value for time in dates.times(fold(text))] == [minutes], text


@pytest.mark.parametrize(
    "text", ["12 مساءً", "9 م", "5 ظهرًا", "13 p.m.", "الثانية", "9:30", "5 men"]
)
def test_what_is_no_certain_time_is_none(text):
    assert list(dates.times(fold(text))) == []


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_time_is_read_as_it_is_said(language):
    for minutes in range(0, 24 * 60, 15):
        said = dates.time_name(minutes, language)
        assert [time.value for time in dates.times(fold(said))] == [minutes], said
