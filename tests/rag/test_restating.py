from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import dates, units
from rag.restating import restated


@pytest.mark.parametrize(
    ("english", "arabic"),
    [
        ("five", "5"),
        ("£45", "45 جنيهًا"),
        ("2 euros", "2 يورو"),
        ("two weeks", "أسبوعان"),
        ("within two weeks", "خلال أسبوعين"),
        ("one year", "سنة واحدة"),
        ("3 million dirhams", "3 ملايين درهم"),
        ("£4.5 million", "4.5 مليون جنيه"),
        ("$10M", "10 ملايين دولار"),
        ("AED 500", "500 درهم"),
        ("31 December 2025", "31 ديسمبر 2025"),
        ("February 2, 2024", "2 فبراير 2024"),
        ("From 15 October to 31 March", "من 15 أكتوبر إلى 31 مارس"),
        ("9:30 a.m. and 1 p.m.", "9:30 صباحًا و1 بعد الظهر"),
        ("9am-5pm", "9 صباحًا-5 بعد الظهر"),
        ("12 p.m.", "12 ظهرًا"),
        ("14:30", "14:30"),
        ("Monday to Thursday, 8 hours", "الاثنين إلى الخميس، 8 ساعات"),
        ("on Mondays and Wednesdays", "أيام الاثنين والأربعاء"),
        ("every Friday", "كل يوم جمعة"),
        ("Sunday, Tuesday and Thursday", "الأحد والثلاثاء والخميس"),
        ("12-18 months", "12-18 شهرًا"),
        ("2-4 weeks", "2-4 أسابيع"),
        ("2, 3 and 5", "2 و3 و5"),
        ("8 hours a day", "8 ساعات في اليوم"),
        ("5 days only", "5 أيام فقط"),
        ("25 per cent", "25%"),
        ("on Monday", "الاثنين"),
        ("nine in the morning", "9 صباحًا"),
        ("half past nine in the morning", "9:30 صباحًا"),
        ("5 May, 9 a.m. and 3 p.m.", "5 مايو، 9 صباحًا و3 بعد الظهر"),
        ("$25 a month", "25 دولارًا في الشهر"),
        ("no more than 5 days", "لا يزيد على 5 أيام"),
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
        ("ثلاثة ملايين ومئتا ألف دينار", "3.2 million dinars"),
        ("مليوني ريال", "2 million riyals"),
        ("ألفا دينار", "2000 dinars"),
        ("6,6 مليار دولار", "6.6 billion dollars"),
        ("50% و34%", "50% and 34%"),
        ("٪٢٥", "25%"),
        ("1 500 000 دينار", "1.5 million dinars"),
        ("٢٤'٠٠٠ ريال", "24,000 riyals"),
        ("بـ 25 دينارًا", "25 dinars"),
        ("٣ كانون الثاني ٢٠٢٤", "3 January 2024"),
        ("من الاثنين إلى الخميس، ٨ ساعات", "from Monday to Thursday, 8 hours"),
        ("يوم الاثنين الموافق ٩ رمضان", "Monday 9 Ramadan"),
        ("كل يوم اثنين", "every Monday"),
        ("من السادسة والنصف صباحًا إلى الثانية بعد الظهر", "from 6:30 a.m. to 2 p.m."),
        ("11:30 ظهرًا", "11:30 a.m."),
        ("حتى الساعة الخامسة مساءً", "until 5 p.m."),
        ("200 ريال في الشهر", "200 riyals a month"),
        ("60 كم في الساعة", "60 kilometres an hour"),
        ("12 ربيع الأول 1445", "12 Rabi al-Awwal 1445"),
        ("عام 2024", "2024"),
        ("الساعة ٢:٤٥ مساءً", "2:45 p.m."),
        ("الساعة ٢:٤٥", "2:45"),
        ("الثانية عشرة ظهرًا", "12 noon"),
        ("لا تقل عن ثلاثة أيام", "no less than 3 days"),
    ],
)
def test_arabic_figures_are_said_in_english(arabic, english):
    assert restated(arabic, "en") == english


@pytest.mark.parametrize(
    "text",
    [
        *("", "may", "30 chairs", "3 of 5", "120 m²", "2½ hours", "5G", "100 pounds", "(2)"),
        *("الثانية", "30 موظفًا", "3 من 5", "12 مساءً", "3 أوقيات", "كل اثنين", "5 سنوات وشهر"),
        *("بين صفر و5 درجات", "120 مترًا مربعًا", "and", "5 يومًا إلا"),
    ],
)
def test_what_no_table_has_for_certain_is_not_restated(text):
    assert restated(text, "ar") == restated(text, "en") == ""


_AMOUNTS = st.builds(
    lambda number, unit: f"{number} {units.name(unit, Decimal(number), 'en')}",
    st.integers(3, 2_000_000) | st.decimals(3, 900, places=1),
    st.sampled_from(sorted({*units.UNITS.values()} - {"pound", "ouguiya", "degree", "percent"})),
)
_TIMES = st.integers(1, 24 * 60 - 1).map(lambda minutes: dates.time_name(minutes, "en"))
_DATES = st.builds(
    lambda day, month: f"{day} {month}",
    st.integers(1, 31),
    st.sampled_from(sorted({*dates.MONTHS.values()})),
)
_ITEMS = _AMOUNTS | _TIMES | _DATES | st.sampled_from(sorted({*dates.WEEKDAYS.values()}))


@settings(deadline=None)
@given(_ITEMS, st.sampled_from([" and ", " or ", " to ", "; "]), _ITEMS)
def test_what_is_restated_twice_is_as_before(one, between, other):
    arabic = restated(f"{one}{between}{other}", "ar")
    assert arabic
    assert restated(restated(arabic, "en"), "ar") == arabic
