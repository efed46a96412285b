"""What a first visit looks like over the seeds: ``make pictures`` keeps them.

The other pictures are kept by the tests that reach their states.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Keep, Open
from tests.ui.test_browser import AR, EN, answer

pytestmark = [pytest.mark.weights, pytest.mark.browser, pytest.mark.long]

ASKED = {"ar": AR, "en": EN}
IN_BOTH = pytest.mark.parametrize("locale", ["ar", "en"])


@IN_BOTH
def test_from_the_first_screen_to_a_source(visit: Open, picture: Keep, locale: str) -> None:
    page = visit(locale=locale, height=760).page
    picture(page, "first-screen", locale)
    answer(page, ASKED[locale])
    picture(page, "answer", locale)
    page.locator(".rw-text [data-citation='1']").first.click()
    expect(page.locator("#rawi-source mark")).to_be_in_viewport()
    picture(page, "source", locale)
    page.locator(".rw-tab[data-view=documents]").click()
    expect(page.locator("#rawi-documents tbody tr").first).to_be_visible()
    picture(page, "documents", locale)


@IN_BOTH
def test_on_a_phone(visit: Open, picture: Keep, locale: str) -> None:
    page = visit(locale=locale, width=390, height=760).page
    answer(page, ASKED[locale])
    picture(page, "phone", locale)


@IN_BOTH
def test_in_the_dark(visit: Open, picture: Keep, locale: str) -> None:
    page = visit(locale=locale, height=760, dark=True).page
    answer(page, ASKED[locale])
    picture(page, "dark", locale)
