from __future__ import annotations

import pytest

from rag.restating import restated


@pytest.mark.parametrize(
    ("english", "arabic"),
    [
        ("five", "5"),
        ("£45", "45 جنيهًا"),
        ("2 euros", "2 يورو"),
        ("two weeks", "أسبوعان"),
        ("3 million dirhams", "3 ملايين درهم"),
        ("£4.5 million", "4.5 مليون جنيه"),
        ("31 December 2025", "31 ديسمبر 2025"),
        ("From 15 October to 31 March", "من 15 أكتوبر إلى 31 مارس"),
        ("9:30 a.m. and 1 p.m.", "9:30 صباحًا و1 مساءً"),
        ("Monday to Thursday, 8 hours", "الاثنين إلى الخميس، 8 ساعات"),
        ("12-18 months (2024)", "12-18 شهرًا (2024)"),
        ("30 chairs", ""),
        ("on Monday", "الاثنين"),
        ("may", ""),
        ("", ""),
    ],
)
def test_english_figures_are_said_in_arabic(english, arabic):
    assert restated(english, "ar") == arabic


@pytest.mark.parametrize(
    ("arabic", "english"),
    [
        ("١٣٠ يومًا", "130 days"),
        ("يومين", "2 days"),
        ("2 يوم", "2 days"),
        ("كل أسبوعين", "every 2 weeks"),
        ("ثلاثة ملايين ومئتا ألف دينار", "3,200,000 dinars"),
        ("6,6 مليار دولار", "6.6 billion dollars"),
        ("50% و34%", "50% and 34%"),
        ("بـ 25 دينارًا", "25 dinars"),
        ("٣ كانون الثاني ٢٠٢٤", "3 January 2024"),
        ("من الاثنين إلى الخميس، ٨ ساعات", "from Monday to Thursday, 8 hours"),
        ("يوم الاثنين الموافق ٩ رمضان", "Monday 9 Ramadan"),
        ("من السادسة والنصف صباحًا إلى الثانية بعد الظهر", "from 6:30 a.m. to 2 p.m."),
        ("الثانية", ""),
        ("30 موظفًا", ""),
    ],
)
def test_arabic_figures_are_said_in_english(arabic, english):
    assert restated(arabic, "en") == english
