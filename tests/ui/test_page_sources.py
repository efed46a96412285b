"""What surrounds a citation: its card, its whole document, its translation, how it is heard."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from rag.retrieval import Found
from rag.storage import Origin
from tests.doubles import JudgingLLM
from tests.ui.conftest import Keep, Open
from tests.ui.serving import engine, quoting, served
from tests.ui.test_accessibility import found_in
from tests.ui.test_browser import ask

pytestmark = pytest.mark.browser

IN_BOTH = pytest.mark.parametrize("locale", ["ar", "en"])

SENTENCE = {"ar": "بُني البرج سنة 1999.", "en": "The tower was built in 1999."}
ASKED = {"ar": "متى بُني البرج؟", "en": "When was the tower built?"}
TITLE = {"ar": "تاريخ البرج", "en": "The tower's history"}


def with_origin(ready: Any, locale: str) -> Any:
    """Give the one document of an engine a title, a date and pages."""
    ready.retriever.storage.origin = lambda doc: Origin(TITLE[locale], "", "2025-04-01T08:00:00")
    ready.retriever.storage.page = lambda doc, place: 7
    return ready


def answered(page: Page, question: str) -> Locator:
    """Ask, and return the mark of the answer's first citation."""
    ask(page, question)
    expect(page.locator(".rw-assistant:not(.rw-busy)")).to_have_count(1)
    return page.locator(".rw-text [data-citation='1']")


class TestCard:
    @IN_BOTH
    def test_shows_what_is_cited_to_pointer_and_keyboard_until_escape(
        self, look: Open, tmp_path: Path, locale: str, picture: Keep
    ) -> None:
        with served(with_origin(quoting(tmp_path, SENTENCE[locale]), locale)) as url:
            page = look(url, locale=locale).page
            mark, card = answered(page, ASKED[locale]), page.locator("#rawi-card")
            mark.hover()
            expect(card).to_be_visible()
            for said in (TITLE[locale], "2025-04-01", {"ar": "ص ٧", "en": "p. 7"}[locale]):
                expect(card).to_contain_text(said)
            expect(card.locator("q")).to_have_text(SENTENCE[locale])
            at, box = mark.bounding_box(), card.bounding_box()
            assert at is not None
            assert box is not None
            if locale == "ar":  # it begins where its mark does
                assert abs(box["x"] + box["width"] - at["x"] - at["width"]) < 2
            assert 0 <= box["x"] <= 1280 - box["width"]
            assert found_in(page) == []
            picture(page, "card", locale)
            card.hover()  # it stays under the pointer
            page.wait_for_timeout(400)
            expect(card).to_be_visible()
            page.mouse.move(5, 5)
            expect(card).to_be_hidden()

            mark.click()
            source = page.locator("#rawi-source mark")
            expect(source).to_be_focused()
            page.locator("#rawi-question textarea").focus()
            for _ in range(20):
                page.keyboard.press("Shift+Tab")
                if mark.evaluate("mark => mark === document.activeElement"):
                    break
            expect(card).to_be_visible()
            expect(mark).to_have_attribute("aria-describedby", "rawi-card")
            page.keyboard.press("Escape")
            expect(card).to_be_hidden()
            expect(mark).to_be_focused()
            expect(source).to_be_visible()
            page.keyboard.press("Escape")
            expect(source).to_have_count(0)
            expect(mark).to_be_focused()
            expect(card).to_be_hidden()

    @IN_BOTH
    def test_is_none_under_a_finger_which_opens_the_article(
        self, browser: Browser, tmp_path: Path, locale: str
    ) -> None:
        phone: Any = {"has_touch": True, "viewport": {"width": 390, "height": 800}}
        with (
            served(with_origin(quoting(tmp_path, SENTENCE[locale]), locale)) as url,
            browser.new_context(locale=locale, **phone) as context,
        ):
            page = context.new_page()
            page.goto(url)
            page.locator("#rawi-question textarea").wait_for()
            answered(page, ASKED[locale]).tap()
            expect(page.locator("#rawi-source mark")).to_be_focused()
            assert page.locator("#rawi-card").count() == 0


class TestWholeDocument:
    @IN_BOTH
    def test_is_shown_at_a_click_with_the_sentence_in_view(
        self, look: Open, tmp_path: Path, locale: str, picture: Keep
    ) -> None:
        sentence, end = SENTENCE[locale], "النهاية." if locale == "ar" else "The end."
        lines = "\n".join([f"{n}" for n in range(5_000)])
        text = f"{lines}\n{sentence}\n{lines}\n{end}"
        ready = quoting(tmp_path, sentence)
        start = len(lines) + 1
        found = Found("1.txt", start, start + len(sentence), sentence, 0.9, locale)  # type: ignore[arg-type]
        ready.retriever.evidence = lambda *_, **__: [found]  # type: ignore[method-assign]
        ready.retriever.storage.text = lambda doc: text  # type: ignore[method-assign]
        with served(ready) as url:
            page = look(url, locale=locale).page
            answered(page, ASKED[locale]).click()
            source, mark = page.locator("#rawi-source"), page.locator("#rawi-source mark")
            expect(mark).to_have_text(sentence)
            expect(source).not_to_contain_text(end)
            source.locator("[data-act=turn]").first.click()
            expect(source).to_contain_text(end)
            expect(mark).to_be_in_viewport()
            expect(mark).to_be_focused()
            picture(page, "whole-document", locale)
            expect(source.locator("[data-act=turn]")).to_have_count(0)
            assert source.locator(".rw-article").text_content() == text
            assert found_in(page) == []
            page.keyboard.press("Escape")
            expect(mark).to_have_count(0)
            expect(page.locator(".rw-text [data-citation='1']")).to_be_focused()


# A quote in the other language than its reader's: what the LLM says shortly, and of the whole.
FOREIGN = {
    "ar": ("The tower cost 30 million.", "كم كلّف البرج؟", "30 مليون", "كلّف البرج 30 مليون."),
    "en": ("كلّف البرج 30 مليون.", "What did the tower cost?", "30 million",
           "The tower cost 30 million."),
}  # fmt: skip


class TestOtherLanguage:
    @IN_BOTH
    def test_is_answered_large_quoted_below_and_translated_on_request(
        self, look: Open, tmp_path: Path, locale: str, picture: Keep
    ) -> None:
        sentence, question, short, whole = FOREIGN[locale]
        other: Any = {"ar": "en", "en": "ar"}[locale]
        found = Found("1.txt", 0, len(sentence), sentence, 0.9, other)
        model = JudgingLLM(replies=deque([short, "It cost 40 of them.", whole]))
        with served(engine(tmp_path, model=model, evidence=[found])) as url:
            page = look(url, locale=locale).page
            answered(page, question)
            large = page.locator(".rw-text .rw-short")
            expect(large).to_have_text(short)
            sizes = "part => parseFloat(getComputedStyle(part).fontSize)"
            quote = page.locator(".rw-sources q")
            assert large.evaluate(sizes) > 1.2 * quote.evaluate(sizes)
            expect(quote.locator("mark").first).to_contain_text("30")
            picture(page, "across", locale)
            button = page.locator("[data-act=translate]")
            # What doesn't hold is not shown.
            button.click()
            place = page.locator(".rw-translate .rw-translation:not(:has(.rw-pulse))")
            none = {"ar": "لم تتيسر ترجمة أمينة", "en": "no faithful translation"}[locale]
            expect(page.locator(".rw-translate")).to_contain_text(none)
            expect(button).to_have_count(0)
            expect(page.locator(".rw-translate")).to_be_focused()
            page.reload()
            expect(button).to_be_visible()
            button.press("Enter")
            expect(place.locator(f"p[lang={locale}]")).to_have_text(whole)
            label = {"ar": "ترجمة آلية", "en": "Machine translation"}[locale]
            expect(place.locator(f".rw-{locale}")).to_contain_text(label)
            heard = page.locator("body > .rw-hidden[role=status]")
            expect(heard).to_contain_text(whole)
            assert found_in(page) == []
            # It is there still when the messages are drawn anew.
            page.locator("[data-act=rate][data-rating=up]").click()
            expect(page.locator("[aria-pressed=true]")).to_have_count(1)
            expect(place.locator(f"p[lang={locale}]")).to_have_text(whole)

    @IN_BOTH
    def test_is_not_translated_without_an_llm(
        self, look: Open, tmp_path: Path, locale: str
    ) -> None:
        sentence, question, *_ = FOREIGN[locale]
        with served(quoting(tmp_path, sentence)) as url:
            page = look(url, locale=locale).page
            answered(page, question)
            expect(page.locator(".rw-sources .rw-tag")).to_have_count(1)
            assert page.locator("[data-act=translate]").count() == 0

    @IN_BOTH
    def test_each_part_of_an_answer_is_heard_in_its_own(
        self, look: Open, tmp_path: Path, locale: str
    ) -> None:
        other = {"ar": "en", "en": "ar"}[locale]
        with served(quoting(tmp_path, SENTENCE[other])) as url:
            page = look(url, locale=locale).page
            answered(page, ASKED[other])
            heard = page.locator("body > .rw-hidden[role=status]")
            expect(heard).to_have_attribute("lang", other)
            source = {"ar": "المصدر 1", "en": "Source 1"}[locale]
            expect(heard).to_have_text(f"{SENTENCE[other]} ({source})")
            expect(heard.locator(f"span[lang={locale}]")).to_have_text(f"({source})")
