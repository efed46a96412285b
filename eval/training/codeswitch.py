"""Text with its words put into the other language by a dictionary: training data, not prose.

"When was the Taj Mahal built?" becomes «متى كان تاج Mahal بنى ؟». Training an embedder to match
such questions with untouched passages, and the reverse, moves its two languages together
(Litschko et al. 2023, "Boosting Zero-shot Cross-lingual Retrieval by Training on Artificially
Code-Switched Data", arXiv:2305.05295).

The dictionary is FreeDict's English–Arabic in dictd format: Debian's ``dict-freedict-eng-ara``.
"""

from __future__ import annotations

import gzip
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from rag.language import Language, fold

_HEADWORD = re.compile(r"^(\S.*?) /[^/]*/\s*$")
_TASHKEEL = re.compile(r"[\u064b-\u0652\u0640]")
_TOKEN = re.compile(r"[A-Za-z][A-Za-z'’]*|[\u0621-\u065f\u0670-\u06d3]+|\d[\d,.]*|[^\s\w]+")
SHARES = (1.0, 1.0, 0.6)  # of a text's words
# Of the senses that a dictionary lists, only the first are common.
_SENSES = 3
# Most words that it doesn't hold are names: respelled about as often as writers do it.
_RESPELLED = 0.6

# A dictionary gives odd senses for these; "+" joins the next word.
_FUNCTION_WORDS = {
    "the": "ال+", "a": "", "an": "", "of": "", "in": "في", "on": "على", "at": "في", "to": "إلى",
    "and": "و+", "or": "أو", "is": "", "are": "", "was": "كان", "were": "كانت", "be": "يكون",
    "been": "كان", "has": "", "have": "", "had": "كان", "by": "من قبل", "for": "ل+", "with": "مع",
    "from": "من", "as": "ك+", "that": "أن", "which": "التي", "who": "من", "whom": "من",
    "what": "ما", "when": "متى", "where": "أين", "why": "لماذا", "how": "كيف", "many": "كم عدد",
    "much": "كم", "did": "", "do": "", "does": "", "it": "", "its": "", "he": "هو", "she": "هي",
    "they": "هم", "this": "هذا", "these": "هذه", "not": "لا", "but": "لكن", "his": "", "her": "",
    "their": "", "after": "بعد", "before": "قبل", "between": "بين", "than": "من", "also": "أيضا",
    "first": "الأول", "one": "واحد", "two": "اثنان", "three": "ثلاثة", "i": "أنا", "we": "نحن",
    "you": "أنت", "year": "عام", "years": "سنوات", "new": "جديد", "during": "خلال", "about": "عن",
    "into": "إلى", "other": "أخرى", "more": "أكثر", "most": "معظم", "all": "كل", "can": "يمكن",
    "could": "يمكن", "would": "", "will": "س+", "under": "تحت", "there": "هناك",
}  # fmt: skip
_ARABIC_FUNCTION_WORDS = {
    "في": "in", "من": "of", "على": "on", "إلى": "to", "عن": "about", "مع": "with", "هو": "is",
    "هي": "is", "ما": "what", "ماذا": "what", "متى": "when", "أين": "where", "كيف": "how",
    "كم": "how many", "لماذا": "why", "هل": "is", "أن": "that", "إن": "", "كان": "was",
    "كانت": "was", "التي": "which", "الذي": "who", "هذا": "this", "هذه": "this", "تم": "was",
    "قبل": "before", "بعد": "after", "بين": "between", "أو": "or", "و": "and", "ثم": "then",
    "كما": "also", "قد": "", "لم": "not", "لا": "not", "أول": "first", "عام": "year",
    "سنة": "year", "خلال": "during", "عند": "at", "كل": "all", "أي": "which", "أكثر": "more",
    "عدد": "number", "حيث": "where", "ذلك": "that", "أحد": "one of", "بعض": "some",
    "غير": "not", "دون": "without", "منذ": "since", "حتى": "until", "عندما": "when",
    "لكن": "but", "ولكن": "but", "مثل": "like", "أيضا": "also", "مدينة": "city",
    "دولة": "country", "منطقة": "region", "اسم": "name", "يوم": "day",
}  # fmt: skip
_LATIN_TO_ARABIC = (
    ("sh", "ش"), ("ch", "تش"), ("th", "ث"), ("kh", "خ"), ("gh", "غ"), ("ph", "ف"), ("oo", "و"),
    ("ou", "و"), ("ee", "ي"), ("ck", "ك"), ("qu", "كو"), ("a", "ا"), ("b", "ب"), ("c", "ك"),
    ("d", "د"), ("e", ""), ("f", "ف"), ("g", "غجق"), ("h", "ه"), ("i", "ي"), ("j", "ج"),
    ("k", "ك"), ("l", "ل"), ("m", "م"), ("n", "ن"), ("o", "و"), ("p", "ب"), ("q", "ق"),
    ("r", "ر"), ("s", "س"), ("t", "ت"), ("u", "و"), ("v", "ف"), ("w", "و"), ("x", "كس"),
    ("y", "ي"), ("z", "ز"),
)  # fmt: skip
_ARABIC_TO_LATIN = dict(
    zip(
        "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىأإآءئؤ",
        "a b t th j h kh d dh r z s sh s d t z a gh f q k l m n h w i a a a i a  e o".split(" "),
        strict=True,
    )
)
_ARTICLES = ("وال", "بال", "كال", "فال", "لل", "ال")
_SUFFIXES = ("هما", "ها", "هم", "ات", "ين", "ون", "ان", "يه", "ه", "ي", "ت", "وا")


class CodeSwitcher:
    """Puts the words of a text into the other language, with a random generator's choices."""

    def __init__(self, dictionary: Path, english: Iterable[str], rng: random.Random) -> None:
        """Read the dictionary.

        :param english: Texts that say which English words are common, for the way back.
        """
        self._rng = rng
        self._to_arabic = dict(_read(dictionary))
        frequency = Counter(w.lower() for text in english for w in re.findall("[A-Za-z]+", text))
        weights: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        for word, translations in self._to_arabic.items():
            for rank, arabic in enumerate(translations[: 2 * _SENSES], start=1):
                stem = _without_article(fold(arabic))
                if word not in _FUNCTION_WORDS and " " not in stem:
                    weight = (0.05 + min(frequency[word], 20) / 4) / rank
                    weights[stem][word] += weight
        self._to_english = {
            stem: sorted(words, key=lambda word: -words[word])[:2]
            for stem, words in weights.items()
        }
        self._function_words = {fold(k): v for k, v in _ARABIC_FUNCTION_WORDS.items()}

    def switch(self, text: str, language: Language) -> str:
        """Return the text of this language with all or most of its words in the other."""
        share = self._rng.choice(SHARES)
        return (self._arabic if language == "en" else self._english)(text, share)

    def _arabic(self, text: str, share: float) -> str:
        words: list[str] = []
        prefix = ""
        for token in _TOKEN.findall(text):
            word = re.sub("['’]s$", "", token.lower())
            if not token[0].isalpha() or self._rng.random() > share:
                words.append(token.replace("?", "؟"))
                continue
            if word in _FUNCTION_WORDS:
                arabic = _FUNCTION_WORDS[word]
                if arabic.endswith("+"):
                    prefix += arabic[:-1]
                elif arabic:
                    words.append(arabic)
                continue
            senses = self._to_arabic.get(word) or self._to_arabic.get(word.rstrip("s"))
            is_name = token[0].isupper() and bool(words)
            if senses and not (is_name and self._rng.random() < 1 - _RESPELLED):
                arabic = self._rng.choice(senses[:_SENSES])
                joined = prefix.removesuffix("ال") if arabic.startswith("ال") else prefix
                words.append(joined + arabic)
            else:
                words.append(self._respelled(word) if self._rng.random() < _RESPELLED else token)
            prefix = ""
        return " ".join(words)

    def _english(self, text: str, share: float) -> str:
        words = []
        for token in _TOKEN.findall(text):
            folded = fold(token)
            if not "ء" <= token[0] <= "ۓ" or self._rng.random() > share:
                words.append(token.replace("؟", "?").replace("،", ","))
            elif folded in self._function_words:
                words.append(self._function_words[folded])
            elif senses := self._senses(folded):
                article = "the " if folded.startswith("ال") else ""
                words.append(article + self._rng.choice(senses))
            elif self._rng.random() < _RESPELLED:
                letters = (_ARABIC_TO_LATIN.get(letter, "") for letter in _without_article(folded))
                words.append("".join(letters).capitalize())
            else:
                words.append(token)
        return " ".join(filter(None, words))

    def _senses(self, folded: str) -> list[str]:
        return next((self._to_english[f] for f in _forms(folded) if f in self._to_english), [])

    def _respelled(self, word: str) -> str:
        spelled, at = "", 0
        while at < len(word):
            latin, arabic = next(
                (pair for pair in _LATIN_TO_ARABIC if word.startswith(pair[0], at)), (word[at], "")
            )
            if latin == "g":  # Google is غوغل, جوجل and قوقل
                arabic = self._rng.choice(arabic)
            spelled += "إ" if latin == "e" and at == 0 else arabic
            at += len(latin)
        return spelled


def _read(dictionary: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the headwords, in lower case, with their translations, the commonest first."""
    word, translations = "", list[str]()
    with gzip.open(dictionary, "rt", encoding="utf-8") as file:
        for line in file:
            if found := _HEADWORD.match(line):
                if translations:
                    yield word, translations
                word, translations = found[1].lower(), []
            elif word and re.search("[\u0621-\u064a]", line):
                senses = _TASHKEEL.sub("", re.sub(r"^\d+\.", "", line))
                translations += [s.strip() for s in re.split("[،,؛/]", senses) if s.strip()]
    if translations:
        yield word, translations


def _without_article(word: str) -> str:
    for article in _ARTICLES:
        if word.startswith(article) and len(word) > len(article) + 2:
            return word[len(article) :]
    return word


def _forms(word: str) -> Iterator[str]:
    """Yield a folded word as it stands, then with less and less of what may be prefix or suffix."""
    yield word
    forms = [_without_article(word)]
    if len(forms[0]) > 3 and forms[0][0] in "وبلف":
        forms.append(forms[0][1:])
    for form in list(forms):
        for suffix in _SUFFIXES:
            if form.endswith(suffix) and len(form) >= len(suffix) + 3:
                forms += [form.removesuffix(suffix), form.removesuffix(suffix) + "ه"]
    forms += [form[1:] for form in forms if len(form) > 4 and form[0] in "يتن"]
    yield from forms
