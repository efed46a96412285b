"""The chat within another site's page: Chromium before a real server over doubles."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from rag.engine import Engine
from tests.ui.conftest import Keep
from tests.ui.hosts import hosted
from tests.ui.serving import SlowLLM, engine, quoting, served
from tests.ui.test_accessibility import found_in
from tests.ui.test_browser import ask

pytestmark = pytest.mark.browser

IN_BOTH = pytest.mark.parametrize("locale", ["ar", "en"])

# Where a site says that it is light.
LIGHT = {
    "data-theme": "dataset.theme",
    "style": "style.colorScheme",
    "data-bs-theme": "dataset.bsTheme",
}
QUESTION = {"ar": "ماذا جرى؟", "en": "What happened?"}
LONG = {
    "ar": "بدأ العمل في الميناء القديم صباحًا. " + "ثم نقل العمال الحجارة واحدًا بعد آخر، " * 14,
    "en": "Work in the old harbour began at dawn. " + "Then stones were moved, one by one, " * 14,
}


@contextmanager
def opened(
    browser: Browser,
    storage: Path,
    locale: str,
    width: int = 1280,
    height: int = 800,
    root: str = "",
    model: SlowLLM | None = None,
    **data: str,
) -> Iterator[tuple[Page, Frame]]:
    """Open a site's page and the widget on it; its one document is long, unless a model answers.

    :param root: Attributes of the site's ``<html>``.
    :param data: Of the script.
    """

    def ready(widget: dict[str, Any]) -> Engine:
        if model is not None:
            return engine(storage, model=model, widget=widget)
        text = LONG[locale].strip()
        return quoting(storage, text, widget=widget, answer={"max_words": 200})

    with (
        hosted("127.0.0.1") as host,
        served(ready({"allowed_origins": [host.origin]})) as rawi,
        browser.new_context(viewport={"width": width, "height": height}) as context,
    ):
        said = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
        script = f'<script src="{rawi}/widget.js" data-lang="{locale}"{said} async></script>'
        host.pages["/"] = f"<!doctype html><html lang=en {root}><p>A site.</p>{script}</html>"
        page = context.new_page()
        page.goto(f"{host.origin}/")
        page.locator("rawi-widget").wait_for(state="attached")
        with page.expect_event("frameattached") as attached:
            page.evaluate("window.rawi.open()")
        frame: Any = attached.value
        frame.locator("#rawi-question textarea").wait_for()
        yield page, frame


@IN_BOTH
def test_at_200_percent_the_answer_has_room_and_begins_at_its_beginning(
    browser: Browser, tmp_path: Path, locale: str, picture: Keep
) -> None:
    with opened(browser, tmp_path, locale, 640, 400) as (page, frame):
        ask(frame, QUESTION[locale])
        expect(frame.locator(".rw-assistant:not(.rw-busy)")).to_have_count(1)
        seen = frame.locator("#rawi-messages").bounding_box()
        assert seen is not None
        assert seen["height"] >= 200
        user = frame.locator(".rw-user").bounding_box()
        assert user is not None
        assert seen["y"] <= user["y"] < seen["y"] + 60
        assert found_in(frame) == []
        picture(page, "widget-at-200-percent", locale)
        # One thing after the other: the article, then all of it.
        frame.locator(".rw-text [data-citation='1']").click()
        expect(frame.locator("#rawi-source mark")).to_be_focused()
        page.keyboard.press("Escape")
        expect(frame.locator("#rawi-source mark")).to_have_count(0)
        panel = page.locator("rawi-widget .panel")
        expect(panel).to_be_visible()
        frame.locator(".rw-text [data-citation='1']").click()
        expect(frame.locator("#rawi-source mark")).to_be_visible()
        panel.locator("header button").focus()
        page.keyboard.press("Escape")
        expect(frame.locator("#rawi-source mark")).to_have_count(0)
        expect(panel).to_be_visible()
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()


@IN_BOTH
def test_what_was_asked_can_be_cleared(browser: Browser, tmp_path: Path, locale: str) -> None:
    with opened(browser, tmp_path, locale) as (_, frame):
        clear = frame.locator(".rw-header [data-act=clear]")
        expect(clear).to_be_hidden()
        ask(frame, QUESTION[locale])
        expect(frame.locator(".rw-assistant:not(.rw-busy)")).to_have_count(1)
        says = {"ar": "امسح هذه المحادثة", "en": "Clear this conversation"}
        expect(clear).to_have_attribute("title", says[locale])
        clear.click()
        expect(frame.locator(".rw-message")).to_have_count(0)
        frame.locator("[data-act=restore]").click()
        expect(frame.locator(".rw-user .rw-text")).to_have_text(QUESTION[locale])


@IN_BOTH
def test_what_was_cleared_stays_so_when_the_page_is_loaded_again(
    browser: Browser, tmp_path: Path, locale: str
) -> None:
    with opened(browser, tmp_path, locale) as (page, frame):
        ask(frame, QUESTION[locale])
        expect(frame.locator(".rw-assistant:not(.rw-busy)")).to_have_count(1)
        frame.locator(".rw-header [data-act=clear]").click()
        expect(frame.locator("[data-act=restore]")).to_be_visible()
        page.reload()
        page.locator("rawi-widget").wait_for(state="attached")
        with page.expect_event("frameattached") as attached:
            page.evaluate("window.rawi.open()")
        again: Any = attached.value
        expect(again.locator(".rw-tagline")).to_be_visible()
        expect(again.locator(".rw-message, [data-act=restore]")).to_have_count(0)


@IN_BOTH
def test_the_site_greets_in_its_own_words_and_its_questions_are_asked(
    browser: Browser, tmp_path: Path, locale: str, picture: Keep
) -> None:
    words, side = {
        "ar": ("<b>أهلًا بكم في Kuwait Museum</b>", "rtl"),
        "en": ("<b>Welcome to متحف</b>", "ltr"),
    }[locale]
    asks = QUESTION[locale]
    greeting = words + "." * 1_000
    with opened(browser, tmp_path, locale, greeting=greeting, questions=f"{asks}|<i>?</i>") as (
        page,
        frame,
    ):
        said = frame.locator("#rawi-greeting .rw-tagline")
        expect(said).to_have_text(greeting[:300])
        expect(said).to_have_attribute("dir", side)
        expect(frame.locator(".rw-tagline:visible")).to_have_count(1)  # instead of ours
        offered = frame.locator("#rawi-greeting .rw-example")
        expect(offered).to_have_text([asks, "<i>?</i>"])
        assert found_in(frame) == []
        picture(page, "widget-greeting", locale)
        offered.first.click()
        expect(frame.locator(".rw-user .rw-text")).to_have_text(asks)
        expect(frame.locator("#rawi-greeting")).to_be_hidden()
        expect(frame.locator(".rw-assistant:not(.rw-busy)")).to_have_count(1)


@IN_BOTH
@pytest.mark.parametrize(
    "root", ['data-theme="dark"', 'style="color-scheme: dark"', 'data-bs-theme="dark"']
)
def test_it_is_as_dark_as_the_site_and_follows_it(
    browser: Browser, tmp_path: Path, locale: str, root: str
) -> None:
    with opened(browser, tmp_path, locale, root=root) as (page, frame):
        dark, light = "rgb(27, 27, 27)", "rgb(255, 255, 255)"
        panel = page.locator("rawi-widget .panel")
        expect(panel).to_have_css("background-color", dark)  # though the system is light
        expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
        page.evaluate(f"document.documentElement.{LIGHT[root.partition('=')[0]]} = 'light'")
        expect(panel).to_have_css("background-color", light)
        expect(frame.locator("html")).to_have_attribute("data-theme", "light")


@IN_BOTH
def test_escape_first_stops_an_answer(browser: Browser, tmp_path: Path, locale: str) -> None:
    slow = SlowLLM(replies=deque(), words=4_000)
    with opened(browser, tmp_path, locale, model=slow) as (page, frame):
        panel = page.locator("rawi-widget .panel")
        for focus in (frame.locator("#rawi-question textarea"), panel.locator("header button")):
            ask(frame, QUESTION[locale])
            expect(frame.locator(".rw-busy")).to_have_count(1)
            focus.focus()
            page.keyboard.press("Escape")
            expect(frame.locator(".rw-busy")).to_have_count(0)
            expect(panel).to_be_visible()
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
