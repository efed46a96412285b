"""What a reader sees and hears of answers: Chromium before a real server over doubles."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from rag.language import detect
from rag.retrieval import Found
from rag.storage import Origin
from tests.doubles import JudgingLLM
from tests.ui.conftest import Keep, Open
from tests.ui.serving import Retriever, engine, quoting, served
from tests.ui.test_accessibility import found_in
from tests.ui.test_browser import ask
from ui import documents
from ui.documents import Listed, Listing

pytestmark = pytest.mark.browser

IN_BOTH = pytest.mark.parametrize("locale", ["ar", "en"])

# Sentences with names of the other script, and their words in the order they are read in.
MIXED = {
    "ar": [
        ("الرئيس لـ OpenAI، Sam Altman.", ["الرئيس", "OpenAI", "Sam Altman"]),
        ("جمعت xAI 12 مليار دولار.", ["جمعت", "xAI", "12", "مليار"]),
    ],
    "en": [
        ("The head of أوبن إيه آي, سام ألتمان.", ["The head", "أوبن إيه آي", "سام ألتمان"]),
        ("It gave شركة 12 billion.", ["It gave", "شركة", "12", "billion"]),
    ],
}
ASKED = {"ar": "من الرئيس؟", "en": "Who is the head?"}

OTHERS = {
    "ar": ["بُني البرج سنة 1999.", "هُدم الجسر سنة 2001."],
    "en": ["The tower was built in 1999.", "The bridge fell in 2001."],
}

# Where some words of an element stand on the screen.
PLACES = """(element, words) => words.map((word) => {
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
        const at = node.data.indexOf(word);
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        const { left, right, top } = range.getClientRects()[0];
        return { word, left, right, top };
    }
    return { word };
})"""


def are_in_order(element: Locator, words: list[str], locale: str) -> None:
    """Check that words are read one after the other, from the side that the language begins at."""
    places: list[dict[str, Any]] = element.evaluate(PLACES, words)
    for first, second in pairwise(places):
        if second["top"] > first["top"] + 8:  # on the next line
            continue
        if locale == "ar":
            assert first["left"] >= second["right"] - 1, (first, second)
        else:
            assert first["right"] <= second["left"] + 1, (first, second)


class TestTwoDirections:
    @IN_BOTH
    def test_names_and_numbers_keep_their_order_wherever_they_are_shown(
        self, look: Open, tmp_path: Path, locale: str, picture: Keep
    ) -> None:
        texts = [text for text, _ in MIXED[locale]]
        with served(quoting(tmp_path, *texts)) as url:
            page = look(url, locale=locale, width=1700).page
            ask(page, ASKED[locale])
            answer = page.locator(".rw-assistant:not(.rw-busy) .rw-text")
            expect(answer).to_contain_text(texts[1])
            picture(page, "names-in-order", locale)
            for text, words in MIXED[locale]:
                row = page.locator("#rawi-evidence q", has_text=words[1])
                assert row.text_content() == text
                are_in_order(answer, words, locale)
                are_in_order(row, words, locale)
                page.locator("#rawi-evidence .rw-quote", has_text=words[1]).click()
                mark = page.locator("#rawi-source mark")
                expect(mark).to_have_text(text)
                assert mark.text_content() == text
                assert mark.get_attribute("data-end") == str(len(text))
                are_in_order(mark, words, locale)
            assert found_in(page) == []

    @IN_BOTH
    def test_titles_quotes_questions_and_lists_too_and_a_copy_has_no_isolates(
        self, look: Open, tmp_path: Path, locale: str
    ) -> None:
        (text, words), (after, later) = MIXED[locale]
        foreign = {"ar": "en", "en": "ar"}[locale]
        asked, asks = MIXED[foreign][0]  # a quote in the other language than the question
        article = f"{text} {after}"
        ready = quoting(tmp_path, text)
        found = Found("1.txt", 0, len(text), text, 0.9, detect(text))
        ready.retriever = Retriever([found])
        storage = ready.retriever.storage
        storage.text = lambda doc: article
        storage.title = lambda doc: text
        storage.origin = lambda doc: Origin(text)
        with served(ready) as url:
            opened = look(url, locale=locale, width=1700)
            opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
            page = opened.page
            ask(page, asked)
            expect(page.locator(".rw-assistant:not(.rw-busy)")).to_have_count(1)
            are_in_order(page.locator(".rw-user .rw-text"), asks, foreign)
            are_in_order(page.locator(".rw-conversation"), asks, foreign)
            are_in_order(page.locator(".rw-sources .rw-from"), words, locale)
            page.locator("#rawi-evidence .rw-quote").click()
            are_in_order(page.locator("#rawi-source-title"), words, locale)
            are_in_order(page.locator("#rawi-source .rw-article"), later, locale)
            page.locator(".rw-turn-assistant [data-act=copy]").click()
            copied = page.evaluate("navigator.clipboard.readText()")
            assert text in copied
            assert not re.search("[\u2066-\u2069\u200e\u200f\u202a-\u202e]", copied)

    @IN_BOTH
    def test_a_quote_under_an_answer_in_other_words_too(
        self, look: Open, tmp_path: Path, locale: str
    ) -> None:
        text, reply, asked, words = {
            "ar": ("ساهم SoftBank، Vision Fund بمبلغ 30 مليار.", "ساهم بمبلغ 30 مليار.",
                   "كم ساهم سوفت بنك؟", ["ساهم", "SoftBank", "Vision Fund", "بمبلغ"]),
            "en": ("The fund, سوفت بنك, فيجن فند gave 30 billion.", "The fund gave 30 billion.",
                   "How much did the fund give?", ["The fund", "سوفت بنك", "فيجن فند", "gave"]),
        }[locale]  # fmt: skip
        found = Found("1.txt", 0, len(text), text, 0.9, detect(text))
        with served(engine(tmp_path, reply, evidence=[found])) as url:
            page = look(url, locale=locale, width=1700).page
            ask(page, asked)
            quote = page.locator(".rw-sources q")
            expect(quote).to_have_text(text)
            are_in_order(quote, words, locale)

    @IN_BOTH
    def test_the_table_of_documents_too(
        self, look: Open, tmp_path: Path, locale: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        title, words = MIXED[locale][0]
        listed = Listed("1.txt", title, detect(title), 1, 10, None)
        monkeypatch.setattr(documents, "listing", lambda _: Listing((listed,)))
        with served(quoting(tmp_path, title, page={"documents_tab": "on"})) as url:
            page = look(url, locale=locale, width=1700).page
            page.locator(".rw-tab[data-view=documents]").click()
            are_in_order(page.locator("#rawi-documents [data-act=open]"), words, locale)


class TestEdited:
    def test_a_citation_opens_where_its_words_stand_now_and_marks_no_others(
        self, look: Open, tmp_path: Path
    ) -> None:
        text = "The bank gave 30 billion."
        ready = quoting(tmp_path, text)
        articles = {"1.txt": text}
        ready.retriever.storage.text = articles.__getitem__
        with served(ready) as url:
            page = look(url, locale="en", width=1700).page
            ask(page, "How much did the bank give?")
            expect(page.locator(".rw-assistant:not(.rw-busy)")).to_have_count(1)
            mark, note = page.locator("#rawi-source mark"), page.locator("#rawi-source .rw-note")
            for cite in ("#rawi-messages [data-citation]", "#rawi-evidence .rw-quote"):
                articles["1.txt"] = f"Last year, all was well. {text}"
                page.locator(cite).first.click()
                expect(mark).to_have_text(text)
                articles["1.txt"] = "The bank has given nothing, as we know now."
                page.locator(cite).first.click()
                expect(note).to_contain_text("has changed")
                expect(mark).to_have_count(0)


class TestHearing:
    @IN_BOTH
    def test_an_answer_is_told_in_the_pages_language_alone(
        self, look: Open, tmp_path: Path, locale: str
    ) -> None:
        said, language = {
            "ar": ("ساهم البنك بمبلغ 30 مليار. (المصدر 1)", "ar"),
            "en": ("The bank gave 30 billion. (Source 1)", "en"),
        }[locale]
        sentence = said.partition(" (")[0]
        with served(quoting(tmp_path, sentence)) as url:
            page = look(url, locale=locale).page
            ask(page, {"ar": "كم ساهم البنك؟", "en": "How much did the bank give?"}[locale])
            heard = page.locator("body > .rw-hidden[role=status]")
            expect(heard).to_have_text(said)
            expect(heard).to_have_attribute("lang", language)
            other = {"ar": ["Source", "Copy", "Documents"], "en": ["المصدر", "انسخ", "الوثائق"]}
            tree = page.locator("body").aria_snapshot()
            assert [word for word in other[locale] if word in tree] == []


class NearRetriever(Retriever):
    """Finds enough of the evidence for questions about a name alone."""

    def evidence(self, question: str, context: str = "", *, read_as: str = "") -> list[Found]:
        known = "SoftBank" in question
        return [replace(found, score=0.8 if known else 0.2) for found in self._evidence]


class TestRefusing:
    @IN_BOTH
    def test_it_says_so_once_shows_the_nearest_and_offers_what_is_answered(
        self, look: Open, tmp_path: Path, locale: str, picture: Keep
    ) -> None:
        sentence, question, near = {
            "ar": ("ساهم بنك SoftBank بمبلغ.", "متى بُني البرج؟", "ماذا ورد عن SoftBank؟"),
            "en": ("A bank, SoftBank, gave some.", "When was it built?",
                   "What is said about SoftBank?"),
        }[locale]  # fmt: skip
        ready = quoting(tmp_path, sentence)
        ready.retriever = NearRetriever([Found("1.txt", 0, len(sentence), sentence, 0.2, locale)])
        with served(ready) as url:
            page = look(url, locale=locale).page
            ask(page, question)
            turn = page.locator(".rw-turn-assistant:has(.rw-assistant[data-how=refused])")
            expect(turn.locator(".rw-text")).to_contain_text(sentence)
            expect(turn.locator(".rw-sources li")).to_have_count(1)
            expect(turn.locator(".rw-note")).to_have_count(0)
            assert str(turn.text_content()).count(sentence) == 1
            offered = turn.locator(".rw-near .rw-example")
            expect(offered).to_have_text([near])
            assert found_in(page) == []
            picture(page, "refusal", locale)
            offered.click()
            expect(page.locator(".rw-user .rw-text")).to_have_text([question, near])
            expect(page.locator(".rw-assistant:not(.rw-busy)").last).to_have_attribute(
                "data-how", "quoted"
            )

    @IN_BOTH
    def test_an_llm_that_refuses_is_told_in_one_line_too(
        self, look: Open, tmp_path: Path, locale: str
    ) -> None:
        sentence, question = {
            "ar": ("ساهم بنك SoftBank بمبلغ.", "متى بُني البرج؟"),
            "en": ("A bank, SoftBank, gave some.", "When was it built?"),
        }[locale]
        llm = CountingLLM(replies=deque(["0"]), none=0.99)
        ready = engine(tmp_path, model=llm, answer={"style": "written"})
        ready.retriever = NearRetriever([Found("1.txt", 0, len(sentence), sentence, 0.2, locale)])
        with served(ready) as url:
            page = look(url, locale=locale).page
            ask(page, question)
            turn = page.locator(".rw-turn-assistant:has(.rw-assistant[data-how=refused])")
            expect(turn.locator(".rw-text")).to_contain_text(sentence)
            assert llm.asked  # it is the LLM that refuses
            assert str(turn.text_content()).count(sentence) == 1
            expect(turn.locator(".rw-note")).to_have_count(0)
            # What is said about SoftBank, it might refuse to tell, too.
            expect(turn.locator(".rw-near .rw-example")).to_have_count(0)


class CountingLLM(JudgingLLM):
    """Counts how often it is asked which sentence answers."""

    asked: int = 0

    def first_token(self, *given: Any) -> Any:
        self.asked += 1
        return super().first_token(*given)


class EachRetriever(Retriever):
    """Finds the sentence that the question repeats."""

    def evidence(self, question: str, context: str = "", *, read_as: str = "") -> list[Found]:
        return [found for found in self._evidence if found.text[:-1] in question]


class TestMovingAbout:
    @IN_BOTH
    def test_a_citation_brings_its_own_evidence_and_back_closes_the_article(
        self, look: Open, tmp_path: Path, locale: str
    ) -> None:
        ready = quoting(tmp_path, *OTHERS[locale])
        ready.retriever = EachRetriever(ready.retriever.evidence(""))
        with served(ready) as url:
            page = look(url, locale=locale).page
            box = page.locator("#rawi-question textarea")
            expect(box).to_be_focused()
            expect(box).to_have_css("font-size", "16px")
            for at, text in enumerate(OTHERS[locale]):
                ask(page, text.replace(".", "؟" if locale == "ar" else "?"))
                expect(page.locator(".rw-assistant:not(.rw-busy)")).to_have_count(at + 1)
            shown = page.locator("#rawi-evidence q")
            expect(shown).to_have_text([OTHERS[locale][1]])
            page.locator(".rw-text [data-citation]").first.click()
            expect(page.locator("#rawi-source mark")).to_have_text(OTHERS[locale][0])
            expect(shown).to_have_text([OTHERS[locale][0]])
            page.go_back()
            expect(page.locator("#rawi-source mark")).to_have_count(0)
            expect(page.locator(".rw-user")).to_have_count(2)
            expect(page.locator(".rw-text [data-citation]").first).to_be_focused()
            page.locator(".rw-tab[data-view=documents]").click()
            expect(page).to_have_url(f"{url}/#documents")
            page.go_back()
            expect(page.locator("#rawi-messages")).to_be_visible()
            page.locator(".rw-text [data-citation]").first.click()
            expect(page.locator("#rawi-source mark")).to_be_visible()
            for view in ("documents", "ask"):
                page.locator(f".rw-tab[data-view={view}]").click()
            page.keyboard.press("Escape")
            expect(page.locator("#rawi-source mark")).to_have_count(0)
            expect(page.locator("#rawi-messages")).to_be_visible()
            expect(page).to_have_url(re.compile(rf"^{url}/#c=[0-9a-f]{{12}}$"))
            page.goto(f"{url}/#documents")
            expect(page.locator("#rawi-documents-title")).to_be_visible()

    @IN_BOTH
    def test_what_was_cleared_can_be_brought_back(
        self, look: Open, tmp_path: Path, locale: str, picture: Keep
    ) -> None:
        with served(quoting(tmp_path, *OTHERS[locale])) as url:
            page = look(url, locale=locale).page
            ask(page, ASKED[locale])
            expect(page.locator(".rw-assistant:not(.rw-busy)")).to_have_count(1)
            page.locator("[data-act=delete]").click()
            expect(page.locator(".rw-message")).to_have_count(0)
            undo = page.locator("[data-act=restore]")
            expect(undo).to_be_visible()
            assert found_in(page) == []
            picture(page, "cleared", locale)
            undo.click()
            expect(page.locator(".rw-user .rw-text")).to_have_text(ASKED[locale])
            expect(undo).to_have_count(0)
            page.locator("[data-act=delete]").click()
            expect(undo).to_be_visible()
            page.reload()  # whoever comes next finds nothing
            expect(page.locator(".rw-welcome")).to_be_visible()
            expect(undo).to_have_count(0)


class TestPrinting:
    @IN_BOTH
    def test_answers_then_evidence_on_as_many_pages_as_it_takes(
        self, look: Open, tmp_path: Path, locale: str, picture: Keep
    ) -> None:
        long = {"ar": "عُدّ الحجر بعد الحجر، " * 40, "en": "Stone after stone was told, " * 40}
        settings = {"answer": {"max_words": 400}}
        with served(quoting(tmp_path, long[locale].strip(), **settings)) as url:
            page = look(url, locale=locale, dark=True).page
            for count in range(1, 4):
                ask(page, ASKED[locale])
                expect(page.locator(".rw-assistant:not(.rw-busy)")).to_have_count(count)
            page.set_viewport_size({"width": 720, "height": 1000})  # a sheet of paper
            page.emulate_media(media="print")
            picture(page, "printed", locale)
            boxes = [
                part.bounding_box()
                for part in [*page.locator(".rw-message").all(), page.locator("#rawi-panel")]
            ]
            bottom = 0.0
            for box in boxes:  # one below the other, none clipped
                assert box is not None
                assert box["y"] >= bottom - 1
                bottom = box["y"] + box["height"]
            assert bottom > 1_000
            list_ = page.locator("#rawi-messages")
            assert list_.evaluate("list => list.scrollHeight <= list.clientHeight + 1")
            expect(page.locator("#rawi-evidence q").first).to_be_visible()
            expect(page.locator("#rawi-composer, .rw-header").first).to_be_hidden()
            expect(page.locator(".rw-assistant").first).to_have_css("color", "rgb(0, 0, 0)")
            assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) > 1

    @IN_BOTH
    @pytest.mark.parametrize("landscape", [False, True])
    def test_an_open_article_is_printed_whole(
        self, look: Open, tmp_path: Path, locale: str, landscape: bool
    ) -> None:
        text = MIXED[locale][0][0]
        ready = quoting(tmp_path, text)
        ready.retriever.storage.text = lambda doc: f"{text}\n" * 200
        with served(ready) as url:
            page = look(url, locale=locale, dark=True).page
            ask(page, ASKED[locale])
            page.locator("#rawi-evidence .rw-quote").click()
            expect(page.locator("#rawi-source mark")).to_be_visible()
            page.set_viewport_size({"width": 1040, "height": 720} if landscape
                                   else {"width": 720, "height": 1040})  # fmt: skip
            page.emulate_media(media="print")
            article = page.locator("#rawi-source .rw-article")
            assert article.evaluate("a => a.scrollHeight <= a.clientHeight + 1")
            answer, shown = page.locator(".rw-assistant").bounding_box(), article.bounding_box()
            assert answer is not None
            assert shown is not None
            assert shown["y"] >= answer["y"] + answer["height"]
            assert shown["height"] > 3_000
            expect(page.locator("#rawi-source [data-act=close]")).to_be_hidden()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            pages = page.pdf(format="A4", landscape=landscape)
            assert len(re.findall(rb"/Type\s*/Page\b", pages)) > 3
