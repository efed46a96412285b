from __future__ import annotations

from decimal import Decimal

import pytest

from rag import quantities


@pytest.mark.parametrize(
    "text", ["6.6 مليار دولار", "٦٫٦ مليار", "6.6 billion", "$6.6B", "6.6-billion", "6,600,000,000"]
)
def test_one_value_in_many_writings(text):
    assert quantities.values(text) == {Decimal(6_600_000_000)}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("GPT-4o, o3 and Grok-2 scored 25%", {25}),
        ("version 1.2.3", set()),
        ("بـ30 مليون", {30_000_000}),
        ("5 metres, 5 m", {5}),
        ("700-million", {700_000_000}),
        ("500m", {500_000_000}),
    ],
)
def test_values(text, values):
    assert quantities.values(text) == {Decimal(v) for v in values}


def test_spelled_numbers():
    assert quantities.spelled("nine executives, وثلاثين") == {Decimal(9), Decimal(30)}


@pytest.mark.parametrize(
    ("text", "measures"),
    [
        ("مدتها 8 ثوانٍ ودقة 720 بكسل", {(8, "second")}),
        ("an 8-minute clip of 720 pixels", {(8, "minute")}),
        ("eight seconds, و12 يومًا", {(8, "second"), (12, "day")}),
        ("بعد خمس سنوات و٣٫٥ ساعات", {(5, "year"), (Decimal("3.5"), "hour")}),
        ("in 2019, years of 12 consecutive days", set()),
    ],
)
def test_numbers_with_units_of_time(text, measures):
    assert quantities.measures(text) == {(Decimal(v), unit) for v, unit in measures}


@pytest.mark.parametrize("text", ["two years", "عامين", "أكثر من دقيقتين", "للدورتين"])
def test_a_dual_is_two(text):
    assert quantities.spelled(text) == {Decimal(2)}


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
    assert quantities.months(text) == months
