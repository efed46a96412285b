"""axe-core finds nothing serious in any view, in either language, in light and dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page, expect

from tests.ui.conftest import Open
from tests.ui.test_browser import AR, answer

pytestmark = [pytest.mark.weights, pytest.mark.browser]

GRAVE = ("serious", "critical")


def found_in(page: Page | Frame) -> list[str]:
    """Name every serious or critical violation, and where it is."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    violations = page.evaluate("axe.run().then(found => found.violations)")
    return [
        f"{v['id']}: {node['html'][:150]} {node.get('failureSummary', '')[:200]}"
        for v in violations
        if v["impact"] in GRAVE
        for node in v["nodes"]
    ]


@pytest.mark.parametrize("locale", ["ar", "en"])
@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_no_view_has_a_serious_violation(visit: Open, locale: str, width: int, dark: bool) -> None:
    page = visit(locale=locale, width=width, dark=dark).page
    assert found_in(page) == [], "the beginning"
    answer(page, AR)
    assert found_in(page) == [], "an answer"
    page.locator("[data-act=rate][data-rating=down]").click()
    page.locator(".rw-text [data-citation='1']").click()
    expect(page.locator("#rawi-source mark")).to_be_visible()
    expect(page.locator(".rw-reasons")).to_have_count(1)
    assert found_in(page) == [], "an article"
    page.keyboard.press("Escape")
    for view in ("documents", "quality"):
        page.locator(f"[data-view={view}]").click()
        expect(page.locator(f"#rawi-view-{view} h2")).to_be_visible()
        assert found_in(page) == [], view


@pytest.mark.parametrize(
    ("width", "locale"), [(390, "ar"), (390, "en"), (768, "ar"), (1024, "en"), (1920, "ar")]
)
def test_nothing_is_wider_than_the_screen(visit: Open, width: int, locale: str) -> None:
    page = visit(locale=locale, width=width).page
    answer(page, AR)
    for button in page.locator(".rw-header button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    for view in ("ask", "documents", "quality"):
        page.locator(f".rw-tab[data-view={view}]").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_answer_is_read_out_once_it_is_whole(visit: Open) -> None:
    page = visit(locale="ar").page
    said = answer(page, AR)
    heard = page.locator("body > .rw-hidden[role=status]")
    expect(heard).to_contain_text(said[:40])
    expect(page.locator("#rawi-messages")).to_have_attribute("role", "log")


def test_the_whole_page_is_reached_by_keyboard(visit: Open) -> None:
    page = visit().page
    expect(page.locator("#rawi-question textarea")).to_be_focused()
    for _ in range(20):  # back to the very beginning
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('.rw-skip')"):
            break
    expect(page.locator(".rw-skip")).to_be_focused()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.dataset.act || document.activeElement.id")
            or page.evaluate("document.activeElement.tagName.toLowerCase()")
        )
    assert {"rawi-language", "new", "example", "textarea", "send"} <= reached
