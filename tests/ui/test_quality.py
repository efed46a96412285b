"""The Quality tab: what is said of the numbers is said in both languages."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from eval import words
from tests.eval.test_report import ANSWERED, KEPT_QUIET, REFUSED, RIGHT, qa
from ui.quality import quality_html
from ui.text import Phrase

ROOT = Path(__file__).parents[2]
ARABIC = re.compile(r"[\u0621-\u064a]")


class Texts(HTMLParser):
    """The texts of each language, and those of none: what isn't within ``bdi`` or a plot."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.within: list[str] = []
        self.ar: list[str] = []
        self.en: list[str] = []
        self.bare: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            return
        self.within.append(dict(attrs).get("class") or tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Hold nothing: such an element has no text."""

    def handle_endtag(self, tag: str) -> None:
        self.within.pop()

    def handle_data(self, data: str) -> None:
        if "rw-ar" in self.within:
            self.ar.append(data)
        elif "rw-en" in self.within:
            self.en.append(data)
        elif not {"bdi", "svg"} & set(self.within):
            self.bare.append(data)


def test_the_tab_is_in_both_languages(tmp_path: Path) -> None:
    run = qa(tmp_path / "run", {"lead": RIGHT, "budget": KEPT_QUIET})
    qa(run / "baseline", {"lead": REFUSED, "budget": ANSWERED}, system="starter")
    texts = Texts(quality_html(run))
    assert len(texts.ar) == len(texts.en) > 30
    assert not [said for said in texts.bare if re.search(r"\w", said)]
    assert {said for said in texts.ar if not ARABIC.search(said)} == set()
    assert {"صحيح، أو مرفوض عن حق", "راوي، العربية", "خط الأساس، الإنجليزية"} <= set(texts.ar)
    assert {"right, or rightly refused", "Rawi, Arabic", "starter, English"} <= set(texts.en)


def test_what_a_folder_is_called_is_shown_as_text(tmp_path: Path) -> None:
    folder = tmp_path / "<b>"
    qa(folder, {"lead": RIGHT, "budget": KEPT_QUIET}, quote="<i>")
    html = quality_html(folder)
    assert "<b>" not in html
    assert "<i>" not in html


def test_without_a_run_it_says_how_to_make_one(tmp_path: Path) -> None:
    texts = Texts(quality_html(tmp_path))
    assert "make eval" in texts.ar[0]
    assert "make eval" in texts.en[0]


def test_every_word_of_the_report_is_in_both_languages() -> None:
    phrases = [value for value in vars(words).values() if isinstance(value, Phrase)]
    for table in (words.MEASURES, words.LANGUAGES, words.TIMES, words.CATEGORIES):
        phrases += table.values()
    assert len(phrases) > 60
    for phrase in phrases:
        assert ARABIC.search(phrase.ar), phrase
        assert not ARABIC.search(phrase.en), phrase
        assert phrase.en.strip()


def test_every_category_of_our_own_questions_has_its_words() -> None:
    lines = (ROOT / "eval/questions.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["category"] for line in lines} <= words.CATEGORIES.keys()
    assert words.of_group("ar, document") == Phrase("العربية، أمر في وثيقة", "Arabic, document")
    assert words.of_group("somebody's own") == "somebody's own"
