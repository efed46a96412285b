"""Texts as their authors laid them out: which units they are, and what each stands under."""

from __future__ import annotations

import pytest

from rag import front_matter
from rag.documents import Document, parse
from rag.sentences import Unit, shown
from tests.growth import assert_about_linear


def document(text: str, name: str = "a.md") -> Document:
    return parse(name, text.encode())


def units(text: str, name: str = "a.md") -> list[Unit]:
    found = [unit for block in document(text, name).units for unit in block]
    for unit in found:
        assert 0 <= unit.start < unit.end <= len(text)
        assert text[unit.start : unit.end].strip() == text[unit.start : unit.end]
    return found


def said(text: str, name: str = "a.md") -> list[str]:
    return [shown(text[u.start : u.end], u.said) for u in units(text, name)]


def led(text: str, name: str = "a.md") -> list[tuple[str, str]]:
    return [(u.lead, shown(text[u.start : u.end], u.said)) for u in units(text, name)]


PROSE = 'The cats sleep at home. Do the dogs, e.g. Rex, sleep too? "Yes." They all do!'


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_a_paragraph_is_its_sentences(name):
    assert units(PROSE, name) == [
        Unit(0, 23),
        Unit(24, 57),
        Unit(58, 64),
        Unit(65, 77),
    ]


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_what_follows_a_question_in_its_paragraph_answers_it(name):
    text = "When is it open? At nine. Closed on Fridays. Is it free? No.\n\nWho sings? Who asks?"
    assert led(text, name) == [
        ("When is it open?", "At nine."),
        ("When is it open?", "Closed on Fridays."),
        ("Is it free?", "No."),
        ("", "Who sings?"),
        ("", "Who asks?"),
    ]


def test_an_item_that_asks_is_answered_by_its_rest_and_not_by_the_next():
    text = "- **انكسر الباب؟** اتصل بالحارس.\n- **ضاع المفتاح؟** ادفع خمسة دنانير."
    assert led(text) == [
        ("انكسر الباب؟", "اتصل بالحارس."),
        ("ضاع المفتاح؟", "ادفع خمسة دنانير."),
    ]
    assert {unit.list for unit in units(text)} == {-1}


WRAPPED = (
    "The harbour of the town was dredged twice in the last ten years, and\n"
    "the second time the works took eleven months. The harbour master, Mr.\n"
    "Karl Lund, keeps a list of every ship that has called since the year\n"
    "1988 in his office."
)
WRAPPED_ARABIC = (
    "أعلنت بلدية المدينة في بيانها الأخير أن أعمال توسيع المكتبة العامة\n"
    "ستنتهي في الربيع، وأن عدد الكتب فيها سيبلغ عند الافتتاح أكثر من تسعين\n"
    "ألف كتاب. وقالت مديرة المكتبة السيدة رنا\n"
    "الخطيب إن القاعة الجديدة تتسع لمئتي قارئ."
)


def test_lines_of_a_wrapped_text_run_on():
    assert said(WRAPPED, "a.txt") == [
        "The harbour of the town was dredged twice in the last ten years, and the second time the"
        " works took eleven months.",
        "The harbour master, Mr. Karl Lund, keeps a list of every ship that has called since the"
        " year 1988 in his office.",
    ]
    assert said(WRAPPED_ARABIC, "a.txt")[1] == (
        "وقالت مديرة المكتبة السيدة رنا الخطيب إن القاعة الجديدة تتسع لمئتي قارئ."
    )


def test_lines_that_end_on_purpose_end_a_sentence():
    text = "A ship\nA boat of some length\nA raft"
    assert said(text, "a.txt") == text.split("\n")
    assert said("Name: Lund\nOffice: second floor\nPhone: 12 34") == [
        "Name: Lund",
        "Office: second floor",
        "Phone: 12 34",
    ]
    assert said("Lund  \nsecond floor") == ["Lund", "second floor"]
    assert said("He came on\nSunday.") == ["He came on Sunday."]


PLAIN = (
    "Rules of the pool\n\nChildren\n\nChildren swim with an adult at any time.\n\n"
    "Opening hours\n\nThe pool opens at seven and closes at nine.\n"
)


def test_headings_of_plain_text_lead_what_stands_under_them():
    assert document(PLAIN, "a.txt").title == "Rules of the pool"
    assert led(PLAIN, "a.txt") == [
        ("Children", "Children swim with an adult at any time."),
        ("Opening hours", "The pool opens at seven and closes at nine."),
    ]


def test_headings_of_markdown_are_nested():
    text = "# المسبح\n\n## الأسعار\n\n### الأطفال\n\nالدخول مجاني.\n\n### الكبار\n\nبخمسة دنانير."
    text += "\n\n## المواعيد\n\nيفتح في السابعة."
    assert led(text) == [
        ("الأسعار\nالأطفال", "الدخول مجاني."),
        ("الأسعار\nالكبار", "بخمسة دنانير."),
        ("المواعيد", "يفتح في السابعة."),
    ]


def test_a_heading_with_nothing_under_it_is_a_sentence():
    assert said("# Pool\n\n## Closed on Fridays\n\n## Free for children\n") == [
        "Closed on Fridays",
        "Free for children",
    ]


TABLES = {
    "a.md": "| Ship | Length |\n|:--|--:|\n| Vega | 90 m |\n| **Rigel** | 120 m |\n",
    "pipes.txt": "Ship | Length\n-----|-----\nVega | 90 m\nRigel | 120 m\n",
    "tabs.txt": "Ship\tLength\nVega\t90 m\nRigel\t120 m\n",
    "columns.txt": "Ship    Length\nVega    90 m\nRigel   120 m\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_row_is_said_with_its_header(name):
    assert said(TABLES[name], name) == ["Ship: Vega; Length: 90 m", "Ship: Rigel; Length: 120 m"]


def test_an_arabic_row_is_parted_as_arabic_is():
    text = "| السفينة | الطول |\n|---|---|\n| النجمة | 90 |\n| القمر | |\n"
    assert said(text) == ["السفينة: النجمة؛ الطول: 90", "السفينة: القمر"]
    assert text[units(text)[0].start : units(text)[0].end] == "| النجمة | 90 |"


def test_two_columns_without_a_header_are_names_and_what_they_have():
    assert said("Master\tLund\nOffice\tsecond floor\n", "a.txt") == [
        "Master — Lund",
        "Office — second floor",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Q: When is the ferry?\nA: At noon. It is red.\n\nQ: What does it cost?\nA: Four crowns.",
        "**Q1:** When is the ferry?\n\n**A1:** At noon. It is red.\n\n**Q2:** What does it cost?"
        "\n\n**A2:** Four crowns.",
    ],
)
@pytest.mark.parametrize("name", ["a.md", "a.txt"])
def test_an_answer_stands_under_its_question(text, name):
    text = text if name == "a.md" else text.replace("**", "")
    assert led(text, name) == [
        ("When is the ferry?", "At noon."),
        ("When is the ferry?", "It is red."),
        ("What does it cost?", "Four crowns."),
    ]


def test_an_arabic_answer_too():
    text = "س: متى تبحر العبّارة؟\nج: عند الظهر.\nس: كم ثمن التذكرة؟\nج: أربعة دنانير."
    assert led(text, "a.txt") == [
        ("متى تبحر العبّارة؟", "عند الظهر."),
        ("كم ثمن التذكرة؟", "أربعة دنانير."),
    ]


def test_a_question_on_a_line_of_its_own_is_answered_by_the_next():
    text = "May I swim?\nOnly with a cap. Ask for one.\nThe pool is warm.\nWhy? Who knows?\nIt is."
    assert led(text, "a.txt") == [
        ("May I swim?", "Only with a cap."),
        ("May I swim?", "Ask for one."),
        ("", "The pool is warm."),
        ("", "Why?"),
        ("", "Who knows?"),
        ("", "It is."),
    ]


def test_a_numbered_line_above_prose_is_a_heading_and_above_another_an_item():
    text = "محضر الجلسة\n\n1) الميزانية\nرفعت الميزانية إلى ألف دينار."
    text += "\n2) الموظفون\nعين المجلس ثلاثة موظفين جدد."
    assert led(text, "a.txt") == [
        ("1) الميزانية", "رفعت الميزانية إلى ألف دينار."),
        ("2) الموظفون", "عين المجلس ثلاثة موظفين جدد."),
    ]
    assert said("1. Ships\n2. Boats\n\nThese are all of them.", "a.txt")[:2] == [
        "1. Ships",
        "2. Boats",
    ]


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
def test_a_nested_item_stands_under_the_one_above(name):
    text = "It has:\n\n- ships\n    - a ferry\n    - a tug\n- boats\n"
    assert led(text, name)[1:] == [
        ("It has:", "ships"),
        ("It has:\nships", "a ferry"),
        ("It has:\nships", "a tug"),
        ("It has:", "boats"),
    ]


def test_a_letter_with_a_full_stop_is_no_answer():
    assert said("A. Lund came.\n\nA: is the first letter.", "a.txt") == [
        "A. Lund came.",
        "A: is the first letter.",
    ]


def test_items_stand_under_what_announces_them():
    text = (
        "## Kit\n\nThe walk is long. Bring these:\n\n"
        "- [ ] a lamp\n- a *long* rope\n\n  It is cold.\n- tea\n"
    )
    opening, lamp, rope, cold, tea = units(text)[1:]
    assert opening.opens
    assert opening.said == "Bring these:"
    assert {lamp.list, rope.list, tea.list} == {opening.list} == {lamp.start}
    assert (rope.said, rope.lead) == ("a long rope", opening.said)
    assert cold.list == -1
    assert text[tea.start : tea.end] == "tea"


def test_code_is_one_with_what_announces_it():
    text = "Start it so:\n\n```sh\ncd app\n./run # now. really\n```\n\nThen wait.\n"
    assert said(text) == ["Start it so:\ncd app\n./run # now. really", "Then wait."]
    first = units(text)[0]
    assert text[first.start : first.end].endswith("really\n```")
    two = "Run these commands.\n\n```\nmake\n```\n```\nmake run\n```\n"
    assert said(two) == ["Run these commands.\nmake\nmake run"]
    assert said(two.replace("commands.", "commands:")) == ["Run these commands:\nmake\nmake run"]
    assert led("## Run it:\n\n    make\n\nIt runs.\n") == [
        ("Run it:", "make"),
        ("Run it:", "It runs."),
    ]


def test_long_code_is_apart_from_what_does_not_announce_it():
    code = "ship = harbour()\n" * 40
    assert said(f"It prints this.\n\n```\n{code}```\n") == ["It prints this.", code.strip()]
    listed = f"It:\n\n- runs.\n\n```\n{code}```\n".replace("\n", "\n  ").replace("  -", "-")
    *_, stops = units(f"{listed}\n- stops.\n")
    assert (stops.lead, stops.list) == ("It:", 9)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Do:\n\n1. Install it.\n\n   ```\n   make\n   ```\n\n2. Start it.\n3. Wait.\n", "a.md"),
        ("Do:\n\n1. Install it.\n```\nmake\n```\n2. Start it.\n3. Wait.\n", "a.md"),
        ("Do:\n\n1. Install it:\n\n       make\n\n2. Start it.\n3. Wait.\n", "a.txt"),
        ("<p>Do:<ol><li>Install it.<pre>make</pre><li>Start it.<li>Wait.</ol>", "a.html"),
    ],
)
def test_code_within_steps_leaves_them_one_list(text, name):
    opening, *steps = (unit for block in document(text, name).units for unit in block)
    assert opening.opens
    assert [(step.lead, step.list) for step in steps] == 3 * [("Do:", opening.list)]
    assert steps[0].said.endswith("\nmake")


def test_code_below_a_list_is_no_part_of_it():
    text = "1. Ships\n2. Boats\n\n```\nmake\n```\n"
    assert said(text) == ["1. Ships", "2. Boats", "make"]


def test_indented_lines_of_plain_text_are_code_after_what_announces_them():
    text = "Type on the panel:\n\n    MENU 4\n\n    START\n\nThen wait. He said:\n\n    Stop it.\n"
    assert said(text, "a.txt") == [
        "Type on the panel:\nMENU 4\n\nSTART",
        "Then wait.",
        "He said:",
        "Stop it.",
    ]


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_a_drawn_table_is_one_without_its_lines(name):
    grid = "+------+-----+\n| Ship | Year |\n+======+=====+\n| Rhea | 1972 |\n+------+-----+\n"
    assert said(f"Ships\n\n{grid}", name)[-1] == "Ship: Rhea; Year: 1972"
    assert said(grid + "| Tern | 1980 |\n", name) == [
        "Ship: Rhea; Year: 1972",
        "Ship: Tern; Year: 1980",
    ]
    box = "┌──────┬──────┐\n│ سفينة │ سنة │\n├──────┼──────┤\n│ ريا │ 1972 │\n└──────┴──────┘\n"
    assert said(box, name) == ["سفينة: ريا؛ سنة: 1972"]


def test_lines_right_above_paragraphs_are_their_headings_where_most_have_one():
    text = "Lake site\nA pitch costs 14 euros.\n\nForest site\nA pitch costs 11 euros.\nIt is dark."
    assert led(text, "a.txt") == [
        ("", "A pitch costs 14 euros."),
        ("Forest site", "A pitch costs 11 euros."),
        ("Forest site", "It is dark."),
    ]
    assert document(text, "a.txt").title == "Lake site"
    alone = "Lake site\nA pitch costs 14 euros.\n\nFires are allowed.\nDogs are not."
    assert said(alone, "a.txt")[0] == "Lake site"


def test_the_first_of_several_headings_leads_what_is_under_it_though_it_is_the_title():
    text = "### The price\n\nFour crowns.\n\n### The time\n\nAt noon.\n"
    assert led(text) == [("The price", "Four crowns."), ("The time", "At noon.")]


def test_a_numbered_question_is_answered_by_the_line_below_and_a_list_of_them_is_a_list():
    text = "1) متى تبحر العبّارة؟\nعند الظهر.\n\n2) كم ثمن التذكرة؟\nأربعة دنانير.\n"
    assert led(text, "a.txt") == [
        ("1) متى تبحر العبّارة؟", "عند الظهر."),
        ("2) كم ثمن التذكرة؟", "أربعة دنانير."),
    ]
    assert document(text, "a.txt").title == "a"
    assert said("- Is it red?\n- Is it long?\n\nThe ferry sails.", "a.txt") == [
        "Is it red?",
        "Is it long?",
        "The ferry sails.",
    ]


def test_lines_of_a_mail_are_said_without_their_marks_and_bounds_keep_theirs():
    text = "> The ferry is\n>\n>> red.\n\nLevels:\n\n> 2 mg is low\n> 5 mg is high"
    assert said(text, "a.txt") == [
        "The ferry is",
        "red.",
        "Levels:",
        "> 2 mg is low",
        "> 5 mg is high",
    ]


@pytest.mark.parametrize(
    "text",
    [
        '+++\ntitle = "The ferry"\nowners = ["Lund",\n  "Holm"]\n+++\nIt is red.',
        "---\ntitle: >\n  The\n  ferry\ndue: 2025\n---\nIt is red.",
    ],
    ids=["TOML", "YAML on lines below"],
)
@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_front_matter_gives_a_title_and_is_no_text(text, name):
    assert document(text, name).title == "The ferry"
    assert said(text, name) == ["It is red."]


@pytest.mark.parametrize(
    "fields",
    [
        "last review: 2024-12-04\nnext review date: 2025-12-04\n",
        "title: Cats: a rise\nlast review: 2024-12-04\n",
        "آخر مراجعة: 2024-12-04\nالمسؤول عن الصيانة: سالم\n",
        'tags: [\na,\nb\n]\n"last review": 2024-12-04\n',
        "dc.creator: Lund\nog:type: note\n",
        "owner's name: Lund\nsummary: |\n  One: two.\n\n  Three.\n",
    ],
)
def test_fields_of_any_short_names_are_front_matter(fields):
    assert led(f"---\n{fields}---\n\nIt is red.\n\n---\n\nIt is long.") == [
        ("", "It is red."),
        ("", "It is long."),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "- The ferry is red.\n- It is long.",
        "# The ferry\n\n- It is red.",
        "The ferry is red.\nIt is long.",
        "Whoever wants to take a dog along has to know: it pays.",
        "[" * 9_000,
        "&a [*a, *a]",
    ],
    ids=["a list", "a heading", "lines", "a sentence", "nested", "an alias"],
)
def test_what_yaml_reads_as_no_fields_is_text(text):
    assert front_matter.read(f"---\n{text}\n\n---\n") == (0, "")


def test_fields_between_rules_without_a_title_are_what_a_plain_note_says():
    assert said("---\nPhone: 055 123\nRoom: 7\n---\n", "a.txt") == ["Phone: 055 123", "Room: 7"]


def test_what_is_not_said_is_no_unit():
    text = (
        "---\ntitle: Ferry\nowner: Lund\n---\n\n<!-- The ferry is\n\nto be sold. -->\n\n***\n\n"
        "![a ferry](ferry.png) The **ferry** <!-- old --> is [red](http://a.b/c_(d)).\n"
    )
    assert document(text).title == "Ferry"
    assert said(text) == ["The ferry is red."]


def test_html_is_said_without_its_tags():
    text = (
        "<div><p>The ferry is <b>red</b>.</p><p>It sails at noon.</p></div>\n\n"
        "<table>\n<tr><th>Ship</th><th>Length</th></tr>\n"
        "<tr><td>Dr. <i>Lund</i></td><td>90</td></tr>\n"
        "</table>\n\n<script>steal()</script>\n"
    )
    assert sorted(said(text)) == [
        "It sails at noon.",
        "Ship: Dr. Lund; Length: 90",
        "The ferry is red.",
    ]


def test_emphasis_within_a_word_leaves_no_space_and_code_is_left_as_it_is():
    assert said("un**bold**ed, (**bold**) and `a**b**c` \\*so\\*") == [
        "unbolded, (bold) and `a**b**c` *so*"
    ]


def test_entities_are_said_as_what_they_stand_for_and_a_line_break_parts_words():
    assert said("Tea &amp; milk&#58; 3&nbsp;crowns<br>a cup&hellip; &unknown;") == [
        "Tea & milk: 3 crowns a cup… &unknown;"
    ]


def test_a_quotation_is_said_without_its_marks():
    assert said("> The ferry is\n> red.\n>\n> - It is long.") == [
        "The ferry is red.",
        "It is long.",
    ]


def test_rules_of_plain_text_are_no_units():
    assert said("One came.\n-----\nTwo came.\n* * *\nThree came.\n=====", "a.txt") == [
        "One came.",
        "Two came.",
        "Three came.",
    ]


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
@pytest.mark.parametrize(
    "part",
    ["- a\n", "a | b\n", "a\tb\n", "Cats\n\n", "**a ", "[a](", "<b ", "word word  word\n", "> a\n",
     "Q: a\n", "a:\n    b\n", "a b\nIt is a c.\n\n", "│ a │\n", "&amp;",
     "x" * 60 + "\n", "-", "<!-- ", "| a | b |\n|--|--|\n"],
)  # fmt: skip
@pytest.mark.slow
@pytest.mark.timeout(60)
def test_time_is_about_linear(name, part):
    few = 2_000 if len(part) < 20 else 500
    assert_about_linear(lambda text: document("A cat.\n\n" + text, name).units, part, few)


@pytest.mark.parametrize(
    "part", [" ", "\n", "a: b\n", "title: >\n ", "a b c d", "\nx\n", "\n(", "\n{a: ["]
)
@pytest.mark.slow
def test_front_matter_takes_about_linear_time(part):
    assert_about_linear(lambda text: document(f"---\ntitle: a{text}\n---\nA cat."), part, 5_000)
