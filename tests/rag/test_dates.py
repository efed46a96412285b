from __future__ import annotations

import pytest

from rag import dates


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
