"""Messages and articles as HTML: escaped, with their own direction, citations where they belong."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest

from rag.language import Language, Span, clean
from tests.growth import assert_about_linear
from ui import bidi, export, messages, panels, sources
from ui.answering import Shown
from ui.conversations import Conversation, Message, Quote
from ui.documents import Listed, Listing
from ui.examples import Example

ATTACK = '<script>x()</script><img src=x onerror="x()">[a](javascript:x()) ${x} {{x}}'
# All that the page's own HTML is made of.
TAGS = set(
    "article aside bdi button code details div h2 h3 li mark ol p pre q section small".split()
)
TAGS |= {"span", "strong", "summary", "template", "ul", "nav", "label", "input"}


class Reader(HTMLParser):
    """Collects what a browser would make of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.said = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.said += data


def quote(text: str, marker: int = 1, language: Any = "ar", date: str = "") -> Quote:
    return Quote(
        marker=marker, doc=ATTACK, title=ATTACK, start=3, end=9, text=text, language=language,
        date=date,
    )  # fmt: skip


def answered(text: str, language: Any = "ar", **fields: Any) -> Message:
    return Message(role="assistant", text=text, language=language, **fields)


def engine(text: str, title: str = "Title") -> Any:
    storage = SimpleNamespace(text=lambda doc: text, title=lambda doc: title, page=lambda *_: None)
    settings = SimpleNamespace(page=SimpleNamespace(originals=True))
    return SimpleNamespace(retriever=SimpleNamespace(storage=storage), settings=settings)


ASKED = Conversation(messages=(Message(role="user", text=ATTACK, language="en"),))
HOSTILE = {
    "question": messages.message_html(
        Message(role="user", text=ATTACK, language="en", id=ATTACK), feedback=True
    ),
    "answer": messages.message_html(
        answered(ATTACK + " [1]", citations=(quote(ATTACK),), detail=ATTACK, problem="model"),
        feedback=True,
    ),
    "short": messages.message_html(
        answered(ATTACK, "en", id=ATTACK, short=ATTACK, citations=(quote(ATTACK, date=ATTACK),)),
        feedback=True,
        translates=True,
    ),
    "live": messages.live_html(Shown(answered(f"```\n{ATTACK}\n``` `{ATTACK}`"), "writing")),
    "evidence": messages.evidence_html(answered("", evidence=(quote(ATTACK, 0),))),
    "conversations": panels.conversations_html([ASKED], ASKED),
    "welcome": panels.welcome_html(
        Listing((Listed(ATTACK, ATTACK, "ar", 1, 1, None),)),
        [Example(ATTACK, "en"), Example(ATTACK, "ar", is_request=True)],
        "",
    ),
    "article": sources.source_html(engine(ATTACK * 20_000, ATTACK), ATTACK, Span(3, 90)),
    "piece": sources.piece_html(engine(ATTACK * 9_000, ATTACK), ATTACK, 3, 90, 300_000, 0),
    "gone": sources.source_html(engine(""), ATTACK, Span(3, 9)),
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_text(html: str) -> None:
    read = Reader(html)
    assert set(read.tags) <= TAGS
    assert {name for name, _ in read.attributes if name.startswith("on")} == set()
    assert "href" not in dict(read.attributes)


def test_a_pdf_is_opened_at_the_page_of_its_citation() -> None:
    pdf = engine("It sleeps.")
    pdf.retriever.storage.page = lambda *_: 12
    name = 'a/"><b>?#&.pdf'
    read = Reader(sources.source_html(pdf, name, Span(0, 9)))
    assert dict(read.attributes)["href"] == (
        "documents/original?doc=a%2F%22%3E%3Cb%3E%3F%23%26.pdf#page=12"
    )
    assert "ص ١٢" in read.said
    assert "p. 12" in read.said
    assert "href" not in dict(Reader(sources.source_html(pdf, "a.pptx", Span(0, 9))).attributes)


def test_direction_is_that_of_the_whole_message() -> None:
    html = messages.message_html(
        Message(role="user", text="OpenAI: من أسسها؟", language="ar"), feedback=False
    )
    assert '<article class="rw-message rw-user"' in html
    assert 'dir="rtl" lang="ar"' in html


def test_a_marker_with_a_citation_is_a_button_and_others_are_text() -> None:
    body = messages.message_body(answered("ثلاثون. [1] وسبعون. [7]", citations=(quote("ثلاثون."),)))
    read = Reader(body)
    attributes = dict(read.attributes)
    assert read.tags.count("button") == 1
    assert (attributes["data-citation"], attributes["data-start"]) == ("1", "3")
    assert "[7]" in read.said
    assert "[1]" not in read.said


def test_code_is_left_to_right() -> None:
    body = messages.message_body(answered("شغّل `pip install` ثم:\n```sh\nmake run\n```"))
    assert '<code dir="ltr">pip install</code>' in body
    assert '<pre dir="ltr"><code>make run\n</code></pre>' in body


def test_a_quote_in_the_other_language_is_labelled() -> None:
    english = messages.message_html(
        answered("Thirty. [1]", "en", citations=(quote("ثلاثون."),)), feedback=False
    )
    arabic = messages.message_html(
        answered("ثلاثون مليارًا. [1]", citations=(quote("ثلاثون."),)), feedback=False
    )
    assert "in Arabic" in english
    assert "in Arabic" not in arabic


def with_marks(text: str, *marks: tuple[int, int]) -> str:
    cited = quote(text).model_copy(update={"marks": marks})
    return messages.message_html(answered("Thirty. [1]", "en", citations=(cited,)), feedback=False)


def test_the_words_that_carry_the_answer_are_marked_in_the_quote() -> None:
    html = with_marks("ساهم بمبلغ 30 مليار.", (11, 13), (14, 19))
    assert '<q dir="rtl" lang="ar">ساهم بمبلغ <mark>30 مليار</mark>.</q>' in html
    assert "&lt;b&gt;<mark>&lt;i&gt;</mark>" in with_marks("<b><i>", (3, 6))


@pytest.mark.parametrize("marks", [((5, 99),), ((3, 1),), ((0, 4), (2, 6)), ((9, 9),)])
def test_marks_that_no_quote_has_are_passed_over(marks: Any) -> None:
    html = with_marks("ثلاثون.", *marks)
    assert Reader(html.partition("<template")[0]).said.count("ثلاثون.") == 1
    assert html.count("<mark>") == html.count("</mark>") <= 1


def test_the_mark_is_the_sentence_at_its_offsets() -> None:
    article = "عنوان\n\nساهم بمبلغ 30 مليار. ثم مضى."
    html = sources.source_html(engine(article), "a.txt", Span(7, 27))
    assert f'data-start="7" data-end="27">{article[7:27]}</mark>' in html
    assert Reader(html).said.count(article) == 1


def test_an_article_that_has_changed_is_shown_without_a_mark() -> None:
    html = sources.source_html(engine("short"), "a.txt", Span(100, 120))
    assert "<mark" not in html
    assert "has changed" in html


def test_a_sentence_that_an_edit_has_moved_is_marked_where_it_stands_now() -> None:
    article = "It naps. Cats sleep all day. It naps. Dogs don't."
    html = sources.source_html(engine(article), "a.txt", Span(35, 43), "It naps.")
    assert 'data-start="29" data-end="37">It naps.</mark>' in html
    assert "has changed" not in html


def test_what_stands_where_a_sentence_was_is_not_marked_for_it() -> None:
    html = sources.source_html(
        engine("Cats sleep all day."), "a.txt", Span(0, 19), "Cats hunt by day."
    )
    assert "<mark" not in html
    assert "has changed" in html


def test_a_million_characters_are_cut_around_the_sentence() -> None:
    article = "x" * 500_000 + "HERE" + "y" * 500_000
    html = sources.source_html(engine(article), "a.txt", Span(500_000, 500_004))
    assert len(html) < 50_000
    assert html.count("part of the article is left out") == 2
    assert ">HERE</mark>" in html


def turned(html: str, at: int) -> str:
    """Return what one of the buttons in an article leads to."""
    found = re.findall(
        r'data-start="(\d+)" data-end="(\d+)" data-at="(\d+)" data-here="(\d+)"', html
    )
    return sources.piece_html(engine(LONG), "a.txt", *map(int, found[at]))


LONG = "x" * 500_000 + "HERE" + "y" * 500_000


def test_all_of_a_long_document_is_reached_a_bounded_piece_at_a_time() -> None:
    html = sources.source_html(engine(LONG), "a.txt", Span(500_000, 500_004))
    assert html.count("Show the whole document") == 2 * 2  # said, and its tooltip
    whole = turned(html, 0)
    assert ">HERE</mark>" in whole
    pieces, html = [whole], whole
    while "Show what comes before" in html:
        html = turned(html, 0 if html is whole else 1)  # the first leads back to the sentence
        pieces.insert(0, html)
    html = whole
    while "Show what comes after" in html:
        html = turned(html, -1)
        pieces.append(html)
    assert max(map(len, pieces)) < 210_000
    articles = (re.findall(r'class="rw-article".*?>(.*)</div>', piece)[0] for piece in pieces)
    assert "".join(Reader(article).said for article in articles) == LONG
    assert ">HERE</mark>" in turned(html, 0)
    short = sources.source_html(engine(LONG[:90_000]), "a.txt", Span(0, 4))
    assert 'data-at="0"' in short
    assert "part of the article" not in sources.piece_html(engine(LONG[:90_000]), "a", 0, 4, 0, 0)


def test_a_short_answer_stands_out_and_is_what_the_text_begins_with() -> None:
    body = messages.message_body(
        answered("<30> مليار [1]", short="<30> مليار", citations=(quote("جملة."),))
    )
    assert body.startswith('<strong class="rw-short">&lt;30&gt; مليار</strong><button')
    other = messages.message_body(answered("ثلاثون.", short="أربعون"))
    assert other == "ثلاثون."


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("The ferry timetable", "The ferry timetable"),
        ("a" * 60, "a" * 60),
        ("a" * 61, "a" * 60 + " …"),
        ("", ""),
        ("See " + "a" * 80, "See " + "a" * 56 + " …"),
        (
            "بدأت أمس أعمال ترميم المنارة القديمة، ويتوقع القائمون عليها أن تنتهي في الربيع.",
            "بدأت أمس أعمال ترميم المنارة القديمة …",
        ),
        (
            "Work on the old lighthouse began on a cold Monday morning with no one about",
            "Work on the old lighthouse began on a cold Monday morning …",
        ),
        ("No, 1,000 boats sailed out of the harbour; nobody knew why, or where to",
         "No, 1,000 boats sailed out of the harbour; nobody knew why …"),
    ],
)  # fmt: skip
def test_a_title_that_is_a_sentence_is_shortened(title: str, short: str) -> None:
    assert messages.short_title(title) == short


@pytest.mark.parametrize("said", ["كلمة " * 200, "كلمة" * 100 + " كلمة"])
def test_a_card_has_title_page_day_and_the_quote_shortened(said: str) -> None:
    cited = quote(said).model_copy(
        update={"title": "عنوان", "page": 3, "date": "2025-04-01T10:00:00"}
    )
    html = messages.message_html(answered("نعم. [1]", citations=(cited,)), feedback=False)
    card = Reader(html.partition('<template data-card="1">')[2].partition("</template>")[0]).said
    assert card.startswith("عنوان · ص ٣p. 3 · 2025-04-01كلمة")
    assert card.endswith("كلمة …")
    assert len(card) < 300


@pytest.mark.parametrize(("language", "offered"), [("en", True), ("ar", False)])
def test_a_translation_is_offered_of_a_foreign_quote_alone(language: Any, offered: bool) -> None:
    message = answered("Yes. [1]", language, citations=(quote("جملة."),))
    html = messages.message_html(message, feedback=False, translates=True)
    assert ('data-act="translate"' in html) == offered
    assert 'data-act="translate"' not in messages.message_html(message, feedback=False)


def test_markdown_export_says_nothing_in_markdown_of_its_own() -> None:
    conversation = Conversation(
        messages=(
            Message(role="user", text=ATTACK, language="en"),
            answered("Yes. [1]", "en", citations=(quote("جملة."),)),
        )
    )
    content = export.export(conversation, "md").content
    assert re.search(r"(?<!\\)[<\[\]]", content) is None
    assert r"> \[1\] جملة." in content


def test_what_is_shown_has_no_characters_that_reorder_it() -> None:
    html = messages.evidence_html(
        answered(
            "", evidence=(Quote(doc="a\u202etxt.exe", start=0, end=1, text="x", language="en"),)
        )
    )
    assert "\u202e" not in Reader(html).said
    assert clean("a\u202e") == "a"


@pytest.mark.parametrize(
    ("text", "language", "runs"),
    [
        ("الرئيس لـ OpenAI، Sam Altman قال", "ar", ["OpenAI", "Sam Altman"]),
        ("جمعت xAI 12 مليار", "ar", ["xAI"]),
        ("هاتف iPhone 15 Pro و Windows 11، و", "ar", ["iPhone 15 Pro", "Windows 11"]),
        ("تقنية Large Language Model (LLM) هي", "ar", ["Large Language Model (LLM)"]),
        ("قال (OpenAI) في https://a.com/x?y=1.", "ar", ["OpenAI", "https://a.com/x?y=1"]),
        ("عنوان\nAll of it, in English.\nنص", "ar", ["All of it, in English."]),
        ("| OpenAI | Sam Altman | 12 |", "ar", ["OpenAI", "Sam Altman"]),
        ("The head of أوبن إيه آي, سام ألتمان, is", "en", ["أوبن إيه آي", "سام ألتمان"]),
        ("قال: «30 days (Art. 5), 2» [1]", "ar", ["30 days (Art. 5), 2"]),
        ("In Arabic: “١٣٠ يومًا (القانون)”, and “٥ (”", "en", ["١٣٠ يومًا (القانون)"]),
        ("It gave شركة 12 billion; see الفقرة 12 من النظام", "en", ["شركة", "الفقرة 12 من النظام"]),
    ],
)  # fmt: skip
def test_runs_of_the_other_direction(text: str, language: Any, runs: list[str]) -> None:
    assert [text[start:end] for start, end in bidi.foreign_runs(text, language)] == runs
    read = Reader(bidi.isolated_html(text, language, [(3, 9)]))
    assert read.said == text
    assert "mark" in read.tags


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("part", ["a ", "a(", "a«(", "9", "a 9 ", "-", 'a "', "ب ", "ب a "])
def test_any_text_is_cut_in_linear_time(part: str, language: Language) -> None:
    assert_about_linear(lambda text: bidi.isolated_html(text, language), part, 2_000)
