"""The widget as it stands in other people's pages: Chromium, a real server, the real weights."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from rag.language import clean
from tests.ui.conftest import Hosts, Keep, Site
from tests.ui.hosts import HOSTILE_CSS, Host
from tests.ui.test_accessibility import found_in
from tests.ui.test_browser import AR, EN
from ui import widget

pytestmark = [pytest.mark.weights, pytest.mark.browser]

expect.set_options(timeout=30_000)

ARTICLE = "<h1>{title}</h1>" + "<p>{line}</p>" * 6
STRICT = (
    "default-src 'none'; script-src {rawi} 'nonce-abc'; connect-src {rawi}; frame-src {rawi};"
    " style-src 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
)
# Everything that happens, in order, and what the page's policy forbade.
LISTEN = """<script nonce="abc">
  window.happened = [];
  document.addEventListener("securitypolicyviolation",
    (event) => happened.push("forbidden " + event.violatedDirective + " " + event.blockedURI));
  document.addEventListener("rawi:loaded", () => {
    for (const type of ["open", "close", "ready", "ask", "error"])
      rawi.on(type, (event) => happened.push(type));
  });
</script>"""


@dataclass
class Seen:
    """A host's page that is open."""

    page: Page
    context: BrowserContext
    requests: list[str]
    console: list[str]

    @property
    def launcher(self):
        return self.page.locator("rawi-widget .launcher")

    @property
    def panel(self):
        return self.page.locator("rawi-widget .panel")

    @property
    def chat(self) -> FrameLocator:
        return self.page.frame_locator("rawi-widget iframe")

    def ask(self, question: str) -> None:
        self.chat.locator("#rawi-question textarea").fill(question)
        self.chat.locator("#rawi-send").click()


Look = Callable[..., Seen]


@pytest.fixture
def look(browser: Browser, site: Site) -> Iterator[Look]:
    """Open a host's page that embeds the widget: ``look(host, body=…, width=390)``."""
    contexts: list[BrowserContext] = []

    def open_(
        host: Host, html: str, *, locale: str = "en", width: int = 1280, height: int = 800
    ) -> Seen:
        host.pages["/"] = html
        context = browser.new_context(
            locale=locale, viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        context.set_default_timeout(60_000)
        page = context.new_page()
        seen = Seen(page, context, [], [])
        context.on("request", lambda request: seen.requests.append(request.url))
        page.on("console", lambda message: seen.console.append(message.text))
        page.goto(f"{host.origin}/")
        contexts.append(context)
        return seen

    yield open_
    for context in contexts:
        assert context.cookies() == []
        context.close()


def html(
    site: Site, *, language: str = "en", direction: str = "ltr", head: str = "", **data: str
) -> str:
    """Return a host's page with the one script tag."""
    attributes = "".join(f' data-{name}="{value}"' for name, value in data.items())
    article = {
        "ar": ARTICLE.format(title="صحيفة المدينة", line="خبر من أخبار اليوم. " * 12),
        "en": ARTICLE.format(title="The Daily Page", line="A piece of the day's news. " * 12),
    }[language]
    return (
        f'<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>Host</title>{head}'
        f'<script src="{site.url}/widget.js"{attributes} async></script></head>'
        f"<body><main>{article}</main></body></html>"
    )


class TestOnAnArabicPageWithAHostileStylesheet:
    def page(self, look: Look, hosts: Hosts, site: Site) -> Seen:
        head = f"<style>{HOSTILE_CSS}</style>"
        return look(hosts.arabic, html(site, language="ar", direction="rtl", head=head))

    def test_opens_asks_and_cites(self, look: Look, hosts: Hosts, site: Site) -> None:
        seen = self.page(look, hosts, site)
        expect(seen.launcher).to_have_attribute("aria-label", "افتح المحادثة")
        box = seen.launcher.bounding_box()
        assert box is not None
        assert box["x"] < 100  # mirrored
        assert (box["width"], box["height"]) == (56, 56)
        # Nothing but the page and the script, until it is opened.
        assert seen.requests == [f"{hosts.arabic.origin}/", f"{site.url}/widget.js"]
        seen.launcher.click()
        expect(seen.chat.locator("html")).to_have_attribute("dir", "rtl")
        seen.ask(AR)
        cited = seen.chat.locator(".rw-text [data-citation='1']")
        expect(cited).to_be_visible(timeout=120_000)
        cited.click()
        mark = seen.chat.locator("#rawi-source mark")
        expect(mark).to_be_in_viewport()
        doc = str(cited.get_attribute("data-doc"))
        start, end = (int(mark.get_attribute(f"data-{of}") or -1) for of in ("start", "end"))
        text = clean((site.corpus / doc).read_text(encoding="utf-8")).strip()
        assert mark.text_content() == text[start:end]
        assert "30 مليار" in text[start:end]

    def test_its_own_looks_stay(self, look: Look, hosts: Hosts, site: Site) -> None:
        seen = self.page(look, hosts, site)
        seen.launcher.click()
        expect(seen.panel.locator("h2")).to_have_text("اسأل وثائقنا")
        expect(seen.panel.locator("h2")).to_have_css("font-size", "16px")
        expect(seen.panel.locator("h2")).to_have_css("text-transform", "none")
        expect(seen.panel.locator("h2")).to_have_css("letter-spacing", "normal")
        expect(seen.panel).to_have_css("cursor", "auto")
        host = seen.page.locator("rawi-widget")
        for name, value in {"opacity": "1", "visibility": "visible", "filter": "none"}.items():
            expect(host).to_have_css(name, value)

    def test_the_pages_looks_stay(self, look: Look, hosts: Hosts, site: Site) -> None:
        looks = """() => [...document.querySelectorAll("html, body, h1, p")].map((element) => {
            const style = getComputedStyle(element);
            return [...style].map((name) => name + style.getPropertyValue(name)).join();
        }).concat(document.styleSheets.length, document.head.children.length)"""
        seen = look(hosts.arabic, html(site, language="ar", direction="rtl"))
        seen.launcher.click()
        expect(seen.chat.locator("#rawi-question textarea")).to_be_visible()
        inside = seen.page.evaluate(looks)
        seen.page.evaluate("rawi.remove()")
        assert seen.page.evaluate(looks) == inside
        names = "() => Object.keys(window).filter((name) => /rawi|widget/i.test(name))"
        assert seen.page.evaluate(names) == ["rawi"]


class TestUnderAStrictPolicy:
    def test_opens_asks_and_cites(self, look: Look, hosts: Hosts, site: Site) -> None:
        hosts.strict.policy = STRICT.format(rawi=site.url)
        seen = look(hosts.strict, html(site, head=LISTEN, title="Ask <b>us</b>", accent="#7a1f5c"))
        expect(seen.launcher).to_be_visible()
        seen.page.evaluate("question => rawi.ask(question)", EN)
        expect(seen.panel.locator("h2")).to_have_text("Ask <b>us</b>")
        expect(seen.panel.locator("header")).to_have_css("background-color", "rgb(122, 31, 92)")
        expect(seen.chat.locator(".rw-user .rw-text")).to_have_text(EN)
        cited = seen.chat.locator(".rw-text [data-citation='1']")
        expect(cited).to_be_visible(timeout=120_000)
        assert "30 billion" in seen.chat.locator(".rw-assistant .rw-text").inner_text()
        expect(seen.chat.locator(".rw-sources .rw-tag .rw-en").first).to_have_text("in Arabic")
        assert seen.page.evaluate("happened") == ["open", "ready", "ask"]

    def test_two_questions_are_asked_one_after_the_other(
        self, look: Look, hosts: Hosts, site: Site
    ) -> None:
        hosts.strict.policy = STRICT.format(rawi=site.url)
        seen = look(hosts.strict, html(site, head=LISTEN))
        expect(seen.launcher).to_be_visible()
        seen.page.evaluate("questions => questions.forEach((q) => rawi.ask(q))", [AR, EN])
        expect(seen.chat.locator(".rw-user .rw-text")).to_have_text([AR, EN], timeout=120_000)


class TestOnASiteThatIsNotAllowed:
    def test_no_chat_is_opened(self, look: Look, hosts: Hosts, site: Site) -> None:
        seen = look(hosts.foreign, html(site, head=LISTEN))
        seen.launcher.click()
        expect(seen.panel.locator(".status")).to_contain_text("could not be opened")
        expect(seen.page.locator("rawi-widget iframe")).to_have_count(0)
        asked = f"{site.url}/widget/ticket"
        assert asked in seen.requests
        headers = {"Origin": hosts.foreign.origin}
        assert httpx.post(asked, headers=headers).status_code == 403  # by the server
        assert any("blocked by CORS" in line for line in seen.console)  # and by the browser
        assert any("widget.allowed_origins" in line for line in seen.console)
        assert seen.page.evaluate("happened") == ["open", "error"]

    def test_nor_with_the_ticket_of_another(self, look: Look, hosts: Hosts, site: Site) -> None:
        headers = {"Origin": hosts.arabic.origin}
        reply = httpx.post(f"{site.url}/widget/ticket", headers=headers)
        frame = f'<iframe src="{site.url}/embed?ticket={reply.json()["ticket"]}"></iframe>'
        seen = look(hosts.foreign, f"<!doctype html><body>{frame}</body>")
        expect(seen.page.frame_locator("iframe").locator("#rawi-question")).to_have_count(0)
        seen.page.wait_for_load_state("networkidle")
        assert any("frame-ancestors" in line for line in seen.console)

    def test_nor_the_page_itself_framed(self, look: Look, hosts: Hosts, site: Site) -> None:
        seen = look(hosts.arabic, f'<!doctype html><iframe src="{site.url}/"></iframe>')
        seen.page.wait_for_load_state("networkidle")
        expect(seen.page.frame_locator("iframe").locator("#rawi-question")).to_have_count(0)
        assert any("frame-ancestors" in line for line in seen.console)


class TestPagesThatChange:
    def test_embedded_twice(self, look: Look, hosts: Hosts, site: Site) -> None:
        again = f'<script src="{site.url}/widget.js"></script>'
        seen = look(hosts.arabic, html(site, head=again + LISTEN).replace("</main>", again))
        expect(seen.page.locator("rawi-widget")).to_have_count(1)
        seen.launcher.click()
        expect(seen.chat.locator("#rawi-question textarea")).to_be_visible()

    def test_loaded_late(self, look: Look, hosts: Hosts, site: Site) -> None:
        seen = look(hosts.arabic, "<!doctype html><body><p>Later.</p></body>")
        seen.page.evaluate(
            """(src) => document.head.append(Object.assign(document.createElement("script"),
                { src, async: true }))""",
            f"{site.url}/widget.js",
        )
        seen.launcher.click()
        expect(seen.chat.locator("#rawi-question textarea")).to_be_visible()

    def test_a_single_page_app_that_draws_itself_anew(
        self, look: Look, hosts: Hosts, site: Site
    ) -> None:
        seen = look(hosts.arabic, html(site))
        seen.launcher.click()
        expect(seen.chat.locator("#rawi-question textarea")).to_be_visible()
        for change in (
            "document.body.innerHTML = '<p>Another view.</p>'",
            "document.body = document.createElement('body')",
            "history.pushState({}, '', '/elsewhere'); document.body.replaceChildren()",
        ):
            seen.page.evaluate(change)
            expect(seen.page.locator("rawi-widget")).to_have_count(1)
            expect(seen.panel).to_be_hidden()
            seen.launcher.click()
            expect(seen.chat.locator("#rawi-question textarea")).to_be_visible()
        seen.page.evaluate("rawi.remove(); document.body.append('x')")
        expect(seen.page.locator("rawi-widget")).to_have_count(0)
        seen.page.evaluate("rawi.attach(); rawi.open()")
        expect(seen.chat.locator("#rawi-question textarea")).to_be_visible()

    def test_the_language_that_the_page_says(self, look: Look, hosts: Hosts, site: Site) -> None:
        for page, direction, data, says in (
            ('<html lang="ar"', "rtl", {}, "افتح المحادثة"),
            ('<html lang="ar-EG"', "ltr", {"lang": "auto"}, "افتح المحادثة"),
            ("<html", "rtl", {}, "افتح المحادثة"),
            ('<html lang="fr"', "ltr", {}, "Open the chat"),
            ('<html lang="en"', "ltr", {"lang": "ar"}, "افتح المحادثة"),
            ('<html lang="ar"', "rtl", {"lang": "en"}, "Open the chat"),
        ):
            tag = html(site, direction=direction, **data).replace('<html lang="en"', page)
            seen = look(hosts.arabic, tag)
            expect(seen.launcher).to_have_attribute("aria-label", says)
            seen.launcher.click()
            expected = "ar" if "فتح" in says else "en"
            expect(seen.chat.locator("html")).to_have_attribute("lang", expected)


class TestReachingIt:
    def test_by_keyboard(self, look: Look, hosts: Hosts, site: Site) -> None:
        seen = look(hosts.arabic, html(site))
        expect(seen.launcher).to_be_visible()
        keyboard = seen.page.keyboard
        keyboard.press("Tab")
        expect(seen.launcher).to_be_focused()
        expect(seen.launcher).to_have_attribute("aria-expanded", "false")
        keyboard.press("Enter")
        expect(seen.panel).to_have_attribute("role", "dialog")
        expect(seen.chat.locator("#rawi-question textarea")).to_be_focused()
        # Round and round, and never out onto the page. The focus is nowhere for the moment that it
        # takes to cross into the frame, which is another process.
        inside = "document.activeElement.localName === 'rawi-widget'"
        for key in ["Tab"] * 25 + ["Shift+Tab"] * 25:
            keyboard.press(key)
            seen.page.wait_for_function(inside)
        seen.chat.locator("#rawi-question textarea").focus()
        keyboard.press("Escape")
        expect(seen.panel).to_be_hidden()
        expect(seen.launcher).to_be_focused()
        expect(seen.launcher).to_have_attribute("aria-expanded", "false")
        keyboard.press("Enter")
        seen.panel.get_by_role("button", name="Close the chat").focus()
        keyboard.press("Escape")
        expect(seen.panel).to_be_hidden()

    def test_what_was_said_is_there_when_opened_again(
        self, look: Look, hosts: Hosts, site: Site
    ) -> None:
        seen = look(hosts.arabic, html(site))
        seen.launcher.click()
        seen.ask(AR)
        expect(seen.chat.locator(".rw-text [data-citation='1']")).to_be_visible(timeout=120_000)
        seen.panel.get_by_role("button", name="Close the chat").click()
        expect(seen.panel).to_be_hidden()
        seen.launcher.click()
        expect(seen.chat.locator(".rw-user .rw-text")).to_have_text(AR)

    def test_on_a_phone_it_takes_the_screen(self, look: Look, hosts: Hosts, site: Site) -> None:
        seen = look(hosts.arabic, html(site, language="ar", direction="rtl"), width=390, height=780)
        seen.launcher.click()
        expect(seen.chat.locator("#rawi-question textarea")).to_be_visible()
        assert seen.panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 780}
        expect(seen.launcher).to_be_hidden()
        seen.panel.get_by_role("button", name="أغلق المحادثة").click()
        expect(seen.launcher).to_be_visible()

    @pytest.mark.parametrize(("lang", "direction"), [("ar", "rtl"), ("en", "ltr")])
    def test_axe_finds_nothing_serious(
        self, look: Look, hosts: Hosts, site: Site, lang: str, direction: str
    ) -> None:
        seen = look(hosts.arabic, html(site, language=lang, direction=direction))
        expect(seen.launcher).to_be_visible()
        assert found_in(seen.page) == []
        seen.launcher.click()
        expect(seen.chat.locator("#rawi-question textarea")).to_be_visible()
        assert found_in(seen.page) == []

    @pytest.mark.parametrize(
        ("lang", "direction", "question"), [("ar", "rtl", AR), ("en", "ltr", EN)]
    )
    def test_picture(
        self, look: Look, hosts: Hosts, site: Site, lang: str, direction: str, question: str,
        picture: Keep,
    ) -> None:  # fmt: skip
        seen = look(
            hosts.arabic, html(site, language=lang, direction=direction), width=1000, height=760
        )
        seen.launcher.click()
        seen.ask(question)
        cited = seen.chat.locator(".rw-text [data-citation='1']")
        expect(cited).to_be_visible(timeout=120_000)
        picture(seen.page, "widget", lang)
        cited.click()
        expect(seen.chat.locator("#rawi-source mark")).to_be_in_viewport()
        picture(seen.page, "widget-source", lang)


def test_the_script_is_small() -> None:
    assert len(gzip.compress(widget.script_text().encode())) <= 10_000


def test_an_opened_widget_that_expired_opens_anew(look: Look, hosts: Hosts, site: Site) -> None:
    seen = look(hosts.arabic, html(site))
    seen.launcher.click()
    expect(seen.chat.locator("#rawi-question textarea")).to_be_visible()
    seen.panel.get_by_role("button", name="Close the chat").click()
    seen.page.evaluate("Date.now = () => new Date().getTime() + 9 * 3600 * 1000")
    with seen.page.expect_response("**/widget/ticket") as again:
        seen.launcher.click()
    assert json.loads(again.value.text())["session_s"] == 28_800
    expect(seen.chat.locator("#rawi-question textarea")).to_be_visible()
