from __future__ import annotations

from decimal import Decimal

import pytest

from rag import quantities
from tests.growth import assert_about_linear


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
        ("6,6 مليار", {6_600_000_000}),
        ("48,6, up", {Decimal("48.6")}),
    ],
)
def test_values(text, values):
    assert quantities.values(text) == {Decimal(v) for v in values}


@pytest.mark.parametrize(
    "text",
    [
        *("1.500.000", "1 500 000", "1\xa0500\u202f000", "1\u2009500\u2009000", "1'500'000"),
        *("1’500’000", "١.٥٠٠.٠٠٠", "١ ٥٠٠ ٠٠٠", "١٬٥٠٠٬٠٠٠", "«1.500.000»", "€1.500.000."),
        *("1.500.000 and 1 500 000, or 1'500'000", "١'٥٠٠'٠٠٠ دينار", "1.500.000,00"),
    ],
)
def test_thousands_are_parted_in_many_ways(text):
    assert quantities.values(text) == {Decimal(1_500_000)}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1.500.000,75 or 12 500 000.5", {"1500000.75", "12500000.5"}),
        ("24'000 and 1.500,75", {"24000", "1500.75"}),
        ("1 500 000-2 000 000 in 2024", {"1500000", "2000000", "2024"}),
        ("12.03.2024, v1.200.300, 10.200.300.12", set()),
        ("1 500", {1, 500}),
        ("120  300  450\t600", {120, 300, 450, 600}),
        ("050 123 456", {50, 123, 456}),
        ("+962 777 123 456", {962, 777, 123, 456}),
        ("20 100 123 4567", {20, 100, 123, 4567}),
    ],
)
def test_what_parts_thousands_is_told_from_what_parts_figures(text, values):
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
        ("from 9:30 a.m. to 9 p.m.", {(570, "clock"), (1260, "clock")}),
        ("من ٩:٣٠ ص إلى 9 مساءً", {(570, "clock"), (1260, "clock")}),
        ("from 3 May to June 5th", {(3, "May"), (5, "June")}),
        ("٣ مايو و٥ يونيو", {(3, "May"), (5, "June")}),
        ("٥ درجات تحت الصفر", {(5, "degree"), (5, "minus")}),
        ("سنة ١٨٦٨م على بعد 9 م", set()),
        ("at ten in the morning, الثانية عشرة ظهرًا", {(600, "clock"), (720, "clock")}),
        ("anyone over 16 may stay", set()),
        ("in May two men came", set()),
        ("120 m2", set()),
        ("3 h 25 min", {(3, "hour"), (25, "minute")}),
        ("سنتين", {(2, "year")}),  # not cents
    ],
)
def test_numbers_with_units_of_time(text, measures):
    assert quantities.measures(text) == {(Decimal(v), unit) for v, unit in measures}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twenty-one", 21), ("twenty five", 25), ("one hundred and fifty", 150), ("nineteen", 19),
        ("three thousand five hundred", 3_500), ("four hundred and twenty thousand", 420_000),
        ("واحدًا وعشرين", 21), ("خمس وعشرون", 25), ("مئة وخمسين", 150), ("تسع عشرة", 19),
        ("ثلاثة آلاف وخمسمئة", 3_500), ("أربعمئة وعشرون ألفًا", 420_000), ("ألفين وخمسمئة", 2_500),
        ("مئتان وخمسة", 205), ("أحد عشر", 11), ("إحدى عشرة", 11), ("بخمسين", 50), ("ألف", 1_000),
        ("خمسة ملايين", 5_000_000), ("مئة ألف", 100_000), ("ستمائة", 600), ("اثني عشر", 12),
    ],
)  # fmt: skip
def test_words_of_one_number_are_composed(text, value):
    assert quantities.spelled(f"{text} x") == {Decimal(value)}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("three and four", {3, 4}),
        ("ثلاثة وأربعة", {3, 4}),
        ("five to seven", {5, 7}),
        ("خمسة أو ستة", {5, 6}),
        ("twenty, five", {20, 5}),
        ("three ten-minute breaks", {3, 10}),
        ("a ten-day trip", {10}),
        ("between five and twenty", {5, 20}),
        ("one hundred and two hundred", {100, 200}),
        ("مئة وثلاث مئة", {100, 300}),
        ("6.6 million", set()),
        ("المادة العاشرة", set()),
        ("one of them, واحد منهم", set()),
        ("٣٠ في المئة", set()),
        ("لست موظفًا لست سنوات", {6}),  # "I am not", then "for six"
        ("يوم الاثنين، الثالث عشر", set()),
    ],
)
def test_numbers_beside_each_other_are_not(text, values):
    assert quantities.spelled(text) == {Decimal(v) for v in values}


@pytest.mark.parametrize(
    "texts",
    [
        ("twenty-one days", "٢١ يومًا", "واحدًا وعشرين يومًا", "21 days"),
        ("$50", "50 dollars", "USD 50", "٥٠ دولارًا", "خمسين دولارًا", "50 US dollars"),
        ("4,800 UAE dirhams", "AED 4,800", "٤٨٠٠ درهم إماراتي", "4800 درهم"),
        ("30%", "30 percent", "30 per cent", "٣٠ في المئة", "٣٠٪", "ثلاثين بالمئة"),
        ("6.6 مليار دينار", "6.6 billion dinars"),
        ("12 km", "12 كيلومترًا", "اثنا عشر كيلومترًا", "12 كم"),
        ("two days", "يومين", "يومان"),
        ("500 mg", "500 ملغ", "خمسمئة مليغرام"),
        ("12 square metres", "12 مترًا مربعًا"),
    ],
)
def test_one_measure_in_many_writings(texts):
    first, *others = map(quantities.measures, texts)
    assert len(first) == 1
    assert [first] * len(others) == others


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("50 pounds", "50 dollars"), ("70 مليون درهم", "70 million dinars"), ("3 days", "3 weeks"),
        ("5 كيلومترات", "5 miles"), ("20 %", "20 degrees"), ("500 mg", "500 g"),
    ],
)  # fmt: skip
def test_another_unit_is_another_measure(one, other):
    assert not quantities.measures(one) & quantities.measures(other)


def test_a_long_text_of_numbers_is_read_in_linear_time():
    for part in ("five hundred and 3 ", "خمسة و", "500 ", "500."):
        assert quantities.measures(part * 500) == set()
        assert_about_linear(quantities.measures, part, 500)


@pytest.mark.parametrize("text", ["two years", "عامين", "أكثر من دقيقتين", "للدورتين"])
def test_a_dual_is_two(text):
    assert quantities.spelled(text) == {Decimal(2)}


@pytest.mark.parametrize(
    ("texts", "bounds"),
    [
        (("at least 5", "no less than 5", "لا يقل عن 5", "5 على الأقل", "more than 5"), {"least"}),
        (("at most 5", "no more than 5", "لا يزيد على 5", "لا يتجاوز 5", "أقل من 5"), {"most"}),
        (("5 degrees below zero", "all over", "5"), set()),
    ],
)
def test_bounds_of_one_kind_in_many_writings(texts, bounds):
    assert [quantities.bounds(text) for text in texts] == [bounds] * len(texts)


@pytest.mark.parametrize(
    ("texts", "rates"),
    [
        (("200 riyals a month", "monthly", "per month", "٢٠٠ ريال شهريًا", "في الشهر"), {"month"}),
        (("60 km/hour", "كل ساعة", "60 كم في الساعة"), {"hour"}),
        (("6% a year", "$25 a year", "٦٪ سنويًا"), {"year"}),
        (("a month later", "بعد شهر", "an hour"), set()),
    ],
)
def test_rates_in_many_writings(texts, rates):
    assert [quantities.rates(text) for text in texts] == [rates] * len(texts)


def test_ordinals():
    assert quantities.ordinals("الطابق الثالث") == quantities.ordinals("the 3rd floor") == {3}
    assert quantities.ordinals("the fourth") == {4}
    assert quantities.ordinals("في الثالث عشر") == quantities.ordinals("the 13th") == {13}
    assert quantities.ordinals("the twenty-third, السادسة والعشرون") == {23, 26}
    assert quantities.ordinals("30 ثانية وعشرين") == set()
    assert quantities.ordinals("الساعة الخامسة وعشرين دقيقة") == {5}
    assert quantities.spelled("الساعة الخامسة وعشرين دقيقة") == {20}


def test_each_quantity_has_its_place_and_none_is_within_another():
    text = "من 9:30 صباحًا، $25 a month or twelve square metres، ٣ مايو وسنتين"
    folded, found = quantities.read(text)
    assert [(folded[q.start : q.end], str(q.value), q.unit, q.per) for q in found] == [
        ("9:30 صباحا", "570", "clock", ""),
        ("$25 a month", "25", "dollar", "month"),
        ("12 square metres", "12", "square metre", ""),
        ("3 مايو", "3", "May", ""),
        ("سنتين", "2", "year", ""),
    ]
    assert [q.is_spelled for q in found] == [False, False, True, False, True]
