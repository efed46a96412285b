"""The Documents tab: Chromium before a real server over doubles of the index."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from rag import chat_server
from rag import documents as reading
from rag.config import DocumentsSettings, Settings
from rag.embedding import PassageInput
from rag.errors import DocumentError, IndexStorageError
from rag.index import IndexReport
from rag.llm import too_slow
from tests.ui.conftest import Keep, Open
from tests.ui.serving import Loaded, quoting, served_by
from tests.ui.test_accessibility import found_in
from tests.ui.test_browser import ask
from tests.ui.test_page_states import LateLoader, said
from ui import documents, reasons
from ui.documents import Listed, Listing
from ui.loading import Progress

IN_BOTH = pytest.mark.parametrize("locale", ["ar", "en"])

TEXT = "بُني البرج سنة 1999 من الحجر."
LATE = datetime(2026, 11, 1, 22, 30, tzinfo=UTC)
ONE = Listed("1.txt", "تقرير البرج", "ar", 4, 2_000, LATE)
BEFORE = Listing((ONE,), (("photo.heic", "holds no text"),), LATE)
AFTER = replace(BEFORE, documents=(ONE, replace(ONE, doc="2.txt", title="The tower")))


class SlowEmbedder:
    """Embeds a passage whenever it is let to."""

    embed_batch_size = 1
    fingerprint = "slow"

    def __init__(self) -> None:
        self.let = threading.Semaphore(0)

    def embed_passages(self, passages: Sequence[PassageInput]) -> list[Any]:
        self.let.acquire(timeout=60)
        return [passage.text for passage in passages]


@pytest.mark.browser
@IN_BOTH
def test_it_tells_what_is_read_and_how_far_indexing_is(
    look: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locale: str, picture: Keep
) -> None:
    held = [BEFORE]
    passages = [PassageInput("", text, (), "ar") for text in ("three", "a", "bb", "four")]

    def update(
        settings: Settings, embedder: Any, progress: Any, refused: Any, **_: Any
    ) -> IndexReport:
        progress("0.txt", 0, 4)
        refused("0.txt", "holds no text")
        progress("00.txt", 1, 4)
        progress("1.txt", 2, 4)
        texts: list[str] = embedder.embed_passages(passages)
        assert texts == ["three", "a", "bb", "four"]
        held[0] = AFTER
        return IndexReport(1, 0, 0, 1, {}, 2, 8)

    monkeypatch.setattr("rag.index.update", update)
    monkeypatch.setattr(documents, "listing", lambda settings: held[0])
    corpus = folder(tmp_path, "0.txt", "00.txt", "1.txt", "2.txt")
    loader = Loaded(quoting(tmp_path, TEXT, corpus=corpus, page={"documents_tab": "on"}))
    embedder: Any = SlowEmbedder()
    loader.embedder = embedder
    with served_by(loader) as url:
        visit = look(url, locale=locale, timezone="Asia/Kuwait")
        page, other = visit.page, visit.context.new_page()
        page.locator(".rw-tab[data-view=documents]").click()
        other.goto(f"{url}/#documents")
        rows = "#rawi-documents tbody tr"
        expect(other.locator(rows)).to_have_count(1)
        day = {"ar": "2 نوفمبر 2026", "en": "2 Nov 2026"}  # there, midnight is past
        expect(page.locator(f"{rows} time")).to_contain_text(day[locale])
        assert "UTC" not in page.locator("#rawi-documents").inner_text()
        why = {"ar": "ليس في الملف نص.", "en": "holds no text"}
        expect(said(page, ".rw-failures", locale)).to_have_text(why[locale])

        page.locator("#rawi-upload [data-act=reindex]").click()
        embedder.let.release(3)
        far = {"ar": "المقاطع: 3 من 4", "en": "passages: 3 of 4"}
        state = page.locator("#rawi-job-state")
        expect(state).to_contain_text(far[locale])
        expect(state.locator("progress")).to_have_attribute("value", "2.75")
        files = {
            "ar": [
                "لم يُقرأ 0.txt ليس في الملف نص.",
                "قُرئ 00.txt",
                "يُقرأ الآن 1.txt",
                "ينتظر 2.txt",
            ],
            "en": ["Failed 0.txt holds no text", "Done 00.txt", "Reading 1.txt", "Waiting 2.txt"],
        }[locale]
        for row, says in zip(state.locator(".rw-files li").all(), files, strict=True):
            expect(row).to_have_text(re.compile(spaced(says)), use_inner_text=True)
        assert found_in(page) == []
        picture(page, "indexing", locale)
        embedder.let.release(1)
        expect(state.locator(".rw-good")).to_have_css("color", "rgb(11, 93, 87)")
        expect(page.locator(rows)).to_have_count(2)
        expect(other.locator(rows)).to_have_count(2)  # in the browser's other tab
        assert found_in(page) == []

        row = page.locator(f"{rows}[data-doc='1.txt']")
        row.locator("summary").click()
        picture(page, "deleting", locale)
        row.locator("[data-act=keep]").click()
        expect(row.locator("[data-act=remove]")).to_be_hidden()
        row.locator("[data-act=open]").click()
        expect(page.locator("#rawi-source .rw-article")).to_have_text(TEXT)
        page.locator("#rawi-source [data-act=close]").click()
        expect(row).to_be_visible()
        page.locator("#rawi-upload input[type=file]").set_input_files(
            {"name": "a.exe", "mimeType": "text/plain", "buffer": b"MZ"}
        )
        expect(state.locator(f"[role=alert] .rw-{locale}").first).to_contain_text(".md")
        picture(page, "not-taken", locale)


def folder(tmp_path: Path, *names: str) -> Path:
    """Make a folder of documents."""
    made = tmp_path / "corpus"
    for name in names:
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text("A text.")
    return made


@pytest.mark.browser
@IN_BOTH
def test_a_run_that_fails_says_why(
    look: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locale: str, picture: Keep
) -> None:
    def update(*_: Any, **__: Any) -> IndexReport:
        raise IndexStorageError("/s: another rawi is indexing there; wait for it to finish")

    monkeypatch.setattr("rag.index.update", update)
    corpus = folder(tmp_path, "a.txt")
    ready = quoting(tmp_path, TEXT, corpus=corpus, page={"documents_tab": "on"})
    loader = Loaded(ready)
    embedder: Any = SlowEmbedder()
    loader.embedder = embedder
    with served_by(loader) as url:
        page = look(url, locale=locale).page
        page.locator(".rw-tab[data-view=documents]").click()
        page.locator("#rawi-upload [data-act=reindex]").click()
        told = {
            "ar": "تعذّرت الفهرسة. تجري الآن فهرسة أخرى",
            "en": "Indexing failed. /s: another rawi",
        }
        alert = page.locator("#rawi-job-state [role=alert]")
        expect(alert).to_have_text(re.compile(spaced(told[locale])), use_inner_text=True)
        assert found_in(page) == []
        picture(page, "indexing-failed", locale)


@pytest.mark.browser
@IN_BOTH
def test_a_folder_is_dropped_with_its_paths(
    look: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locale: str
) -> None:
    monkeypatch.setattr("rag.index.update", lambda *_, **__: IndexReport(2, 0, 0, 0, {}, 2, 2))
    corpus = folder(tmp_path, "here.txt")
    dropped = folder(tmp_path / "from", "one.txt", "تقارير/two.txt", "a.exe", ".git/three.txt")
    loader = Loaded(quoting(tmp_path, TEXT, corpus=corpus, page={"documents_tab": "on"}))
    embedder: Any = SlowEmbedder()
    loader.embedder = embedder
    with served_by(loader) as url:
        page = look(url, locale=locale).page
        page.locator(".rw-tab[data-view=documents]").click()
        box = page.locator("#rawi-upload .rw-drop").bounding_box()
        assert box is not None
        devtools = page.context.new_cdp_session(page)
        for kind in ("dragEnter", "dragOver", "drop"):
            data = {"items": [], "files": [str(dropped)], "dragOperationsMask": 1}
            place = {"x": box["x"] + 9, "y": box["y"] + 9}
            devtools.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})
        expect(page.locator("#rawi-job-state .rw-good")).to_be_visible()
        refused = page.locator("#rawi-job-state [role=alert]")
        expect(refused).to_contain_text("corpus/a.exe")  # and nothing else
        assert reading.list_files(corpus) == ["corpus/one.txt", "corpus/تقارير/two.txt", "here.txt"]


@pytest.mark.browser
@IN_BOTH
def test_a_folder_that_is_emptied_elsewhere_is_told_where_one_asks(
    look: Open, tmp_path: Path, locale: str
) -> None:
    loader = Loaded(quoting(tmp_path, TEXT))
    with served_by(loader) as url:
        page = look(url, locale=locale).page
        with page.expect_response("**/healthz"):
            expect(page.locator(".rw-welcome .rw-note")).to_have_count(0)
        loader._emptied()  # as it does when another process was told to
        todo = {"ar": "لا وثائق في الفهرس", "en": "Nothing is indexed yet"}
        expect(said(page, ".rw-welcome .rw-note", locale).first).to_contain_text(todo[locale])


def read(folder: Path, name: str) -> None:
    content = reading.read_bytes(folder, name, DocumentsSettings(max_bytes=1_000))
    reading.parse(name, content)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.exe", b"x"), ("a.txt", b" "), ("a.txt", b"\xc7\xe1\xe3"), ("a.txt", b"x\x00" * 50),
     ("a.txt", b"x" * 2_000), ("a.txt", "ÇáÚÑÈíÉ ".encode() * 9), ("gone.txt", None)],
)  # fmt: skip
def test_every_reason_is_told_in_arabic(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DocumentError) as raised:
        read(tmp_path, name)
    told = reasons.phrase(str(raised.value))
    assert told is not None
    assert told.en == str(raised.value)
    assert "{" not in told.ar
    assert reasons.phrase(f"/a: none of its 2 files can be read; the first, {name}: {told.en}")


def test_what_to_do_where_nothing_can_be_read_is_told_in_arabic() -> None:
    said = "/a: none of its 1 files can be read; the first, b.txt: holds no text"
    kept = f"{said}; what was indexed before still answers"
    hint = "rawi index --empty"
    for reason in (said, kept, f"{kept}; put one there that can, or run: {hint}"):
        told = reasons.phrase(reason)
        assert told is not None
        assert ("وما زالت الإجابة" in told.ar) == (reason != said)
        assert (hint in told.ar) == (hint in reason)
        assert "ليس في الملف نص." in told.ar


@pytest.mark.browser
@IN_BOTH
def test_an_empty_folder_leads_to_the_documents_and_is_answered_from_once_indexed(
    look: Open, tmp_path: Path, locale: str
) -> None:
    ready = quoting(tmp_path, TEXT, page={"documents_tab": "on"})
    loader = LateLoader(ready.settings)
    loader.ends(Progress("no index", reason="run: rawi index"))
    with served_by(loader) as url:
        page = look(url, locale=locale).page
        ask(page, "متى بُني البرج؟")
        turn = ".rw-turn-assistant .rw-note"
        todo = {"ar": "لا وثائق في الفهرس", "en": "Nothing is indexed yet"}
        expect(said(page, turn, locale).first).to_contain_text(todo[locale])
        assert found_in(page) == []
        page.locator(f"{turn} .rw-goto").click()
        expect(page.locator("#rawi-documents-title")).to_be_visible()
        page.go_back()
        expect(page.locator(".rw-welcome .rw-goto")).to_be_visible()
        loader.has_all(ready)
        expect(page.locator(".rw-welcome .rw-goto")).to_have_count(0)
        page.locator("[data-act=retry]").click()
        expect(page.locator(".rw-assistant:not(.rw-busy) .rw-text")).to_contain_text("1999")


@pytest.mark.parametrize("reason", [too_slow(3), chat_server.BROKE_OFF, chat_server.NOT_OPENAI])
def test_every_failure_of_a_server_is_told_in_arabic(reason: str) -> None:
    assert reasons.phrase(reason) is not None


@pytest.mark.browser
@pytest.mark.parametrize(
    ("locale", "reason", "says"),
    [
        ("ar", "rawi-qa is not in /models; run: rawi models pull", "النموذج rawi-qa غير موجود"),
        ("en", "rawi-qa is not in /models; run: rawi models pull", "rawi-qa is not in"),
        ("ar", "no such luck: <b>", "تعذّر التشغيل. التفاصيل بالإنجليزية: no such luck: <b>"),
        ("en", "no such luck: <b>", "It could not start. Details: no such luck: <b>"),
    ],
)
def test_without_weights_it_says_why_and_nothing_is_offered_that_fails_again(
    look: Open, tmp_path: Path, locale: str, picture: Keep, reason: str, says: str
) -> None:
    loader = LateLoader(quoting(tmp_path, TEXT).settings)
    loader.ends(Progress("failed", reason=reason))
    with served_by(loader) as url:
        page = look(url, locale=locale).page
        expect(page.locator(".rw-welcome .rw-note")).to_have_text(
            re.compile(rf"\s*{spaced(says)}"), use_inner_text=True
        )
        ask(page, "متى بُني البرج؟")
        note = page.locator(".rw-turn-assistant .rw-note")
        why = says.partition(". ")[2] or says
        expect(note).to_have_text(re.compile(spaced(why)), use_inner_text=True)
        expect(page.locator("[data-act=retry]")).to_have_count(0)
        assert found_in(page) == []
        picture(page, "without-weights", locale)


def spaced(words: str) -> str:
    """Return a pattern of words, whatever keeps Latin ones apart."""
    return "[\\s\u2066\u2069]+".join(map(re.escape, words.split()))
