"""Units of measure and currencies in both languages: a careless answer mixes them up."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from rag.language import Language, fold

# English names, then Arabic ones: a singular, from which the dual and the accusative are made, and
# plurals; abbreviations and symbols last.
_NAMES: dict[str, str] = {
    "second": "second seconds sec secs | ثانية | ثوان ثواني",
    "minute": "minute minutes min mins | دقيقة | دقائق",
    "hour": "hour hours hr hrs h | ساعة | ساعات",
    "day": "day days | يوم | أيام",
    "week": "week weeks | أسبوع | أسابيع",
    "month": "month months | شهر | أشهر شهور",
    "year": "year years | سنة عام | سنوات سنين أعوام",
    "dirham": "dirham dirhams AED MAD | درهم | دراهم",
    "dinar": "dinar dinars KWD BHD JOD IQD DZD TND LYD | دينار | دنانير",
    "riyal": "riyal riyals rial rials SAR QAR OMR YER | ريال | ريالات",
    "pound": "pound pounds EGP GBP £ | جنيه | جنيهات",
    "dollar": "dollar dollars USD $ | دولار | دولارات",
    "euro": "euro euros EUR € | يورو | يوروهات",
    "lira": "lira liras lire TRY SYP LBP | ليرة | ليرات",
    "shekel": "shekel shekels ILS ₪ | شيكل شيقل | شواكل",
    "rupee": "rupee rupees INR | روبية | روبيات",
    "yen": "yen JPY ¥ | ين | ينات",
    "yuan": "yuan CNY | يوان | يوانات",
    "franc": "franc francs CHF | فرنك | فرنكات",
    "crown": "krone krona kroner crown crowns | كرونة | كرونات",
    "ouguiya": "ouguiya ouguiyas MRU | أوقية | أوقيات",
    "cent": "cent cents | سنت | سنتات",
    "piastre": "piastre piastres piaster piasters | قرش | قروش",
    "fils": "fils | فلس | فلوس",
    "halala": "halala halalas | هللة | هللات",
    "percent": "percent % pct percentage | نسبة |",
    "kilometre": "kilometre kilometres kilometer kilometers km | كيلومتر كم | كيلومترات",
    "metre": "metre metres meter meters m | متر | أمتار",
    "centimetre": "centimetre centimetres centimeter centimeters cm | سنتيمتر سم | سنتيمترات",
    "millimetre": "millimetre millimetres millimeter millimeters mm | ميليمتر مليمتر مم | مليمترات",
    "mile": "mile miles | ميل | أميال",
    "inch": "inch inches | بوصة إنش | بوصات",
    "foot": "foot feet ft | قدم | أقدام",
    "hectare": "hectare hectares ha | هكتار | هكتارات",
    "feddan": "feddan feddans | فدان | أفدنة",
    "tonne": "tonne tonnes ton tons | طن | أطنان",
    "kilogram": "kilogram kilograms kilo kilos kg | كيلوغرام كيلوجرام كيلو كغ كغم كجم | كيلوغرامات",
    "gram": "gram grams g | غرام جرام غ | غرامات جرامات",
    "milligram": "milligram milligrams mg | مليغرام ملليغرام ملغ ملغم ملجم | مليغرامات",
    "microgram": "microgram micrograms mcg | ميكروغرام مكغ | ميكروغرامات",
    "litre": "litre litres liter liters l | لتر ليتر | لترات ليترات",
    "millilitre": "millilitre millilitres milliliter milliliters ml | مليلتر مل ملل | مليلترات",
    "degree": "degree degrees ° | درجة | درجات",
    "watt": "watt watts w | واط وات | واطات",
    "kilowatt": "kilowatt kilowatts kw | كيلوواط كيلووات | كيلوواطات",
    "megawatt": "megawatt megawatts mw | ميغاواط ميجاوات | ميغاواطات",
    "volt": "volt volts v | فولت | فولتات",
    "kilobyte": "kilobyte kilobytes kb | كيلوبايت |",
    "megabyte": "megabyte megabytes mb | ميغابايت ميجابايت |",
    "gigabyte": "gigabyte gigabytes gb | غيغابايت جيجابايت |",
    "terabyte": "terabyte terabytes tb | تيرابايت |",
}  # fmt: skip
CURRENCIES = frozenset(
    "dirham dinar riyal pound dollar euro lira shekel rupee yen yuan franc crown ouguiya".split()
)
PERIODS = frozenset("second minute hour day week month year".split())
_DUAL = ("ان", "ين")


@dataclass(frozen=True)
class Quantity:
    """A number that a text states, and of what; wherever it stands and however it is written.

    :ivar value: Scaled: of "6.6 billion" 6,600,000,000; of a time of day, minutes since midnight;
        of a date, the day of the month, and 0 where the month stands alone.
    :ivar unit: A unit of measure or a currency, "square metre", a month, "clock", "ordinal"; empty
        of a number alone.
    :ivar per: The unit by which it is said: "a month".
    :ivar start: Its first character in the text that was read.
    :ivar end: The character after its last.
    :ivar figures: The numbers that it is written with; "one" and "a" are none.
    :ivar is_spelled: Whether these are written in words.
    """

    value: Decimal
    unit: str = ""
    per: str = ""
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    figures: tuple[Decimal, ...] = field(default=(), compare=False)
    is_spelled: bool = field(default=False, compare=False)


def _forms(names: str) -> dict[str, bool]:
    """Return the folded forms of a unit, and whether each says "two" of it."""
    english, singulars, plurals = (part.split() for part in names.split("|"))
    forms = dict.fromkeys([*map(fold, english), *map(fold, plurals)], False)
    for singular in singulars:
        stem = singular.removesuffix("ة")
        forms |= dict.fromkeys((fold(singular), fold(singular + "ا")), False)
        stem += "ت" if stem != singular else ""
        forms |= {fold(stem + ending): True for ending in _DUAL if len(stem) > 2}
    return forms


def name(unit: str, value: Decimal, language: Language) -> str:
    """Return a unit's name beside a number in digits: "1 pound", «25 جنيهًا», «7 دنانير».

    Of 2 the Arabic name is a dual, which stands alone: «ديناران».
    """
    english, singulars, plurals = (part.split() for part in _NAMES[unit].split("|"))
    if language == "en":
        return english[0] if value == 1 else english[:2][-1]
    singular = singulars[0]
    if value == 2 and singular[-1] not in "او":
        return singular.removesuffix("ة") + ("تان" if singular.endswith("ة") else "ان")
    whole = value == value.to_integral_value()
    if whole and 3 <= value % 100 <= 10:
        return plurals[0] if plurals else singular
    declined = whole and value % 100 > 10
    return singular + ("ًا" if declined and singular[-1] not in "ةاوى" else "")


UNITS: dict[str, str] = {
    form: unit for unit, names in _NAMES.items() for form, two in _forms(names).items() if not two
}
DUALS: dict[str, str] = {  # of two that are alike, the first: «سنتان» are years, not cents
    form: unit
    for unit, names in reversed(_NAMES.items())
    for form, two in _forms(names).items()
    if two and form not in UNITS
}
