"""Which documents are asked, as readers choose: Chromium before a real server and a real index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from playwright.sync_api import Page, expect

from rag import index
from rag.engine import Engine
from rag.language import Language
from tests.conftest import WordEmbedder
from tests.ui.conftest import Keep, Open
from tests.ui.serving import Loaded, indexed, served
from tests.ui.test_accessibility import found_in
from tests.ui.test_browser import answer
from ui import export, text
from ui.chat import Chat
from ui.conversations import Conversation, Conversations, Message

pytestmark = pytest.mark.browser
MESSAGE = {"role": "user", "text": "Where?", "language": "en"}
IN_BOTH = pytest.mark.parametrize("locale", ["ar", "en"])

FOLDER = {
    **{f"cat-{n}.txt": f"The cat of house {n} sleeps." for n in range(1, 6)},
    **{f"dog-{n}.txt": f"The dog of house {n} barks." for n in range(1, 4)},
    "قط-1.txt": "القِطّ الأول في الحديقة.",
    "قط-2.txt": "القط الثاني في البيت.",
    "كلب.txt": "الكلب في الساحة.",
    "<b>&.txt": "The bird <b>sings</b>.",
}
ASKED = {"ar": "أين القط؟", "en": "Where is the cat?"}
ONE = {"ar": "في وثيقة واحدة من أصل 12", "en": "In 1 of 12 documents"}
TWO = {"ar": "في وثيقتين من أصل 12", "en": "In 2 of 12 documents"}
THREE = {"ar": "في 3 وثائق من أصل 12", "en": "In 3 of 12 documents"}


@pytest.mark.parametrize(
    ("count", "arabic"),
    [(1, "وثيقة واحدة"), (2, "وثيقتين"), (3, "3 وثائق"), (11, "11 وثيقة"), (103, "103 وثائق")],
)
def test_documents_are_counted_as_arabic_counts_them(count: int, arabic: str) -> None:
    assert text.in_documents(count, 120).ar == f"في {arabic} من أصل 120"


def test_a_choice_is_kept_with_its_conversation() -> None:
    old = {"kept": [{"id": "a", "messages": [MESSAGE]}], "open": "a"}  # before there were choices
    kept = Conversations.read(old)
    assert kept.current.docs == ()
    kept = Conversations.read(kept.asking(["x.txt"]).dump())
    assert kept.current.docs == ("x.txt",)
    assert kept.current.messages
    begun = kept.opened("").asking(["y.txt"])  # nothing is asked in it yet
    assert begun.current.docs == ("y.txt",)
    assert [conversation.id for conversation in begun.kept] == ["a"]
    asked = begun.put(begun.current.with_message(kept.current.messages[0]))
    assert (asked.current.docs, len(asked.kept)) == (("y.txt",), 2)
    assert begun.opened("a").current.docs == ("x.txt",)
    assert asked.opened("").current.docs == ()
    assert begun.asking([]).current.docs == ()


def test_what_is_shown_to_choose_from_is_not_shown_anew_while_the_rest_loads(rawi: Engine) -> None:
    loader = Loaded(rawi)
    with gr.Blocks():
        chat = Chat(loader, compact=False)
    assert text.ALL_DOCUMENTS.en in str(chat.tick({}, "")[chat.scope])
    assert chat.tick({}, "<div>In 1 of 12 documents</div>")[chat.scope] == gr.skip()


def test_the_document_that_an_answer_was_asked_of_is_exported() -> None:
    message = Message.model_validate({**MESSAGE, "role": "assistant", "docs": ["a_b.txt"], "of": 9})
    said = export.markdown(Conversation(messages=(message,)))
    assert "In 1 of 9 documents: a\\_b.txt" in said


@pytest.fixture
def rawi(tmp_path: Path) -> Iterator[Engine]:
    with indexed(tmp_path, FOLDER) as made:
        yield made


def choose(page: Page, *docs: str) -> None:
    page.locator("#rawi-scope .rw-chip").click()
    for doc in docs:
        page.locator(f'#rawi-picker [data-doc="{doc}"]').check()
    page.keyboard.press("Escape")
    expect(page.locator("#rawi-picker fieldset")).to_have_count(0)


def chip_says(page: Page, said: str, locale: str) -> None:
    expect(page.locator(f"#rawi-scope .rw-chip > .rw-{locale}")).to_have_text(said)


def cited(page: Page) -> set[str]:
    rows = page.locator("#rawi-evidence [data-doc]").all()
    return {row.get_attribute("data-doc") or "" for row in rows}


@IN_BOTH
def test_a_conversation_asks_what_was_chosen_until_all_are_asked_again(
    look: Open, rawi: Engine, locale: Language
) -> None:
    two = ["cat-2.txt", "قط-2.txt"]
    with served(rawi) as url:
        page = look(url, locale=locale).page
        chip_says(page, text.ALL_DOCUMENTS[locale], locale)
        choose(page, *two)
        chip_says(page, TWO[locale], locale)
        answer(page, ASKED[locale])
        assert cited(page) == set(two)
        told = page.locator(".rw-asked")
        expect(told).to_contain_text(TWO[locale])
        for doc in two:
            expect(told).to_contain_text(doc)
        page.reload()
        chip_says(page, TWO[locale], locale)
        answer(page, ASKED[locale])  # what follows asks the same
        assert cited(page) == set(two)
        page.locator("#rawi-scope [data-act=all]").click()
        chip_says(page, text.ALL_DOCUMENTS[locale], locale)
        expect(page.locator("#rawi-scope .rw-chip")).to_be_focused()
        answer(page, ASKED[locale])
        assert len(cited(page)) > 2
        expect(told).to_have_count(2)  # an earlier answer remembers what was asked
        page.locator("#rawi-side [data-act=new]").click()
        chip_says(page, text.ALL_DOCUMENTS[locale], locale)


@IN_BOTH
def test_the_list_is_used_by_keyboard(
    look: Open, rawi: Engine, locale: Language, picture: Keep
) -> None:
    with served(rawi) as url:
        page = look(url, locale=locale).page
        chip = page.locator("#rawi-scope .rw-chip")
        expect(page.locator("#rawi-question textarea")).to_be_focused()
        chip.focus()
        page.keyboard.press("Enter")
        find = page.get_by_role("searchbox", name=text.FIND_DOCUMENT[locale])
        expect(find).to_be_focused()
        expect(chip).to_have_attribute("aria-expanded", "true")
        expect(page.get_by_role("group", name=text.SCOPE[locale])).to_be_visible()
        boxes = page.locator("#rawi-picker li:visible")
        expect(boxes).to_have_count(12)
        page.keyboard.type("قط أول")  # by its title, as anybody writes it
        expect(boxes).to_have_count(1)
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        chip_says(page, ONE[locale], locale)
        find.fill("dog")
        expect(boxes).to_have_count(3)
        for _ in range(2):
            page.keyboard.press("Tab")
            page.keyboard.press("Space")
        chip_says(page, THREE[locale], locale)
        picture(page, "some-documents", locale)
        find.fill("zebra")
        expect(page.locator(f"#rawi-picker [role=status] .rw-{locale}")).to_be_visible()
        page.keyboard.press("Escape")
        expect(chip).to_be_focused()
        expect(chip).to_have_attribute("aria-expanded", "false")
        chip.press("Enter")  # what is ticked stands first
        expect(boxes.locator("input").first).to_be_checked()
        expect(page.locator("#rawi-picker :checked")).to_have_count(3)
        chip.press("Enter")
        expect(boxes).to_have_count(0)
        expect(chip).to_be_focused()


@IN_BOTH
@pytest.mark.parametrize(("width", "height", "dark"), [(1280, 740, False), (360, 640, True)])
def test_it_fits_and_is_read_by_all(
    look: Open, rawi: Engine, locale: str, width: int, height: int, dark: bool
) -> None:
    with served(rawi) as url:
        page = look(url, locale=locale, width=width, height=height, dark=dark).page
        choose(page, "<b>&.txt")
        answer(page, "Where is the bird?")
        page.locator("#rawi-scope .rw-chip").click()
        page.locator("#rawi-picker li").first.wait_for()
        assert found_in(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for part in ("#rawi-picker fieldset", "#rawi-question textarea", "#rawi-scope .rw-chip"):
            box = page.locator(part).bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            assert box["y"] + box["height"] <= height
        page.set_viewport_size({"width": 640, "height": 360})  # as at 200 %
        done = page.locator("#rawi-picker [data-act=close]")
        done.scroll_into_view_if_needed()
        low, send = done.bounding_box(), page.locator("#rawi-send").bounding_box()
        assert low is not None
        assert send is not None
        assert low["y"] + low["height"] <= send["y"] < send["y"] + send["height"] <= 360
        tick = page.locator("#rawi-picker [type=checkbox]").first.bounding_box()
        name = page.locator("#rawi-picker li label > span").first.bounding_box()
        assert tick is not None
        assert name is not None
        assert (tick["x"] > name["x"]) == (locale == "ar")


@IN_BOTH
def test_where_the_chosen_do_not_say_it_is_refused(
    look: Open, rawi: Engine, locale: Language
) -> None:
    with served(rawi) as url:
        page = look(url, locale=locale).page
        choose(page, "dog-1.txt", "كلب.txt")
        answer(page, ASKED["en"])
        expect(page.locator(".rw-assistant")).to_have_attribute("data-how", "refused")
        assert cited(page) <= {"dog-1.txt", "كلب.txt"}
        expect(page.locator(".rw-asked")).to_contain_text(TWO[locale])
        assert not [near for near in page.locator(".rw-near li").all_inner_texts() if "cat" in near]


@IN_BOTH
def test_what_has_gone_from_the_folder_is_left_out_and_named(
    look: Open, rawi: Engine, locale: Language
) -> None:
    with served(rawi) as url:
        page = look(url, locale=locale).page
        choose(page, "cat-1.txt", "cat-2.txt")
        answer(page, ASKED["en"])
        (rawi.settings.corpus / "cat-1.txt").unlink()
        index.update(rawi.settings, WordEmbedder())
        page.reload()
        expect(page.locator("#rawi-scope")).to_contain_text("cat-1.txt")
        expect(page.locator("#rawi-scope")).to_contain_text(text.DOCUMENTS_GONE[locale])
        answer(page, ASKED["en"])
        assert cited(page) == {"cat-2.txt"}
        expect(page.locator(".rw-asked").last).not_to_contain_text("cat-1.txt")
        choose(page, "cat-3.txt")  # which leaves the other behind
        expect(page.locator("#rawi-scope")).not_to_contain_text("cat-1.txt")
