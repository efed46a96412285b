"""A first visit, task by task as docs/first-visit.md has it: Chromium, a real server, real weights.

Each task begins where the one before ended, as a reader's would; none may lead nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import ROOT, Open, Site
from tests.ui.serving import until
from tests.ui.test_browser import AR, EN, answer

pytestmark = [pytest.mark.weights, pytest.mark.browser]

WALK = ROOT / "docs" / "first-visit.md"
HEADINGS = {"ar": "## العربية", "en": "## English"}
OTHER = {"ar": EN, "en": AR}
ASKED = {"ar": AR, "en": EN}
LEANING = {"ar": "ومتى أُعلن ذلك؟", "en": "And when was that announced?"}
NOWHERE = {"ar": "من رسم لوحة الموناليزا؟", "en": "Who painted the Mona Lisa?"}
HELLO = {"ar": "السلام عليكم", "en": "hello there"}
LIST = {"ar": "ما الوثائق التي لديك؟", "en": "Which documents do you have?"}
SHORT = {"ar": "لخص مقال OpenAI", "en": "Summarise the article about OpenAI"}


def tasks(locale: str) -> list[str]:
    """Return what the walk says of each task, in one language."""
    part = WALK.read_text(encoding="utf-8").split(HEADINGS[locale])[1].split("\n## ")[0]
    return re.findall(r"^\d+\. (.+)$", part, re.MULTILINE)


class Walk:
    """A page, and which task of the walk is being done."""

    def __init__(self, page: Page, locale: str) -> None:
        self.page = page
        self._left = iter(tasks(locale))

    @contextmanager
    def task(self) -> Iterator[None]:
        """Do the next task; a failure says which."""
        told = next(self._left)
        try:
            yield
        except AssertionError as exc:
            raise AssertionError(f"{told}: {exc}") from exc
        expect(self.page.locator("[role=alert]:visible")).to_have_count(0)

    def ended(self) -> bool:
        """Tell whether there is no other task."""
        return next(self._left, None) is None

    @property
    def last(self) -> Locator:
        """The last answer."""
        return self.page.locator(".rw-assistant:not(.rw-busy)").last

    @property
    def offered(self) -> Locator:
        """What the last answer offers to be asked."""
        return self.page.locator(".rw-turn-assistant").last.locator("[data-act=near]")

    def clicked(self, button: Locator) -> None:
        """Ask by a click, and wait for the whole answer."""
        said = self.page.locator(".rw-assistant:not(.rw-busy)")
        before = said.count()
        button.click()
        expect(said).to_have_count(before + 1, timeout=120_000)


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_a_first_visit_takes_no_dead_end(visit: Open, site: Site, locale: str) -> None:
    page = visit(locale=locale).page
    walk = Walk(page, locale)
    welcome, source = page.locator(".rw-welcome"), page.locator("#rawi-source")
    box = page.locator("#rawi-question textarea")

    with walk.task():  # what is here
        expect(welcome).to_contain_text("3")
    with walk.task():  # look into a document
        welcome.locator("[data-act=open]").first.click()
        expect(source.locator(".rw-article")).to_be_visible()
        page.keyboard.press("Escape")
        expect(source.locator(".rw-article")).to_have_count(0)
    with walk.task():  # an example
        walk.clicked(welcome.locator(f".rw-example[lang={locale}]").first)
        expect(walk.last.locator("[data-citation]").first).to_be_visible()
    with walk.task():  # one's own question
        assert "30" in answer(page, ASKED[locale])
    cited = walk.last.locator("[data-citation='1']")
    with walk.task():  # what a citation says
        cited.hover()
        expect(page.locator("#rawi-card q")).to_be_visible()
        page.mouse.move(5, 5)
    with walk.task():  # where it stands
        cited.click()
        expect(source.locator("mark")).to_be_in_viewport()
        page.keyboard.press("Escape")
        expect(source.locator("mark")).to_have_count(0)
    with walk.task():  # the other language
        assert "30" in answer(page, OTHER[locale])
        expect(walk.last).to_have_attribute("lang", "ar" if locale == "en" else "en")
    with walk.task():  # a follow-up
        answer(page, LEANING[locale])
        expect(walk.last.locator("[data-citation]").first).to_be_visible()
    with walk.task():  # what isn't here
        answer(page, NOWHERE[locale])
        expect(walk.last).to_have_attribute("data-how", "refused")
    with walk.task():  # and what is, instead
        walk.clicked(walk.offered.first)
        expect(walk.last).not_to_have_attribute("data-how", "refused")
    with walk.task():  # what else bears on it
        page.locator("#rawi-evidence .rw-quote").first.click()
        expect(source.locator("mark")).to_be_in_viewport()
        page.keyboard.press("Escape")
        expect(source.locator("mark")).to_have_count(0)
    with walk.task():  # one document alone
        page.locator("#rawi-scope .rw-chip").click()
        chosen = page.locator("#rawi-picker [data-doc]").first
        chosen.check()
        doc = chosen.get_attribute("data-doc") or ""
        page.keyboard.press("Escape")
        answer(page, NOWHERE[locale])
        asked = page.locator("#rawi-evidence [data-doc]").all()
        assert {row.get_attribute("data-doc") for row in asked} == {doc}
        page.locator("#rawi-scope [data-act=all]").click()
        expect(page.locator("#rawi-scope [data-act=all]")).to_have_count(0)
    with walk.task():  # a greeting
        assert ("راوي" if locale == "ar" else "Rawi") in answer(page, HELLO[locale])
    with walk.task():  # the list
        assert "3" in answer(page, LIST[locale])
    with walk.task():  # a summary
        answer(page, SHORT[locale])
        expect(walk.last.locator("[data-citation='2']").first).to_be_visible()
    with walk.task():  # ask otherwise
        box.focus()
        page.keyboard.press("ArrowUp")
        expect(box).to_have_value(SHORT[locale])
        box.fill(ASKED[locale])
        box.press("Enter")
        expect(page.locator(".rw-user .rw-text").last).to_have_text(ASKED[locale])
        expect(walk.last).to_contain_text("30 ", timeout=120_000)
    with walk.task():  # say what it was worth
        before = ratings(site)
        page.locator("[data-act=rate][data-rating=up]").last.click()
        assert until(lambda: ratings(site) == before + 1, 10)
    with walk.task():  # take it along
        with page.expect_download() as download:
            page.locator("[data-act=export][data-kind=md]").click()
        taken = download.value.path().read_text(encoding="utf-8")
        assert AR in taken
        assert EN in taken
    with walk.task():  # begin anew, and come back
        page.locator("#rawi-side [data-act=new]").click()
        expect(page.locator(".rw-message")).to_have_count(0)
        expect(page).to_have_url(re.compile("#ask$"))  # until then, back leads out
        page.go_back()
        expect(page.locator(".rw-message").first).to_be_visible()
    with walk.task():  # the other language of the page
        page.locator("#rawi-language").click()
        expect(page.locator("html")).to_have_attribute("lang", "en" if locale == "ar" else "ar")
        expect(page.locator(".rw-message").first).to_be_visible()
    assert walk.ended()


def ratings(site: Site) -> int:
    """Return how many ratings are written down."""
    path = site.storage / "feedback.jsonl"
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0
