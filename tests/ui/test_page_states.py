"""The page where not all is as it should be: Chromium before a real server over doubles."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from llama_index.core.llms import ChatMessage
from playwright.sync_api import Browser, Frame, Page, expect

from rag import config
from rag.engine import Engine
from rag.errors import GenerationError
from rag.llm import Usage
from tests.doubles import JudgingLLM
from tests.ui.conftest import ROOT, Keep, Open
from tests.ui.hosts import hosted
from tests.ui.serving import (
    ANSWER,
    FOUND,
    QUESTION,
    QUOTE,
    Loaded,
    SlowLLM,
    engine,
    served,
    served_by,
)
from tests.ui.test_accessibility import found_in
from tests.ui.test_browser import ask
from ui.loading import Loader, Progress

pytestmark = pytest.mark.browser

TOWER = {
    "ar": "برج الكويت\n\nبُني برج الكويت القديم سنة 1937 من الحجر المرجاني.\n",
    "en": "The tower\n\nThe tower of the old harbour was built in 1937 of coral stone.\n",
}
EVIDENCE = "#rawi-evidence .rw-evidence li"
IN_BOTH = pytest.mark.parametrize("locale", ["ar", "en"])


class LateLoader(Loader):
    """Loads nothing by itself: a test says when what is there."""

    def start(self) -> None:
        """Leave it to the test."""

    def has(self, part: str) -> None:
        self._done.add(part)

    def ends(self, progress: Progress) -> None:
        self._finish(progress)

    def has_all(self, ready: Engine) -> None:
        self.examples = ()
        self.engine = ready
        self._finish(Progress("ready"))


def said(page: Page | Frame, inside: str, locale: str) -> Any:
    """Return what a part of the page says in one language; the other must not be seen."""
    other = "en" if locale == "ar" else "ar"
    for hidden in page.locator(f"{inside} .rw-{other}").all():
        expect(hidden).to_be_hidden()
    return page.locator(f"{inside} .rw-{locale}:visible")


class TestLoading:
    @IN_BOTH
    def test_it_says_how_far_it_is_and_answers_when_it_is_there(
        self, look: Open, tmp_path: Path, locale: str, picture: Keep
    ) -> None:
        ready = engine(tmp_path, ANSWER)
        loader = LateLoader(ready.settings)
        with served_by(loader) as url:
            page = look(url, locale=locale).page
            doing = page.locator(".rw-loading li.rw-doing")
            expect(doing).to_have_count(2)
            expect(page.locator(".rw-tagline")).to_be_visible()
            loading = {"ar": "تُحمَّل النماذج…", "en": "Loading the models…"}
            expect(said(page, "#rawi-loading", locale)).to_have_text(loading[locale])
            assert found_in(page) == []
            picture(page, "loading", locale)
            loader.has("embedder")
            expect(doing).to_have_count(1)
            ask(page, QUESTION)
            waits = {"ar": "ما زالت النماذج تُحمَّل", "en": "still loading"}
            expect(said(page, "#rawi-live .rw-state", locale)).to_contain_text(waits[locale])
            loader.has_all(ready)
            expect(page.locator(".rw-assistant:not(.rw-busy) .rw-text")).to_contain_text("30 مليار")
            expect(page.locator(".rw-loading")).to_have_count(0)


@pytest.mark.weights
class TestNothingIndexed:
    @IN_BOTH
    def test_it_says_what_to_do_and_a_dropped_file_is_enough(
        self, look: Open, tmp_path: Path, locale: str, picture: Keep
    ) -> None:
        settings = config.load(
            ROOT / "config.yaml", corpus=tmp_path / "corpus", storage=tmp_path / "storage"
        )
        without = settings.llm.model_copy(update={"backend": "none"})
        with served_by(Loader(settings.model_copy(update={"llm": without}))) as url:
            page = look(url, locale=locale).page
            todo = {"ar": "أضف وثائق في قسم «الوثائق»", "en": "Add documents under “Documents”"}
            leads = said(page, ".rw-welcome .rw-goto", locale)
            expect(leads).to_have_text(todo[locale], timeout=120_000)
            expect(page.locator(".rw-tagline")).to_be_visible()
            assert found_in(page) == [], "the beginning"
            picture(page, "empty-folder", locale)
            page.locator("[data-view=documents]").click()
            none = {"ar": "لا وثائق بعد.", "en": "There are no documents yet."}
            expect(said(page, "#rawi-documents", locale)).to_have_text(none[locale])
            assert found_in(page) == [], "the documents"
            content = "منارة الشويخ\n\nبُنيت منارة الشويخ القديمة سنة 1937 من الحجر المرجاني.\n"
            drop(page, "manara.txt", content)
            row = page.locator("#rawi-documents tr[data-doc='manara.txt']")
            expect(row).to_contain_text("منارة الشويخ", timeout=60_000)
            assert (tmp_path / "corpus/manara.txt").read_text(encoding="utf-8") == content
            page.locator("[data-view=ask]").click()
            expect(page.locator(".rw-welcome .rw-note")).to_have_count(0)
            ask(page, "متى بُنيت منارة الشويخ القديمة؟")
            expect(page.locator(".rw-assistant:not(.rw-busy) .rw-text")).to_contain_text("1937")


@pytest.mark.weights
@IN_BOTH
def test_an_empty_folder_that_another_process_indexes_is_noticed_and_answered_from(
    look: Open, tmp_path: Path, locale: str
) -> None:
    corpus, storage, config_file = (tmp_path / name for name in ("corpus", "storage", "a.yaml"))
    corpus.mkdir()
    config_file.write_text("llm: {backend: none}\npage: {documents_tab: 'off'}\n")
    settings = config.load(config_file, corpus=corpus, storage=storage)
    with served_by(Loader(settings)) as url:
        page = look(url, locale=locale).page
        note = said(page, ".rw-welcome .rw-note", locale)
        expect(note).to_contain_text("rawi index", timeout=120_000)
        tab = {"ar": "«الوثائق»", "en": "Documents"}  # which isn't there
        expect(page.locator(".rw-welcome .rw-note")).not_to_contain_text(
            tab[locale], use_inner_text=True
        )
        assert found_in(page) == []
        (corpus / "tower.txt").write_text(TOWER[locale], encoding="utf-8")
        where = ["--corpus", str(corpus), "--storage", str(storage), "--config", str(config_file)]
        command = [sys.executable, "-c", "from ui.cli import main; main()", "index", *where]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
        expect(page.locator(".rw-welcome .rw-note")).to_have_count(0)
        ask(page, {"ar": "متى بُني برج الكويت؟", "en": "When was the tower built?"}[locale])
        answer = page.locator(".rw-assistant:not(.rw-busy) .rw-text")
        expect(answer).to_contain_text("1937", timeout=60_000)
        expect(page.locator(".rw-user")).to_have_count(1)


def drop(page: Page, name: str, content: str) -> None:
    """Drag a file over where files are dropped, and let it go."""
    given = page.evaluate_handle(
        """([name, content]) => {
            const given = new DataTransfer();
            given.items.add(new File([content], name, { type: "text/plain" }));
            return given;
        }""",
        [name, content],
    )
    target = page.locator("#rawi-upload .rw-drop")
    target.dispatch_event("dragover", {"dataTransfer": given})
    expect(page.locator(".rw-over .rw-drop")).to_be_visible()
    target.dispatch_event("drop", {"dataTransfer": given})
    expect(page.locator(".rw-over")).to_have_count(0)


class TestWaiting:
    def test_the_second_reader_sees_the_evidence_and_who_is_ahead(
        self, look: Open, tmp_path: Path, picture: Keep
    ) -> None:
        llm = SlowLLM(replies=deque(), words=4_000)
        with served(engine(tmp_path, model=llm)) as url:
            first = look(url).page
            second, third = look(url, locale="ar").page, look(url, locale="en").page
            ask(first, QUESTION)
            expect(first.locator(EVIDENCE)).to_have_count(1)
            for at, (page, locale, word) in enumerate(
                [(second, "ar", "قبلك في الانتظار"), (third, "en", "Ahead of you")], start=1
            ):
                ask(page, QUESTION)
                state = said(page, "#rawi-live .rw-state", locale)
                expect(state).to_contain_text(f"{word}: {at}")
                expect(page.locator(EVIDENCE)).to_have_count(1)
                expect(page.locator(".rw-busy .rw-text")).to_have_text("")
                picture(page, "waiting", locale)
                assert found_in(page) == []
            first.locator("#rawi-stop").click()
            expect(said(second, "#rawi-live .rw-state", "ar")).not_to_contain_text(
                "قبلك في الانتظار"
            )
            expect(said(third, "#rawi-live .rw-state", "en")).to_contain_text("Ahead of you: 1")
            for page in (second, third):
                page.locator("#rawi-stop").click()
                expect(page.locator(".rw-busy")).to_have_count(0)
            assert llm.most == 1


class TestTheModelFails:
    @IN_BOTH
    def test_the_sentences_are_the_answer_and_it_says_so(
        self, look: Open, tmp_path: Path, locale: str, picture: Keep
    ) -> None:
        with served(engine(tmp_path, GenerationError("out of memory"))) as url:
            page = look(url, locale=locale).page
            ask(page, QUESTION)
            expect(page.locator(".rw-assistant .rw-text")).to_contain_text(QUOTE)
            why = {"ar": "تعذّر على النموذج أن يجيب", "en": "The model could not answer"}
            note = page.locator(".rw-turn-assistant .rw-note")
            expect(said(page, ".rw-turn-assistant .rw-note", locale).first).to_contain_text(
                why[locale]
            )
            expect(note).to_contain_text("out of memory")
            assert found_in(page) == []
            picture(page, "without-the-model", locale)
            page.locator(".rw-text [data-citation='1']").click()
            expect(page.locator("#rawi-source mark")).to_have_text(QUOTE)


class TestTooManyQuestions:
    @IN_BOTH
    def test_it_is_told_and_the_question_stays(
        self, look: Open, tmp_path: Path, locale: str, picture: Keep
    ) -> None:
        with served(engine(tmp_path, ANSWER, limits={"address_per_minute": 20})) as url:
            page = look(url, locale=locale).page
            calls = (httpx.post(f"{url}/search", json={"question": QUESTION}) for _ in range(30))
            assert any(call.status_code == 429 for call in calls)
            ask(page, QUESTION)
            told = {"ar": "أسئلة كثيرة في وقت قصير", "en": "Too many questions in a short time"}
            notice = page.locator(".rw-notice")
            expect(notice).to_contain_text(told[locale])
            expect(notice).to_be_in_viewport()
            expect(page.locator("#rawi-question textarea")).to_have_value(QUESTION)
            assert found_in(page) == []
            picture(page, "too-many", locale)
            page.locator("#rawi-question textarea").fill("كم")
            expect(notice).to_be_hidden()


class TestTheConnectionIsLost:
    def test_a_question_on_its_way_can_be_asked_again(self, look: Open, tmp_path: Path) -> None:
        llm = SlowLLM(replies=deque(), words=50, pause_s=1.0)
        with served(engine(tmp_path, model=llm)) as url:
            opened = look(url)
            page = opened.page
            ask(page, QUESTION)
            expect(page.locator(EVIDENCE)).to_have_count(1)
            opened.context.set_offline(True)
            expect(page.locator(".rw-connection")).to_contain_text("The connection is lost")
            assert found_in(page) == []
            opened.context.set_offline(False)
            expect(page.locator(".rw-connection")).not_to_contain_text("lost")
            expect(page.locator(".rw-user .rw-text")).to_have_text(QUESTION)
            expect(said(page, "#rawi-messages .rw-note", "en").first).to_have_text(
                "This question was not answered."
            )
            expect(page.locator("[data-act=retry]")).to_be_visible()


class TestWithinAnotherSite:
    @IN_BOTH
    @pytest.mark.parametrize("width", [1280, 390])
    def test_it_answers_and_cites_and_has_nothing_else(
        self, browser: Browser, tmp_path: Path, locale: str, width: int
    ) -> None:
        with (
            hosted("127.0.0.1") as host,
            served(engine(tmp_path, ANSWER, widget={"allowed_origins": [host.origin]})) as rawi,
            browser.new_context(viewport={"width": width, "height": 800}) as context,
        ):
            script = f'<script src="{rawi}/widget.js" data-lang="{locale}" async></script>'
            host.pages["/"] = f"<!doctype html><html lang=en><p>A site.</p>{script}</html>"
            page = context.new_page()
            page.goto(f"{host.origin}/")
            page.locator("rawi-widget").wait_for(state="attached")
            with page.expect_event("frameattached") as attached:
                page.evaluate("window.rawi.open()")
            frame = attached.value
            ask(frame, QUESTION)
            answered = frame.locator(".rw-assistant:not(.rw-busy) .rw-text")
            expect(answered).to_contain_text("30 مليار")
            expect(frame.locator("html")).to_have_attribute("lang", locale)
            expect(frame.locator("h1")).to_be_visible()
            expect(frame.locator(".rw-tab")).to_have_count(0)
            expect(frame.locator("#rawi-side")).to_be_hidden()
            assert found_in(frame) == [], "an answer"
            assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
            frame.locator(".rw-text [data-citation='1']").click()
            expect(frame.locator("#rawi-source mark")).to_have_text(QUOTE)
            expect(frame.locator("#rawi-source mark")).to_be_in_viewport()
            assert found_in(frame) == [], "an article"
            closing = {"ar": "أغلق", "en": "Close"}
            close = frame.locator("#rawi-source [data-act=close]")
            expect(close).to_have_attribute("title", closing[locale])
            close.click()
            expect(frame.locator("#rawi-source mark")).to_have_count(0)


class QueueingLLM(JudgingLLM):
    """Answers when it has warmed up, as a server does that is asked one thing after another."""

    warm: Any

    def first_token(
        self, messages: Sequence[ChatMessage], timeout_s: float
    ) -> tuple[dict[str, float], Usage]:
        assert self.warm.wait(60)
        return super().first_token(messages, timeout_s)


class TestWarmingUp:
    @IN_BOTH
    def test_it_is_told_and_is_no_other_question(
        self,
        look: Open,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        locale: str,
        picture: Keep,
    ) -> None:
        warm = threading.Event()
        ready = engine(tmp_path, model=QueueingLLM(replies=deque([ANSWER]), warm=warm))
        monkeypatch.setattr(ready, "warm", lambda: warm.wait(60))
        loader = Loaded(ready)
        threading.Thread(target=loader._warm, daemon=True).start()
        with served_by(loader) as url:
            page = look(url, locale=locale).page
            ask(page, QUESTION)
            says = {"ar": "نموذج الكتابة يتهيّأ", "en": "The model is warming up"}
            state = said(page, "#rawi-live .rw-state", locale)
            expect(state).to_contain_text(says[locale])
            ahead = {"ar": "قبلك", "en": "Ahead of you"}  # there is nobody
            expect(state).not_to_contain_text(ahead[locale])
            expect(page.locator(EVIDENCE)).to_have_count(1)
            assert found_in(page) == []
            picture(page, "warming-up", locale)
            warm.set()
            expect(page.locator(".rw-assistant:not(.rw-busy) .rw-text")).to_contain_text("30 مليار")

    @IN_BOTH
    def test_who_asked_while_it_loaded_comes_first(
        self, look: Open, tmp_path: Path, locale: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        began, warm = threading.Event(), threading.Event()
        ready = engine(tmp_path, ANSWER, llm={"backend": "transformers"})

        def warming() -> None:
            began.set()
            warm.wait(60)

        monkeypatch.setattr(ready, "warm", warming)
        loader = LateLoader(ready.settings)
        with served_by(loader) as url:
            page = look(url, locale=locale).page
            ask(page, QUESTION)
            expect(page.locator("#rawi-live .rw-state")).to_be_visible()
            loader.has_all(ready)
            threading.Thread(target=loader._warm, daemon=True).start()
            expect(page.locator(".rw-assistant:not(.rw-busy) .rw-text")).to_contain_text("30 مليار")
            assert began.wait(10)
            warm.set()

    @IN_BOTH
    def test_what_needs_no_llm_is_answered_meanwhile(
        self, look: Open, tmp_path: Path, locale: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        warm = threading.Event()
        llm = QueueingLLM(replies=deque(), warm=warm)
        sure = replace(FOUND, score=0.99)
        ready = engine(tmp_path, model=llm, evidence=[sure], answer={"style": "quoted"})
        monkeypatch.setattr(ready, "warm", lambda: warm.wait(60))
        loader = Loaded(ready)
        threading.Thread(target=loader._warm, daemon=True).start()
        with served_by(loader) as url:
            page = look(url, locale=locale).page
            ask(page, QUESTION)
            expect(page.locator(".rw-assistant:not(.rw-busy) .rw-text")).to_contain_text("30 مليار")
            assert not warm.is_set()
            assert llm.prompts == []
            warm.set()
