"""The first screen makes a folder known: what it holds, and what may be asked of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rag import config, current, index
from rag import engine as engines
from rag.config import Settings
from rag.embedding import load_embedder
from rag.engine import Answer, Engine
from rag.language import Language, detect
from rag.retrieval import Retriever
from tests.conftest import ROOT, WordEmbedder
from tests.ui.conftest import Keep, Open
from tests.ui.serving import Loaded, served_by
from tests.ui.test_accessibility import found_in
from tests.ui.test_browser import ask
from tests.ui.test_page_states import said
from ui import examples
from ui.examples import Example

FOLDERS = pytest.mark.parametrize("folder", ["ar", "en", "mixed"])
IN_BOTH = pytest.mark.parametrize("locale", ["ar", "en"])

# A document of each language: one asks and answers itself, one has headings, one is plain.
TEXTS = {
    "ar": [
        "أسئلة عن القط رقم {n}\n\nس: أين ينام القط رقم {n}؟\nج: ينام القط رقم {n} في السلة {n}.\n\n"
        "س: ماذا يأكل القط رقم {n}؟\nج: يأكل القط رقم {n} السمك كل صباح.\n",
        "# دليل الكلب رقم {n}\n\n## تدريب الكلب الصغير\n\nيُدرَّب الكلب الصغير ساعة كل يوم.\n\n"
        "## طعام الكلب الكبير\n\nيأكل الكلب الكبير اللحم والأرز مرتين كل يوم.\n",
        "تقرير المتحف رقم {n}\n\nزار المتحف رقم {n} في العام الماضي 1{n}00 زائر من كل البلاد.\n",
    ],
    "en": [
        "Questions about cat number {n}\n\nQ: Where does cat number {n} sleep?\nA: Cat number {n}"
        " sleeps in basket {n}.\n\nQ: What does cat number {n} eat?\nA: Cat number {n} eats fish"
        " every morning.\n",
        "# The dog handbook, part {n}\n\n## Training a small dog\n\nA small dog is trained for an"
        " hour every day.\n\n## Feeding a large dog\n\nA large dog eats meat and rice twice"
        " a day.\n",
        "Report of museum number {n}\n\nMuseum number {n} had 1{n}00 visitors from all countries"
        " last year.\n",
    ],
}
COUNTS = {
    "ar": {"ar": "الوثائق هنا: 12 (بالعربية)", "en": "Documents here: 12 (in Arabic)"},
    "en": {"ar": "الوثائق هنا: 12 (بالإنجليزية)", "en": "Documents here: 12 (in English)"},
    "mixed": {
        "ar": "الوثائق هنا: 12 (6 بالعربية، 6 بالإنجليزية)",
        "en": "Documents here: 12 (6 in Arabic, 6 in English)",
    },
}
REQUESTS = (
    Example("ما الوثائق التي لديك؟", "ar", is_request=True),
    Example("Which documents do you have?", "en", is_request=True),
)


def language_of(folder: str, number: int) -> Language:
    if folder == "mixed":
        return "ar" if number % 2 else "en"
    return "ar" if folder == "ar" else "en"


def fill(corpus: Path, folder: str) -> None:
    """Write twelve documents, each a day newer than the one before."""
    corpus.mkdir(exist_ok=True)
    for number in range(1, 13):
        texts = TEXTS[language_of(folder, number)]
        path = corpus / f"{number:02}.md"
        path.write_text(texts[(number - 1) // 2 % 3].format(n=number), encoding="utf-8")
        os.utime(path, (number * 86_400, number * 86_400))


@contextmanager
def words_engine(settings: Settings, folder: str) -> Iterator[Engine]:
    """An engine over such a folder that knows a few words, and has no LLM."""
    fill(settings.corpus, folder)
    embedder = WordEmbedder()
    index.update(settings, embedder)
    retrieval = settings.retrieval.model_copy(update={"reader": "none"})
    settings = settings.model_copy(update={"retrieval": retrieval})
    with current.open_current(settings, embedder.fingerprint) as store:
        yield Engine(settings, Retriever(store, embedder, retrieval), None)


def answer_to(engine: Engine, question: str) -> Answer:
    *_, answer = engine.answer(question)
    assert isinstance(answer, Answer)
    return answer


class TestExamples:
    @FOLDERS
    def test_are_made_of_the_folder_in_both_languages_and_answered(
        self, settings: Settings, folder: str
    ) -> None:
        with words_engine(settings, folder) as engine:
            offered = examples.examples(engine)
            assert [example.language for example in offered] == ["ar", "ar", "en", "en"]
            for example in offered:
                assert answer_to(engine, example.question).how == "quoted"
                asks_itself = folder in (example.language, "mixed")
                mark = {"ar": "القط رقم", "en": "cat number"}[example.language]
                assert (mark in example.question) == asks_itself, example

    @pytest.mark.weights
    @FOLDERS
    def test_what_is_offered_is_answered_by_the_engine_itself(
        self, tmp_path: Path, folder: str
    ) -> None:
        fill(tmp_path / "corpus", folder)
        settings = config.load(
            ROOT / "config.yaml", corpus=tmp_path / "corpus", storage=tmp_path / "storage"
        )
        embedder = load_embedder(settings)
        index.update(settings, embedder)
        with engines.open_retriever(settings, embedder=embedder) as retriever:
            engine = engines.make_engine(settings, retriever, None)
            offered = examples.examples(engine)
            for language in ("ar", "en"):
                questions = [e for e in offered if e.language == language and not e.is_request]
                assert 1 <= len(questions) <= 2
                for example in questions:
                    answer = answer_to(engine, example.question)
                    assert (answer.how, bool(answer.citations)) == ("quoted", True)
                which, summary = [e for e in offered if e.language == language and e.is_request]
                assert "12" in answer_to(engine, which.question).answer
                summed_up = answer_to(engine, summary.question)
                assert summed_up.how == "told"
                (doc,) = {cited.doc for cited in summed_up.citations}
                assert retriever.storage.title(doc) in summary.question


class TestNextQuestions:
    @IN_BOTH
    def test_are_the_documents_own_not_asked_before_and_not_searched_for(
        self, settings: Settings, locale: Language
    ) -> None:
        with words_engine(settings, locale) as engine:
            where, what = {
                "ar": ("أين ينام القط رقم 1؟", "ماذا يأكل القط رقم 1؟"),
                "en": ("Where does cat number 1 sleep?", "What does cat number 1 eat?"),
            }[locale]
            answer = answer_to(engine, where)
            assert answer.how == "quoted"
            searched = len(engine.retriever.embedder.seen)
            following = examples.following(engine, answer, [])
            assert len(following) == 2
            assert where not in following
            again = examples.following(engine, answer, [*following, what])
            assert not {*following, where, what} & {*again}
            assert len(engine.retriever.embedder.seen) == searched
            assert {detect(question) for question in following} == {locale}


@pytest.mark.browser
class TestPage:
    @IN_BOTH
    @FOLDERS
    def test_it_says_what_is_here_and_each_title_opens_its_document(
        self, look: Open, settings: Settings, folder: str, locale: str, picture: Keep
    ) -> None:
        with words_engine(settings, folder) as engine:
            loader = Loaded(engine)
            loader.examples = REQUESTS
            with served_by(loader) as url:
                page = look(url, locale=locale).page
                holds = said(page, ".rw-welcome h2", locale)
                expect(holds).to_have_text(COUNTS[folder][locale])
                titles = page.locator(".rw-titles button")
                newest = [engine.retriever.storage.title(f"{n:02}.md") for n in range(12, 7, -1)]
                expect(titles).to_have_text(newest)
                assert found_in(page) == []
                picture(page, "twelve-documents", locale)
                titles.nth(1).click()
                article = page.locator("#rawi-source .rw-article")
                expect(article).to_contain_text(newest[1])
                expect(article).to_have_attribute("lang", language_of(folder, 11))
                page.keyboard.press("Escape")
                expect(titles.nth(1)).to_be_focused()
                request = page.locator("[data-act=example]:visible")
                words = next(one.question for one in REQUESTS if one.language == locale)
                expect(request).to_have_text([words])
                page.locator(".rw-welcome .rw-goto").click()
                expect(page.locator("#rawi-documents tbody tr")).to_have_count(12)
                page.go_back()
                request.click()
                expect(page.locator(".rw-user .rw-text")).to_have_text(words)

    @IN_BOTH
    def test_where_the_folder_is_closed_titles_still_open_on_a_phone(
        self, look: Open, settings: Settings, locale: str, picture: Keep
    ) -> None:
        closed = settings.page.model_copy(update={"documents_tab": "off"})
        with words_engine(settings.model_copy(update={"page": closed}), "mixed") as engine:
            loader = Loaded(engine)
            loader.examples = (*examples.examples(engine), *REQUESTS)
            with served_by(loader) as url:
                page = look(url, locale=locale, width=360, height=640, dark=True).page
                expect(page.locator(".rw-welcome .rw-goto")).to_be_hidden()
                expect(page.locator(".rw-example")).to_have_count(4)
                assert page.locator("#rawi-messages").evaluate("list => list.scrollTop") == 0
                picture(page, "first-screen-on-a-phone", locale)
                assert page.evaluate("document.documentElement.scrollWidth") <= 360
                assert found_in(page) == []
                page.locator(".rw-titles button").first.click()
                expect(page.locator("#rawi-source .rw-article")).to_be_visible()
                assert found_in(page) == []

    @IN_BOTH
    def test_beneath_an_answer_stand_the_documents_own_questions(
        self, look: Open, settings: Settings, locale: Language
    ) -> None:
        where = {"ar": "أين ينام القط رقم 1؟", "en": "Where does cat number 1 sleep?"}[locale]
        with words_engine(settings, locale) as engine, served_by(Loaded(engine)) as url:
            page = look(url, locale=locale).page
            ask(page, where)
            turn = page.locator(".rw-turn-assistant:has(.rw-assistant[data-how=quoted])")
            offered = turn.locator(".rw-near .rw-example")
            expect(offered).to_have_count(2)
            words = {"ar": "ولك أن تسأل أيضًا:", "en": "You could ask next:"}
            expect(said(page, ".rw-near p", locale)).to_have_text(words[locale])
            assert found_in(page) == []
            following = offered.first.inner_text()
            offered.first.click()
            expect(page.locator(".rw-user .rw-text")).to_have_text([where, following])
            expect(page.locator(".rw-assistant:not(.rw-busy)")).to_have_count(2)
            assert where not in page.locator(".rw-near").last.inner_text()
