from __future__ import annotations

import sqlite3

import pytest

from rag import index, prompts, translations
from rag.config import LLMSettings
from rag.storage import open_current
from tests.doubles import translations_of

LLM = LLMSettings()


def key(sentence: str = "قطة.", language="en", settings: LLMSettings = LLM, *, retry=True) -> str:
    return translations.key(prompts.translation(sentence, language), settings, retry=retry)


def test_what_is_kept_is_found_by_document_and_what_was_asked():
    kept = translations_of("a.txt", "b.txt")
    kept.keep("a.txt", key(), "A cat.")
    assert kept.get("a.txt", key()) == "A cat."
    assert kept.get("b.txt", key()) is None
    assert kept.get("a.txt", key("كلب.")) is None


def test_nothing_holds_is_kept_too():
    kept = translations_of("a.txt")
    kept.keep("a.txt", key(), "")
    assert kept.get("a.txt", key()) == ""


@pytest.mark.parametrize(
    "change", [{"model": "qwen2.5-coder-0.5b"}, {"max_tokens": 20}, {"backend": "openai"}]
)
def test_another_llm_translates_anew(change):
    assert key(settings=LLM.model_copy(update=change)) != key()
    assert key(retry=False) != key()


def test_of_a_document_that_left_meanwhile_nothing_is_kept():
    kept = translations_of("a.txt")
    kept.keep("gone.txt", key(), "A cat.")
    assert kept.get("gone.txt", key()) is None


def test_an_index_that_cannot_be_written_to_keeps_nothing_and_says_nothing(tmp_path):
    path = tmp_path / "index.sqlite3"
    writable = translations_of("a.txt", path=path)
    writable.keep("a.txt", key(), "A cat.")
    read_only = translations.Translations(sqlite3.connect(f"file:{path}?mode=ro", uri=True))
    read_only.keep("a.txt", key("كلب."), "A dog.")
    assert read_only.get("a.txt", key("كلب.")) is None
    assert read_only.get("a.txt", key()) == "A cat."


@pytest.mark.parametrize("then", ["changed", "removed"])
def test_translations_go_with_their_document(settings, write, embedder, then):
    path = write("a.txt", "قطة.")
    write("b.txt", "A dog.")
    index.update(settings, embedder)
    with open_current(settings, embedder.fingerprint) as store:
        store.translations.keep("a.txt", key(), "A cat.")
    index.update(settings, embedder)
    with open_current(settings, embedder.fingerprint) as store:
        assert store.translations.get("a.txt", key()) == "A cat."
    path.unlink() if then == "removed" else write("a.txt", "كلب.")
    index.update(settings, embedder)
    with open_current(settings, embedder.fingerprint) as store:
        assert store.translations.get("a.txt", key()) is None
