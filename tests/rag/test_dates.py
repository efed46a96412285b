from __future__ import annotations

import pytest

from rag import dates


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("9 December", {12}),
        ("في ديسمبر", {12}),
        ("كانون الأول (ديسمبر)", {12}),
        ("كانون الثاني", {1}),
        ("it may march on", set()),
        ("May and March", {5, 3}),
        ("أب وأم", set()),
        ("في آب", {8}),
    ],
)
def test_months(text, months):
    assert dates.months(text) == months


@pytest.mark.parametrize(
    ("arabic", "english"),
    [
        ("يوم الاثنين", "on Monday"),
        ("كل سبت والأحد", "every Sunday"),
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
