"""The page as readers meet it: Chromium, a real server, the real weights."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from playwright.sync_api import Frame, Page, expect

from rag.language import clean
from tests.ui.conftest import ATTACK, Open, Site

pytestmark = [pytest.mark.weights, pytest.mark.browser]

expect.set_options(timeout=30_000)

AR = "كم ساهمت SoftBank في جولة التمويل؟"
EN = "How much did SoftBank put into the round?"
BRIDGE = "كم يبلغ طول جسر الياسمين؟"


def ask(page: Page | Frame, question: str) -> None:
    page.locator("#rawi-question textarea").fill(question)
    page.locator("#rawi-send").click()


def answer(page: Page, question: str) -> str:
    """Ask, wait for the whole answer, and return it."""
    before = page.locator(".rw-assistant:not(.rw-busy)").count()
    ask(page, question)
    expect(page.locator(".rw-assistant:not(.rw-busy)")).to_have_count(before + 1, timeout=120_000)
    return page.locator(".rw-assistant .rw-text").last.inner_text()


class TestAsking:
    @pytest.mark.parametrize("locale", ["ar", "en"])
    def test_each_example_of_the_first_screen_is_answered_after_the_one_before(
        self, visit: Open, locale: str
    ) -> None:
        page = visit(locale=locale).page
        offered = page.locator(".rw-welcome .rw-example:visible").all_inner_texts()
        assert len(offered) >= 2
        for question in offered:
            answer(page, question)
        expect(page.locator(".rw-assistant[data-how=refused]")).to_have_count(0)
        expect(page.locator(".rw-assistant:has([data-citation])")).to_have_count(len(offered))

    @pytest.mark.parametrize(
        ("locale", "first", "second"),
        [
            ("ar", AR, "من هم المؤسسون والمديرون الذين غادروا OpenAI؟"),
            ("en", EN, "Who are the founders and executives that left OpenAI?"),
        ],
    )
    def test_a_question_that_stands_alone_is_not_read_with_the_one_before(
        self, visit: Open, locale: str, first: str, second: str
    ) -> None:
        page = visit(locale=locale).page
        answer(page, second)
        cited = page.locator(".rw-text [data-citation='1']")
        alone = cited.last.get_attribute("data-start")
        page.locator("#rawi-side [data-act=new]").click()
        expect(page.locator(".rw-message")).to_have_count(0)
        answer(page, first)
        answer(page, second)
        expect(page.locator(".rw-assistant[data-how=refused]")).to_have_count(0)
        assert cited.last.get_attribute("data-start") == alone

    def test_in_arabic(self, visit: Open) -> None:
        page = visit(locale="ar").page
        assert "30 مليار" in answer(page, AR)
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        expect(page.locator("html")).to_have_attribute("lang", "ar")
        for message in page.locator(".rw-message").all():
            expect(message).to_have_attribute("dir", "rtl")
            expect(message).to_have_attribute("lang", "ar")

    def test_in_english_on_an_arabic_page(self, visit: Open) -> None:
        page = visit(locale="ar").page
        assert "30 billion" in answer(page, EN)
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        for message in page.locator(".rw-message").all():
            expect(message).to_have_attribute("dir", "ltr")
            expect(message).to_have_attribute("lang", "en")
        # The quote is Arabic, the answer isn't: that is said.
        expect(page.locator(".rw-sources .rw-tag .rw-ar").first).to_have_text("بالعربية")
        expect(page.locator(".rw-sources q").first).to_have_attribute("dir", "rtl")

    def test_the_evidence_is_there_before_the_answer(self, visit: Open) -> None:
        page = visit().page
        page.evaluate(
            """() => {
                window.before = null; // what there was of the answer when the evidence came
                new MutationObserver(() => {
                    const answer = document.querySelector(".rw-busy .rw-text");
                    const evidence = document.querySelector("#rawi-evidence .rw-evidence li");
                    if (answer && evidence && before === null) before = answer.textContent;
                }).observe(document.body, { subtree: true, childList: true });
            }"""
        )
        ask(page, EN)
        cited = page.locator(".rw-assistant:not(.rw-busy) [data-citation]").first
        expect(cited).to_be_visible(timeout=120_000)
        assert page.evaluate("before") == ""
        assert page.locator("#rawi-evidence q").first.inner_text()

    def test_direction_is_the_messages_not_its_first_letters(self, visit: Open) -> None:
        page = visit().page
        answer(page, "OpenAI و Microsoft: ما العلاقة بينهما؟")
        expect(page.locator(".rw-user")).to_have_attribute("dir", "rtl")

    def test_enter_sends_and_shift_enter_does_not(self, visit: Open) -> None:
        page = visit().page
        box = page.locator("#rawi-question textarea")
        box.fill("من")
        box.press("Shift+Enter")
        assert page.locator(".rw-user").count() == 0
        box.fill(AR)
        box.press("Enter")
        expect(page.locator(".rw-user .rw-text")).to_have_text(AR)

    def test_an_example_asks_itself(self, visit: Open) -> None:
        page = visit(locale="ar").page
        examples = page.locator(".rw-example")
        assert {example.get_attribute("lang") for example in examples.all()} == {"ar", "en"}
        words = page.locator(".rw-example[lang=ar]").first.inner_text()
        page.locator(".rw-example[lang=ar]").first.click()
        expect(page.locator(".rw-user .rw-text")).to_have_text(words)
        expect(page.locator(".rw-assistant [data-citation]").first).to_be_visible()

    def test_a_question_without_an_answer_is_refused(self, visit: Open) -> None:
        page = visit().page
        assert "don't say" in answer(page, "Who painted the Mona Lisa?")
        expect(page.locator(".rw-assistant")).to_have_attribute("data-how", "refused")
        expect(page.locator("#rawi-evidence h2")).to_be_visible()

    def test_a_very_long_question_stays_to_be_shortened(self, visit: Open) -> None:
        page = visit().page
        ask(page, "why " * 1_000)
        expect(page.locator("#rawi-live [role=alert] .rw-en")).to_contain_text("too long")
        assert page.locator("#rawi-question textarea").input_value().startswith("why")
        assert page.locator(".rw-user").count() == 0

    def test_a_third_language_is_turned_away(self, visit: Open) -> None:
        page = visit(locale="ar").page
        ask(page, "Où est la gare la plus proche ?")
        expect(page.locator("#rawi-live [role=alert] .rw-ar")).to_contain_text("العربية")


class TestStopping:
    def test_in_mid_answer(self, visit: Open) -> None:
        page = visit().page
        ask(page, "What did xAI announce about its funding?")
        page.locator("#rawi-evidence .rw-evidence li").first.wait_for()
        page.locator("#rawi-stop").click()
        expect(page.locator(".rw-busy")).to_have_count(0, timeout=5_000)
        expect(page.locator(".rw-below .rw-note .rw-en")).to_have_text("You stopped the answer.")
        expect(page.locator("#rawi-send")).to_be_visible()
        # The LLM is free again.
        assert "30" in answer(page, EN)


class TestCitations:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_a_click_opens_the_article_at_the_sentence(
        self, visit: Open, site: Site, width: int
    ) -> None:
        page = visit(width=width).page
        answer(page, AR)
        page.locator(".rw-text [data-citation='1']").click()
        self.is_open_at_the_sentence(page, site)

    def test_with_the_keyboard(self, visit: Open, site: Site) -> None:
        page = visit().page
        answer(page, AR)
        page.locator(".rw-text [data-citation='1']").focus()
        page.keyboard.press("Enter")
        self.is_open_at_the_sentence(page, site)
        page.keyboard.press("Escape")
        expect(page.locator("#rawi-source mark")).to_have_count(0)
        expect(page.locator(".rw-text [data-citation='1']")).to_be_focused()

    @staticmethod
    def is_open_at_the_sentence(page: Page, site: Site) -> None:
        mark = page.locator("#rawi-source mark")
        expect(mark).to_be_in_viewport()
        expect(mark).to_be_focused()
        start, end = (int(mark.get_attribute(f"data-{of}") or -1) for of in ("start", "end"))
        doc = page.locator(".rw-text [data-citation='1']").get_attribute("data-doc")
        text = clean((site.corpus / str(doc)).read_text(encoding="utf-8")).strip()
        assert mark.text_content() == text[start:end]
        assert "30 مليار" in text[start:end]
        article = page.locator("#rawi-source .rw-article")
        expect(article).to_have_attribute("dir", "rtl")
        expect(article).to_have_attribute("lang", "ar")


class TestLanguage:
    @pytest.mark.parametrize(
        ("locale", "language"), [("ar-EG", "ar"), ("en-GB", "en"), ("fr-FR", "en")]
    )
    def test_follows_the_browser(self, visit: Open, locale: str, language: str) -> None:
        page = visit(locale=locale).page
        expect(page.locator("html")).to_have_attribute("lang", language)

    def test_is_switched_in_place_and_remembered(self, visit: Open) -> None:
        page = visit(locale="en").page
        answer(page, AR)
        expect(page.locator("#rawi-language")).to_have_text("العربية", use_inner_text=True)
        page.locator("#rawi-language").click()
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        expect(page.locator("#rawi-question textarea")).to_have_attribute(
            "placeholder", "اكتب سؤالك هنا"
        )
        expect(page.locator(".rw-user")).to_have_count(1)
        header = page.locator(".rw-brand").bounding_box()
        assert header is not None
        assert header["x"] > 640  # mirrored
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", "ar")
        expect(page.locator("#rawi-language")).to_have_text("English", use_inner_text=True)


class TestConversations:
    def test_a_reload_keeps_them(self, visit: Open) -> None:
        page = visit().page
        said = answer(page, AR)
        page.reload()
        expect(page.locator(".rw-assistant .rw-text")).to_have_text(said, use_inner_text=True)
        expect(page.locator("#rawi-evidence .rw-evidence li").first).to_be_visible()

    def test_several(self, visit: Open) -> None:
        page = visit().page
        answer(page, AR)
        page.locator("[data-act=new]").click()
        expect(page.locator(".rw-message")).to_have_count(0)
        answer(page, BRIDGE)
        expect(page.locator(".rw-conversation")).to_have_count(2)
        page.locator(".rw-conversation", has_text="SoftBank").click()
        expect(page.locator(".rw-user .rw-text")).to_have_text(AR)
        page.locator("li:has([aria-current]) [data-act=delete]").click()
        expect(page.locator(".rw-conversation")).to_have_count(1)
        expect(page.locator(".rw-message")).to_have_count(0)

    def test_editing_a_question(self, visit: Open) -> None:
        page = visit().page
        answer(page, AR)
        page.locator("[data-act=edit]").click()
        expect(page.locator("#rawi-question textarea")).to_have_value(AR)
        page.locator("#rawi-question textarea").fill(BRIDGE)
        page.locator("#rawi-send").click()
        expect(page.locator(".rw-user .rw-text")).to_have_text(BRIDGE)
        expect(page.locator(".rw-sources")).to_contain_text("912")

    def test_asking_again(self, visit: Open) -> None:
        page = visit().page
        said = answer(page, AR)
        page.locator("[data-act=retry]").click()
        expect(page.locator(".rw-assistant:not(.rw-busy) .rw-text")).to_have_text(
            said, use_inner_text=True
        )
        expect(page.locator(".rw-user")).to_have_count(1)

    def test_export_holds_the_citations(self, visit: Open) -> None:
        page = visit().page
        answer(page, AR)
        contents = {}
        for kind in ("md", "json"):
            with page.expect_download() as download:
                page.locator(f"[data-act=export][data-kind={kind}]").click()
            assert download.value.suggested_filename.endswith(f".{kind}")
            contents[kind] = download.value.path().read_text(encoding="utf-8")
        assert "30 مليار" in contents["md"]
        assert re.search(r"\\\[1\\\] .*SoftBank", contents["md"])
        saved = json.loads(contents["json"])
        assert saved["messages"][0]["text"] == AR
        cited = saved["messages"][1]["citations"][0]
        assert cited["marker"] == 1
        assert "SoftBank" in cited["text"]

    def test_thumbs_are_noted_with_a_reason(self, visit: Open, site: Site) -> None:
        page = visit().page
        answer(page, AR)
        page.locator("[data-act=rate][data-rating=down]").click()
        page.locator("[data-act=reason][data-reason=incomplete]").click()
        expect(page.locator(".rw-below", has_text="Thank you")).to_be_visible()
        lines = (site.storage / "feedback.jsonl").read_text(encoding="utf-8").splitlines()
        noted = json.loads(lines[-1])
        assert (noted["rating"], noted["reason"], noted["question"]) == ("down", "incomplete", AR)


class TestDocuments:
    def test_are_added_found_and_removed(self, visit: Open, site: Site) -> None:
        page = visit().page
        page.locator("[data-view=documents]").click()
        expect(page.locator("#rawi-documents tbody tr")).to_have_count(3)
        content = "تقرير عن المنارة\n\nبُنيت منارة الشويخ القديمة سنة 1937 من الحجر المرجاني.\n"
        page.locator("#rawi-upload input[type=file]").set_input_files(
            {"name": "manara.txt", "mimeType": "text/plain", "buffer": content.encode()}
        )
        row = page.locator("#rawi-documents tr[data-doc='manara.txt']")
        expect(row).to_contain_text("تقرير عن المنارة", timeout=60_000)
        assert (site.corpus / "manara.txt").read_text(encoding="utf-8") == content
        page.locator("[data-view=ask]").click()
        assert "1937" in answer(page, "متى بُنيت منارة الشويخ القديمة؟")
        page.locator("[data-view=documents]").click()
        row.locator("summary").click()
        row.locator("[data-act=remove]").click()
        expect(row).to_have_count(0, timeout=60_000)
        assert not (site.corpus / "manara.txt").exists()

    def test_a_file_that_is_not_read_says_why(self, visit: Open, site: Site) -> None:
        page = visit(locale="ar").page
        page.locator("[data-view=documents]").click()
        page.locator("#rawi-upload input[type=file]").set_input_files(
            {"name": "a.exe", "mimeType": "text/plain", "buffer": b"MZ"}
        )
        expect(page.locator("#rawi-job-state [role=alert] .rw-ar")).to_contain_text(
            "نوع الملف غير مقروء."
        )
        assert not (site.corpus / "a.exe").exists()


class TestHostileText:
    def test_in_a_document_is_shown_as_text(self, visit: Open) -> None:
        page = visit(locale="ar").page
        answer(page, BRIDGE)
        assert ATTACK in str(page.locator("#rawi-evidence q").first.text_content())
        assert ATTACK in str(page.locator("#rawi-messages").text_content())
        page.locator(".rw-text [data-citation='1']").click()
        expect(page.locator("#rawi-source mark")).to_contain_text('onerror="window.pwned=1"')
        # The million characters of Markdown follow, cut, and are nothing but text.
        article = page.locator("#rawi-source .rw-article")
        assert "**[x](javascript:window.pwned=6)**" in str(article.text_content())
        assert article.locator("a, b, script, img, svg").count() == 0
        assert page.locator("#rawi-messages").locator("a, b, script, img, svg").count() == 0
        assert "\u202e" not in str(page.locator("body").text_content())

    def test_in_a_question_is_shown_as_text(self, visit: Open) -> None:
        page = visit().page
        question = f"What is {ATTACK} about SoftBank\u202e?"
        answer(page, question)
        shown = page.locator(".rw-user .rw-text").text_content()
        assert shown == question.replace("\u202e", "")
        assert page.locator("#rawi-layout").locator("script, img, svg").count() == 0
        page.reload()  # it comes back from the browser's own storage
        expect(page.locator(".rw-user .rw-text")).to_have_text(str(shown))

    def test_a_million_characters_are_not_asked(self, visit: Open) -> None:
        page = visit().page
        ask(page, "**[x](javascript:window.pwned=8)** " * 30_000)
        expect(page.locator("#rawi-live [role=alert] .rw-en")).to_contain_text("too long")

    def test_in_a_file_name(self, visit: Open, site: Site) -> None:
        page = visit().page
        page.locator("[data-view=documents]").click()
        page.locator("#rawi-upload input[type=file]").set_input_files(
            {
                "name": "<img src=x onerror=window.pwned=9>.txt",
                "mimeType": "text/plain",
                "buffer": b"A file.",
            }
        )
        expect(page.locator("#rawi-job-state [role=alert]")).to_contain_text("<img src=x")
        assert page.locator("#rawi-job-state img").count() == 0


class TestConnection:
    def test_its_loss_and_return_are_told(self, visit: Open) -> None:
        opened = visit(locale="ar")
        banner = opened.page.locator(".rw-connection")
        opened.context.set_offline(True)
        expect(banner).to_contain_text("انقطع الاتصال")
        opened.context.set_offline(False)
        # Gradio may load the page anew once the server answers again.
        expect(opened.page.locator("html")).not_to_have_class(re.compile("rw-offline"))
        expect(banner).not_to_contain_text("انقطع")
        expect(opened.page.locator("#rawi-question textarea")).to_be_visible()


class TestSecurity:
    def test_other_sites_may_not_call_gradio(self, site: Site) -> None:
        url = f"{site.url}/gradio_api/queue/join"
        foreign = httpx.post(url, json={}, headers={"Origin": "https://elsewhere.example"})
        assert foreign.status_code == 403
        own = httpx.post(url, json={}, headers={"Origin": site.url})
        assert own.status_code != 403

    def test_the_browser_is_told_to_stay_with_us(self, site: Site) -> None:
        policy = httpx.get(site.url).headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy
