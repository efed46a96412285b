"""Conversations on the page: their addresses, their list, and what the keys do."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.ui.conftest import Keep, Open
from tests.ui.serving import QUESTION, SlowLLM, engine, quoting, served
from tests.ui.test_accessibility import found_in
from tests.ui.test_browser import ask

pytestmark = pytest.mark.browser

IN_BOTH = pytest.mark.parametrize("locale", ["ar", "en"])

SENTENCES = {
    "ar": ["بُني البرج الأوّل سنة 1999.", "هُدم الجسر سنة 2001."],
    "en": ["The café tower was built in 1999.", "The bridge fell in 2001."],
}
QUESTIONS = {
    "ar": ["متى بُني البرج الأوّل؟", "متى هُدم الجسر؟", "من بنى الجسر؟"],
    "en": ["When was the café tower built?", "When did the bridge fall?", "Who built the bridge?"],
}
ADDRESS = re.compile(r"#c=[0-9a-f]{12}$")
ANSWERS = ".rw-assistant:not(.rw-busy)"


@contextmanager
def opened(look: Open, folder: Path, locale: str) -> Iterator[tuple[Page, str]]:
    """Open a page over two sentences; give it and its address."""
    with served(quoting(folder, *SENTENCES[locale])) as url:
        yield look(url, locale=locale).page, url


def converse(page: Page, *questions: str) -> str:
    """Ask questions in a new conversation; return its address."""
    if page.locator(".rw-conversation[aria-current]").count():
        page.locator("[data-act=new]").click()
        expect(page.locator(".rw-message")).to_have_count(0)
    for count, question in enumerate(questions, start=1):
        ask(page, question)
        expect(page.locator(ANSWERS)).to_have_count(count)
    expect(page).to_have_url(ADDRESS)
    return page.url


def asked(page: Page) -> Locator:
    return page.locator(".rw-user .rw-text")


class TestAddress:
    @IN_BOTH
    def test_back_and_forward_walk_conversations_and_a_reload_stays(
        self, look: Open, tmp_path: Path, locale: str
    ) -> None:
        one, two, _ = QUESTIONS[locale]
        with opened(look, tmp_path, locale) as (page, url):
            first = converse(page, one)
            second = converse(page, two)
            assert first != second
            page.go_back()
            expect(asked(page)).to_have_text([one])
            expect(page).to_have_url(first)
            page.go_forward()
            expect(asked(page)).to_have_text([two])
            page.locator(".rw-conversation", has_text=one).click()
            expect(page).to_have_url(first)
            # The article of one conversation is not gone back to from the next.
            page.locator(".rw-text [data-citation]").first.click()
            expect(page.locator("#rawi-source mark")).to_be_visible()
            page.locator(".rw-conversation", has_text=two).click()
            expect(page).to_have_url(second)
            expect(page.locator("#rawi-source mark")).to_have_count(0)
            page.go_back()
            expect(asked(page)).to_have_text([one])
            expect(page).to_have_url(first)
            page.reload()
            expect(asked(page)).to_have_text([one])
            page.locator("[data-act=new]").click()
            expect(page).to_have_url(f"{url}/#ask")
            page.go_back()
            expect(asked(page)).to_have_text([one])
            page.locator("[data-view=documents]").click()
            expect(page).to_have_url(f"{url}/#documents")
            page.locator("[data-view=ask]").click()
            expect(page).to_have_url(first)

    @IN_BOTH
    def test_a_link_opens_its_conversation_at_its_answer(
        self, look: Open, tmp_path: Path, locale: str
    ) -> None:
        one, two, three = QUESTIONS[locale]
        with served(quoting(tmp_path, *SENTENCES[locale])) as url:
            visit = look(url, locale=locale)
            visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
            page = visit.page
            first = converse(page, *[one, two, three] * 2)
            tip = {"ar": "انسخ رابط هذا الجواب", "en": "Copy a link to this answer"}
            link = page.locator("[data-act=link]").nth(1)
            expect(link).to_have_attribute("title", tip[locale])
            link.click()
            says = {"ar": "نُسخ الرابط", "en": "The link is copied"}
            expect(page.locator(".rw-notice")).to_contain_text(says[locale])
            copied = page.evaluate("navigator.clipboard.readText()")
            assert copied == f"{first}&a=2"
            converse(page, one)
            other = visit.context.new_page()
            other.goto(copied)
            for _ in range(2):
                answer = other.locator(ANSWERS).nth(1)
                expect(answer).to_be_focused()
                expect(answer).to_be_in_viewport()
                expect(other.locator(ANSWERS).last).not_to_be_in_viewport()
                other.reload()
            assert found_in(other) == []
            ask(other, one)  # the address is that of the whole conversation again
            expect(other.locator(ANSWERS)).to_have_count(7)
            expect(other).to_have_url(first)

    @IN_BOTH
    @pytest.mark.parametrize(
        "told", ["c=0123456789ab", 'c=%22%5D<img src=x onerror="window.pwned=1">', "c=%E0%A4"]
    )
    def test_of_no_conversation_is_told(
        self, look: Open, tmp_path: Path, locale: str, told: str
    ) -> None:
        says = {"ar": "ليست هذه المحادثة في متصفحك", "en": "This conversation is not in your"}
        with opened(look, tmp_path, locale) as (page, url):
            first = ""
            for count in (0, 1):  # of conversations that are kept
                page.goto("about:blank")
                page.goto(f"{url}/#{told}&a=1")
                expect(page.locator(".rw-notice")).to_contain_text(says[locale])
                expect(page).to_have_url(first if count else f"{url}/#ask")
                expect(asked(page)).to_have_count(count)
                if not count:
                    assert found_in(page) == []
                    first = converse(page, QUESTIONS[locale][0])
            page.goto(f"{first}&a=9")
            none = {"ar": "ليس في هذه المحادثة جواب", "en": "This conversation has no answer"}
            expect(page.locator(".rw-notice")).to_contain_text(none[locale])
            expect(asked(page)).to_have_text([QUESTIONS[locale][0]])

    def test_nothing_is_asked_before_what_was_kept_is_there(
        self, look: Open, tmp_path: Path
    ) -> None:
        held: list[Route] = []
        first, second, _ = QUESTIONS["en"]
        with opened(look, tmp_path, "en") as (page, _):
            converse(page, first)
            page.route("**/run/**", lambda route: held.append(route))
            page.reload()
            box = page.locator("#rawi-question textarea")
            with page.expect_request("**/run/**"):
                box.wait_for()
            expect(box).to_be_disabled()
            while held:
                held.pop().continue_()
            page.unroute("**/run/**")
            ask(page, second)
            expect(page.locator(ANSWERS)).to_have_count(2)
            expect(asked(page)).to_have_text([first, second])

    def test_an_answer_on_its_way_is_not_left(self, look: Open, tmp_path: Path) -> None:
        with served(engine(tmp_path, model=SlowLLM(replies=deque(), words=4_000))) as url:
            page = look(url).page
            for question in (QUESTION, f"{QUESTION} {QUESTION}"):
                ask(page, question)
                expect(page.locator(".rw-busy")).to_have_count(1)
                page.keyboard.press("Escape")
                expect(page.locator(".rw-busy")).to_have_count(0)
                if question == QUESTION:
                    page.locator("[data-act=new]").click()
                    expect(page.locator(".rw-message")).to_have_count(0)
            second = page.url
            page.locator("[data-act=retry]").last.click()
            expect(page.locator(".rw-busy")).to_have_count(1)
            page.go_back()
            expect(page).to_have_url(second)
            expect(page.locator(".rw-busy")).to_have_count(1)
            page.locator("#rawi-stop").click()


class TestList:
    @IN_BOTH
    def test_is_searched_whatever_the_marks_and_the_shape_of_letters(
        self, look: Open, tmp_path: Path, locale: str, picture: Keep
    ) -> None:
        one, two, three = QUESTIONS[locale]
        with opened(look, tmp_path, locale) as (page, _):
            expect(page.locator(".rw-find")).to_have_count(0)
            converse(page, one)
            converse(page, two, three)
            name = {"ar": "ابحث في المحادثات", "en": "Search the conversations"}[locale]
            field = page.get_by_role("searchbox", name=name)
            expect(field).to_have_attribute("placeholder", name)
            picture(page, "conversations", locale)
            rows = page.locator(".rw-conversations li:visible")
            count = page.locator(".rw-find + p bdi")
            for words, found in {
                "ar": [("الاول؟", [one]), ("مَنْ بَنَىٰ", [two]), ("٢٠٠١", [one, two])],
                "en": [("CAFE TOWER BUILT", [one]), ("who", [two]), ("٢٠٠١", [one, two])],
            }[locale]:
                field.fill(words)
                expect(count).to_have_text(str(len(found)))
                expect(rows).to_have_count(len(found))
                for question in found:
                    first = two if question == two else one
                    expect(rows.filter(has_text=first)).to_have_count(1)
            assert found_in(page) == []
            field.fill("xyz")
            expect(rows).to_have_count(0)
            expect(count).to_have_text("0")
            page.keyboard.press("Escape")
            expect(field).to_have_value("")
            expect(rows).to_have_count(2)

    @IN_BOTH
    def test_names_and_clearing_with_undo_by_keyboard(
        self, look: Open, tmp_path: Path, locale: str
    ) -> None:
        one, two, _ = QUESTIONS[locale]
        rename = {"ar": "غيّر الاسم", "en": "Rename"}[locale]
        clear = {"ar": "امسح", "en": "Clear"}[locale]
        name = {"ar": "برج <b>Eiffel</b>", "en": "My <b>tower</b>"}[locale]
        with opened(look, tmp_path, locale) as (page, _):
            converse(page, one)
            second = converse(page, two)
            row = page.locator(".rw-conversations li").nth(1)  # not the open one
            expect(row).to_contain_text(one)
            row.locator(".rw-conversation").focus()
            page.keyboard.press("Tab")
            named = row.get_by_role("button", name=re.compile(f"^{rename}.*{re.escape(one)}"))
            expect(named).to_be_focused()
            page.keyboard.press("Enter")
            field = row.get_by_role("textbox")
            expect(field).to_be_focused()
            assert found_in(page) == []
            page.keyboard.press("Escape")
            expect(named).to_be_focused()
            page.keyboard.press("Enter")
            page.keyboard.type(f"  {name}")
            page.keyboard.press("Enter")
            expect(row.locator(".rw-conversation")).to_have_text(name)
            expect(page).to_have_url(second)
            expect(row.locator("[data-act=name]")).to_be_focused()
            page.reload()
            expect(row.locator(".rw-conversation")).to_have_text(name)
            row.locator("[data-act=name]").focus()
            page.keyboard.press("Tab")
            expect(
                row.get_by_role("button", name=re.compile(f"^{clear}.*{name[:4]}"))
            ).to_be_focused()
            page.keyboard.press("Enter")
            expect(page.locator(".rw-conversation")).to_have_count(1)
            expect(asked(page)).to_have_text([two])  # and that is still open
            undo = page.locator("[data-act=restore]")
            expect(undo).to_be_focused()
            assert found_in(page) == []
            page.keyboard.press("Enter")
            expect(page.locator(".rw-conversation").first).to_have_text(name)
            expect(asked(page)).to_have_text([two])
            expect(page).to_have_url(second)


class TestKeys:
    @IN_BOTH
    def test_slash_goes_to_the_question_and_up_brings_back_the_last(
        self, look: Open, tmp_path: Path, locale: str
    ) -> None:
        one, two, _ = QUESTIONS[locale]
        with opened(look, tmp_path, locale) as (page, _):
            box = page.locator("#rawi-question textarea")
            expect(box).to_be_focused()
            page.keyboard.press("ArrowUp")  # there is none yet
            converse(page, one, two)
            page.locator("#rawi-messages").focus()
            page.keyboard.press("/")
            expect(box).to_be_focused()
            expect(box).to_have_value("")
            page.keyboard.type("1/2")
            page.keyboard.press("ArrowUp")
            expect(box).to_have_value("1/2")
            box.fill("")
            page.keyboard.press("ArrowUp")
            expect(box).to_have_value(two)
            expect(page.locator(".rw-note .rw-" + locale)).to_be_visible()
            box.fill(one)
            page.keyboard.press("Enter")
            expect(asked(page)).to_have_text([one, one])
            expect(page.locator(ANSWERS)).to_have_count(2)
            page.locator("[data-view=documents]").click()
            key = {"ar": "ظ", "en": "/"}[locale]
            page.locator("body").dispatch_event("keydown", {"key": key, "bubbles": True})
            expect(box).to_be_focused()
            keys = {"ar": "اختصارات لوحة المفاتيح", "en": "Keyboard shortcuts"}[locale]
            page.get_by_text(keys).click()
            expect(page.locator(".rw-keys dl")).to_be_visible()
            assert found_in(page) == []
            page.get_by_role("checkbox").uncheck()  # speech is written as keys by some
            page.reload()
            expect(asked(page)).to_have_text([one, one])
            expect(box).to_be_focused()
            page.locator("#rawi-messages").focus()
            page.keyboard.press("/")
            expect(box).not_to_be_focused()

    @IN_BOTH
    def test_escape_closes_the_article_then_the_list_then_stops(
        self, look: Open, tmp_path: Path, locale: str
    ) -> None:
        slow = SlowLLM(replies=deque(), words=4_000)
        with served(engine(tmp_path, model=slow)) as url:
            page = look(url, locale=locale, width=1000).page
            ask(page, QUESTION)
            busy = page.locator(".rw-busy")
            expect(busy).to_have_count(1)
            page.locator("#rawi-evidence .rw-quote").click()
            expect(page.locator("#rawi-source mark")).to_be_visible()
            page.locator(".rw-header [data-act=side]").click()
            expect(page.locator("#rawi-side")).to_be_visible()
            page.keyboard.press("Escape")
            expect(page.locator("#rawi-source mark")).to_have_count(0)
            expect(page.locator("#rawi-side")).to_be_visible()
            page.keyboard.press("Escape")
            expect(page.locator("#rawi-side")).to_be_hidden()
            expect(page.locator(".rw-header [data-act=side]")).to_be_focused()
            expect(busy).to_have_count(1)
            page.keyboard.press("Escape")
            expect(busy).to_have_count(0)
            stopped = {"ar": "أوقفتَ الجواب.", "en": "You stopped the answer."}[locale]
            expect(page.locator(".rw-turn-assistant .rw-note .rw-" + locale)).to_have_text(stopped)
