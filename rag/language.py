"""What Rawi knows about Arabic and English text.

``clean`` makes the form that is stored, shown and cited; ``fold`` the form that is only compared.
``detect`` and ``is_supported`` tell languages apart by script and a few function words.
``bare`` makes the form that models read. ``split_sentences`` cuts cleaned text into exact spans.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

Language = Literal["ar", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

# Everything str.splitlines() breaks at, so that a line means the same to all of Rawi.
_NEWLINE = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_SPACE = re.compile(r"[\x1f\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# Controls, bidi marks, variation selectors, tags, lone surrogates: they can hide words from a
# reader that a model still sees, and reorder a quote. ZWNJ and ZWJ go too, though Persian and
# emoji use them: Arabic and English don't, and a quote must equal what a reader can type.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# CPython sorts a run of combining marks in quadratic time; UAX #15 (stream-safe text) allows 30.
_MARK_RUN = re.compile(r"(?:[^\w\s]|[\uff9e\uff9f]){31,}")


def _shorten(run: re.Match[str]) -> str:
    kept, marks = [], 0
    for char in run[0]:
        decomposed = unicodedata.normalize("NFKD", char)
        marks = marks + len(decomposed) if unicodedata.combining(decomposed[0]) else 0
        if marks <= 30:
            kept.append(char)
    return "".join(kept)


def clean(text: str) -> str:
    """Return the form that is stored, shown and cited: NFC, one newline, nothing invisible.

    Tashkeel, tatweel, Arabic-Indic digits and curly quotes are the author's own and stay.
    """
    text = _SPACE.sub(" ", _NEWLINE.sub("\n", _INVISIBLE.sub("", text)))
    return unicodedata.normalize("NFC", _MARK_RUN.sub(_shorten, text))


# PDFs hold tashkeel as characters of their own, which NFKC would turn into a space plus a mark and
# so tear the word apart.
_SPACING_MARK = re.compile(r"[\ufc5e-\ufc63\ufe70-\ufe7f]")
# Accents, tashkeel, Quranic signs, tatweel; not madda and hamza, which NFKC puts back on letters.
_MARK = re.compile(
    r"[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06ed"
    r"\u0898-\u089f\u08ca-\u08e1\u08e3-\u08ff]"
)
_VARIANTS = {
    "ا": "أإآٱ",
    "ي": "ىیےۓ",
    "ه": "ةہھەۃۀۂ",
    "ك": "کڪ",
    "'": "‘’‚‛′ʼ‹›",
    '"': "“”„‟«»",
    "-": "‐‑‒–—―−",
    ".": "٫۔",
    ",": "٬،",
    ";": "؛",
    "?": "؟",
    "%": "٪",
    "/": "⁄",
    "": "\u0653\u0654\u0655",
} | {str(digit): chr(0x660 + digit) + chr(0x6F0 + digit) for digit in range(10)}
_FOLDED = str.maketrans({old: new for new, olds in _VARIANTS.items() for old in olds})
# The seat of a hamza follows case endings and schools of spelling, in this order of rules. What
# no rule touches stays, so that ماء is not ما.
_HAMZA = (
    (re.compile(r"([ءؤئ])[ءؤئ]+"), r"\1"),  # no word has two in a row; keeps fold idempotent
    (re.compile(r"\b((?:ال)?\w\w)ؤ\b"), r"\1ء"),  # جزؤ = جزء
    (re.compile(r"(?<=ا)[ءؤ](?=\w)"), "ئ"),  # أبناؤه = أبناءه = أبنائه
    (re.compile(r"[ءئ](?=و)"), "ؤ"),  # مسئول = مسؤول
    (re.compile(r"(?<=ي)[ءئ]\b|(?<=و)[ءؤ]\b"), ""),  # شيء = شئ, شاطىء = شاطئ
    (re.compile("ؤ"), "و"),  # سؤال = سوال
    (re.compile("ئ"), "ي"),  # عائلة = عايلة
)


def fold(text: str) -> str:
    """Return the form of a text that is only ever compared, never shown.

    Without case, accents, tashkeel and tatweel; letters, digits, quotes and dashes that people
    write in several ways are made one; runs of whitespace become one space.
    """
    text = unicodedata.normalize("NFKD", _SPACING_MARK.sub("", clean(text)))
    text = unicodedata.normalize("NFKC", _MARK.sub("", text).casefold()).translate(_FOLDED)
    for spelling, one in _HAMZA:
        text = spelling.sub(one, text)
    return " ".join(unicodedata.normalize("NFKC", text).split())


def any_of(words: Iterable[str]) -> str:
    """Return a pattern of any of some words, the longest first."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


# Tashkeel, Quranic signs and tatweel; no letter, and no mark that makes another letter.
_VOWELS = re.compile(
    r"[\u0610-\u061a\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]"
)


def bare(text: str) -> str:
    """Return a text without tashkeel and tatweel, otherwise as it is: what models read.

    They were trained on texts that have next to none, and write the ا of a vowelled ٱ.
    """
    return _VOWELS.sub("", text).replace("ٱ", "ا")


def wording(text: str) -> str:
    """Return a folded text without the marks at its end: copies differ in them.

    A question mark stays, for in Arabic it may be all that makes a question.
    """
    return fold(text).rstrip(" .!,;:")


_ARABIC = (
    r"\u0610-\u061a\u0620-\u065f\u066e-\u06d3\u06d5-\u06ef\u06fa-\u06ff\u0750-\u077f\u08a0-\u08ff"
    r"\ufb50-\ufdff\ufe70-\ufefc"
)
_LATIN = r"A-Za-zÀ-ÖØ-öø-ɏ"
_WORD = re.compile(rf"(?P<arabic>[{_ARABIC}]+)|[{_LATIN}][{_LATIN}0-9]*")
_ARABIC_LETTER = re.compile(rf"[{_ARABIC}]")
_ARABIC_SIGN = re.compile(r"[\u0600-\u06ff]")
_OTHER_SCRIPT = re.compile(rf"[^\W\d_{_ARABIC}{_LATIN}]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# English words that hardly occur in the other languages of the Latin script.
_ENGLISH = _words(
    "what who whom whose which when where why how is are were does did has have had been will can "
    "could would should the this that these those it its he she they there and of by with from for "
    "to about than between into after before tell give list show explain summarize compare define "
    "translate describe find meaning mean means many much"
)
_ENGLISH_TOO = _ENGLISH | _words("a an in on at as was or not if but so we you i my do be")
_ARABIC_ONLY = _words(
    "في على إلى الى عن مع هل هو هي كم متى أين اين كيف لماذا ماذا هذا هذه ذلك التي الذي أن إن ان لم "
    "لن كان كانت بعد قبل بين شو شنو ليش ايش وين مين فين ليه ايه إزاي امتى وش"
)
_ARABIC_TOO = _ARABIC_ONLY | _words("ما من لا و")  # Persian has these as well


_NEGATIONS = _words("not لا لم لن")


def is_function_word(word: str) -> bool:
    """Tell whether a word stands in any text of either language, and is no "no"."""
    return word.lower() in _ENGLISH_TOO - _NEGATIONS or word in _ARABIC_TOO - _NEGATIONS


def other(language: Language) -> Language:
    """Return the other of the two languages."""
    return "en" if language == "ar" else "ar"


def detect(text: str) -> Language:
    """Return the language of a text by its words, not its letters.

    Latin names within Arabic weigh nothing, function words weigh double, the first word and ؟ tip
    the balance of short texts. A tie is Arabic: foreign names are far more common there. Text of
    a third script or without letters is ``"en"``, unless it has an Arabic digit or mark.
    """
    arabic, english = 2 * ("؟" in text), 0
    first = True
    for found in _WORD.finditer(text):
        word = found[0]
        if found["arabic"]:
            arabic += 1 + (word in _ARABIC_TOO) + 2 * (found.start() == 0)
        elif first or (word.islower() and word.isalpha()):
            known = word.lower() in _ENGLISH_TOO
            if known or word[1:].islower():
                english += 1 + known + 2 * (first and known)
        first = False
    if arabic == english == 0:
        return "ar" if _ARABIC_SIGN.search(text) else "en"
    return "ar" if arabic >= english else "en"


# Words of languages that Rawi does not speak: those that are hardly ever part of a name, of
# English or of Arabic, and those that may be. Persian and Urdu are matched as they are written.
_FOREIGN = (
    (_words("qui est quoi quel quelle quels quelles pourquoi où sont dans avec cette combien ont"),
     _words("le la les des de du et en que comment il elle nous vous pour sur par un une au")),
    (_words("quién quien qué cuál cuáles cómo cuándo dónde cuánto cuánta cuántos está fue ¿"),
     _words("el la los las de del que y en un una por para con es son como cual cuando donde")),
    (_words("ist wer wie warum wann welche welcher welches nicht sind wurde eine werden wird"),
     _words("der die das dem den des von zu mit auf und im ein was wo hat viel für über in")),
    (_words("é quem não foi quais onde quanto quantos você"),
     _words("o os que são da do de e em um uma para com")),
    (_words("è perché qual quanti quanto sono nel"),
     _words("il lo la di e un una chi che cosa come del della")),
    (_words("nedir kimdir nasıl için hangi kaç değil olan olarak nerede neden"),
     _words("ve bir bu ne ile mi kim")),
    (_words("siapa yang adalah bagaimana berapa untuk itu"),
     _words("apa dan di ini dari dengan pada")),
    (_words("است چیست کیست برای های کدام چگونه چرا کجا کجاست شده دارد هستند که از را چقدر چه"),
     _words("پ چ ژ گ ک ی به در با این آن")),
    (_words("ہے ہیں کیا کون کی کا کے میں نے سے کہ تھا کیوں کہاں"),
     _words("ٹ ڈ ڑ ں ھ ہ ے ک ی گ اور کو پر یہ وہ")),
)  # fmt: skip
_SIGNS = frozenset("¿پچژگکیےٹڈڑںھہ")  # letters and marks that count as words of their own


# Letters of the Arabic script that Arabic has not, but for those of other keyboards and those that
# its writers take for sounds of other languages.
_NOT_ARABIC = re.compile(
    "[\u066e\u066f\u0672-\u06d3\u06d5\u06ee\u06ef\u06fa-\u06ff](?<![کیھہےپچژگڤڨڭڥ])"
)


def foreign_letters(text: str) -> frozenset[str]:
    """Return the letters of a text that are neither Arabic nor Latin."""
    return frozenset(_OTHER_SCRIPT.findall(text))


def is_supported(text: str) -> bool:
    """Tell whether a question may be Arabic or English; in doubt, it is.

    False takes a third script, two words with letters that Arabic has not, or two signs of one
    other language, one of them a word that is hardly ever part of a name; and next to no Arabic or
    English beside them.
    """
    text = unicodedata.normalize("NFKC", clean(text))
    words = [found[0] for found in _WORD.finditer(text)]
    # A capital in mid-text is a name: "La La Land", "Dan Brown".
    seen = {word.lower() for i, word in enumerate(words) if i == 0 or not word[0].isupper()}
    ours = sum(
        word in _ENGLISH or word in _ARABIC_ONLY or (word[:2] == "ال" and not _SIGNS & set(word))
        for word in seen
    )
    others = len(_OTHER_SCRIPT.findall(text))
    names_only = not any(word.islower() or _ARABIC_LETTER.match(word) for word in words)
    # A Chinese character is about half a word, hence the 3.
    if others > 2 and names_only and 3 * others > sum(map(len, words)):
        return False
    if sum(bool(_NOT_ARABIC.search(word)) for word in seen) > max(1, 5 * ours):
        return False
    seen |= _SIGNS & set(text)
    for strong, weak in _FOREIGN:
        certain = len(seen & strong)
        if certain and certain + len(seen & weak) > max(1, 5 * ours):
            return False
    return True


class Span(NamedTuple):
    """Characters ``start`` up to, but not including, ``end``."""

    start: int
    end: int


# A mark, the quotes, brackets and footnote numbers that close after it, and what follows.
_MARK_AND_NEXT = re.compile(
    r"""(?P<mark>[.!?؟؛…۔]+)(?P<close>(?:["'”’»›)\]}]|\s?\[\d{1,3}\])*)"""
    r"""(?P<gap>\s*)(?=["'“‘«‹(\[]*(?P<next>\w*))"""
)
_LIST_NUMBER = re.compile(r"[•·*–(\s-]*(?:\d{1,3}|\d{1,2}(?:\.\d{1,2})+|[^\W\d_])")
_INITIALS = re.compile(r"(?:[^\W\d_]{1,2}\.)*[^\W\d_]|[ول][دأ]")  # J, U.S, Ph.D, أ, ق.م, ود
_TITLES = _words("dr mr mrs ms prof st mt messrs vs e.g i.e cf approx")
_SHORTENED = _words("inc ltd co corp llc etc jr sr al dept est gen gov sen rep lt col")
_BEFORE_NUMBER = _words(
    "no nos fig figs vol pp ch sec art eq jan feb mar apr jun jul aug sep sept oct nov dec"
    " mon tue tues wed thu thur thurs fri sat sun"
)
_JOINED = re.compile(r"[–—/]")  # Mon.–Thu.
_LOOKBACK = 40  # characters; bounded, so that a million marks in a row take linear time


def split_sentences(text: str) -> list[Span]:
    """Cut cleaned text into sentences, which cover every character but whitespace.

    A sentence ends at ``. ! ? ؟ ؛ …``, with what closes right after, and with its line.
    """
    spans: list[Span] = []
    offset = 0
    for line in text.split("\n"):
        start, line_end = offset + len(line) - len(line.lstrip()), offset + len(line.rstrip())
        for found in _MARK_AND_NEXT.finditer(text, start, line_end):
            if found.end() < line_end and _is_end(text, start, found):
                spans.append(Span(start, found.end("close")))
                start = found.end()
        if start < line_end:
            spans.append(Span(start, line_end))
        offset += len(line) + 1
    return spans


def _is_end(text: str, start: int, found: re.Match[str]) -> bool:
    """Tell whether the sentence that begins at ``start`` ends at these marks within its line."""
    mark, following = found["mark"], found["next"]
    before = text[max(start, found.start() - _LOOKBACK) : found.start()]
    if not re.search(r"\w", before):
        return False  # marks alone are no sentence
    if ")" in found["close"] and text[start] != "(":
        return False  # "GPT-5 (what is it?) was late"
    arabic_next = bool(_ARABIC_LETTER.match(following))
    # Arabic has no domain names to speak of, and its writers often forget this space.
    if not found["gap"] and not (arabic_next and len(following) > 1 and mark in ".!?؟؛"):
        return False
    goes_on = following.islower() and following.isalpha()  # "o3" and "xAI" begin sentences
    if goes_on and not _ARABIC_LETTER.search(before):
        return False
    return mark != "." or not _is_abbreviated(before, following)


def _is_abbreviated(before: str, following: str) -> bool:
    """Tell whether a full stop belongs to the word or list number before it."""
    if _LIST_NUMBER.fullmatch(before):
        return True
    *earlier, last = before.split()
    last = _JOINED.split(last)[-1]
    word = "" if before[-1].isspace() else last.lstrip("\"'“‘«‹([").casefold()
    if word in _BEFORE_NUMBER:
        return following[:1].isdigit()
    if word in _TITLES or not (word in _SHORTENED or _INITIALS.fullmatch(word)):
        return word in _TITLES
    if _ARABIC_LETTER.match(word):
        return not (earlier and earlier[-1][-1].isdigit())  # "2020 م." is a year, "م. علي" a man
    return not _ARABIC_LETTER.match(following) and following.casefold() not in _ENGLISH_TOO


def direction(language: Language) -> Literal["rtl", "ltr"]:
    """Return the direction a language is written in."""
    return "rtl" if language == "ar" else "ltr"
