"""The page in both languages, light and dark, wide and narrow: ``make screenshots`` keeps them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Open
from tests.ui.test_browser import AR, EN, answer

pytestmark = [pytest.mark.weights, pytest.mark.browser]

MOST_BYTES = 200_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(os.environ.get("SCREENSHOTS", tmp_path))


@pytest.mark.parametrize(
    ("locale", "dark", "width", "height", "question"),
    [
        ("ar", False, 1280, 760, AR),
        ("en", False, 1280, 760, EN),
        ("ar", True, 1280, 760, EN),
        ("en", True, 390, 780, EN),
        ("ar", False, 390, 780, AR),
    ],
)
def test_chat(
    visit: Open, folder: Path, locale: str, dark: bool, width: int, height: int, question: str
) -> None:
    page = visit(locale=locale, width=width, height=height, dark=dark).page
    answer(page, question)
    if width > 1000:
        page.locator(".rw-text [data-citation='1']").click()
        expect(page.locator("#rawi-source mark")).to_be_in_viewport()
    kind = "-".join(
        ["chat", locale, "dark" if dark else "light", "wide" if width > 1000 else "phone"]
    )
    page.screenshot(path=folder / f"{kind}.png")
    assert (folder / f"{kind}.png").stat().st_size < MOST_BYTES


@pytest.mark.parametrize("locale", ["ar", "en"])
@pytest.mark.parametrize("view", ["ask", "documents"])
def test_other_views(visit: Open, folder: Path, locale: str, view: str) -> None:
    page = visit(locale=locale, height=760).page
    page.locator(f".rw-tab[data-view={view}]").click()
    name = {"ask": "beginning"}.get(view, view)
    path = folder / f"{name}-{locale}.png"
    page.screenshot(path=path)
    assert path.stat().st_size < MOST_BYTES
