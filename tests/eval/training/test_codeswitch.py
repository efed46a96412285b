"""Words in the other language, by a dictionary of four headwords."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from eval.training import codeswitch
from eval.training.codeswitch import CodeSwitcher

DICTIONARY = """\
Capital /kˈapɪtəl/
1. عاصمة
2. رأس المال
City /sˈɪti/
1. مدينة، بلدة
Cities /sˈɪtiz/
1. مُدُن
Large /lɑːdʒ/
1. كبير
"""


@pytest.fixture
def switcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CodeSwitcher:
    monkeypatch.setattr(codeswitch, "SHARES", (1.0,))
    path = tmp_path / "eng-ara.dict.dz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(DICTIONARY)
    return CodeSwitcher(path, ["the capital city"], random.Random(0))


def test_english_becomes_arabic_word_by_word(switcher: CodeSwitcher) -> None:
    assert switcher.switch("What is the large city?", "en") in (
        "ما الكبير مدينة ؟",
        "ما الكبير بلدة ؟",
    )
    assert switcher.switch("cities", "en") == "مدن"  # without its tashkeel


def test_arabic_becomes_english_word_by_word(switcher: CodeSwitcher) -> None:
    assert switcher.switch("ما عاصمة المدن؟", "ar") == "what capital the cities ?"
    assert switcher.switch("بكبير", "ar") == "large"  # found without its preposition


def test_no_share_changes_no_word(switcher: CodeSwitcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codeswitch, "SHARES", (-1.0,))
    assert switcher.switch("the large city", "en") == "the large city"
