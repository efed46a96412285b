from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from eval import sets
from eval.sets import GivenPassage, GoldAnswer, find_span
from eval.training import validate
from rag import documents
from rag.config import Settings
from rag.conversation import Turn
from rag.errors import EvalError
from tests.eval.conftest import QUESTIONS, SENTENCES, WriteLines

ROOT = Path(__file__).parents[2]
GOOD = QUESTIONS[0]


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in GOOD.items() if k != key}


def test_a_question_line_is_read_whole(write_lines: WriteLines):
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    path = write_lines([{**GOOD, "context_turns": turns, "source": "a.txt;b.txt"}, "", "  "])
    (question,) = sets.read_set(path, sets.Question)
    assert question.id == "en-cat"
    assert question.language == "en"
    assert question.answerable
    assert question.source == ("a.txt", "b.txt")
    assert question.gold_spans == (SENTENCES["cat"],)
    assert question.must_include == (("4 kilos",),)
    assert question.context_turns == (Turn("user", "Hi"), Turn("assistant", "Hello"))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not an object"),
        (without("id"), "id: Field required"),
        ({**GOOD, "id": None}, "id: Field required"),
        ({**GOOD, "id": 3}, "id: Input should be a valid string"),
        ({**GOOD, "question": " "}, "question: is empty; fill it in"),
        ({**GOOD, "question_language": "fr"}, "question_language: Input should be 'ar' or 'en'"),
        ({**GOOD, "answerable": 1}, "answerable: Input should be a valid boolean"),
        ({**GOOD, "gold_spans": "x"}, "gold_spans: Input should be a valid tuple"),
        ({**GOOD, "gold_spans": [3]}, "gold_spans[0]: Input should be a valid string"),
        ({**GOOD, "gold_spans": []}, "is answerable, so"),
        ({**GOOD, "must_include": ["4 kilos"]}, "must_include[0]: Input should be a valid tuple"),
        ({**GOOD, "must_include": [[]]}, "must_include[0]: Tuple should have at least 1 item"),
        (
            {**GOOD, "context_turns": [{"role": "bot", "content": "x"}]},
            "context_turns[0] role: Input should be 'user' or 'assistant'",
        ),
    ],
)
def test_a_bad_line_is_named_with_what_to_do(write_lines: WriteLines, line: Any, says: str):
    path = write_lines([QUESTIONS[1], "", line])
    with pytest.raises(EvalError) as caught:
        sets.read_set(path, sets.Question)
    assert str(caught.value).startswith(f"{path}, line 3")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_id_that_comes_twice_names_both_lines(write_lines: WriteLines):
    with pytest.raises(EvalError, match=r"line 3: the id 'en-cat' is already that of line 1"):
        sets.read_set(write_lines([GOOD, QUESTIONS[1], GOOD]), sets.Question)


@pytest.mark.parametrize("groups", [[], [["4 kilos"]]])
def test_a_false_premise_may_have_gold_that_refutes_it(write_lines: WriteLines, groups: Any):
    line = {**GOOD, "answerable": False, "must_include": groups}
    assert sets.read_set(write_lines([line]), sets.Question)[0].gold_spans == (SENTENCES["cat"],)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe{}"])
@pytest.mark.parametrize("read", [lambda path: sets.read_set(path, sets.Question), sets.read_squad])
def test_a_file_without_anything_is_refused(tmp_path: Path, content: bytes, read: Any):
    path = tmp_path / "set"
    path.write_bytes(content)
    with pytest.raises(EvalError, match=str(path)):
        read(path)
    with pytest.raises(EvalError, match="is not there"):
        read(tmp_path / "other")


def test_a_line_separator_within_a_string_ends_no_line(write_lines: WriteLines):
    line = {**GOOD, "answer": "a\u2028b\x85c"}
    path = write_lines([json.dumps(line, ensure_ascii=False), QUESTIONS[1]])
    assert [q.id for q in sets.read_set(path, sets.Question)] == ["en-cat", "en-dog"]


def read_squad(tmp_path: Path, value: Any) -> sets.Squad:
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return sets.read_squad(path)


def test_paragraphs_are_numbered_over_all_articles(tmp_path: Path, squad: dict[str, Any]):
    read = read_squad(tmp_path, squad)
    assert [p.title for p in read.paragraphs] == ["Pets", "Pets", "Wild", "Wild"]
    assert [q.paragraph for q in read.questions] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert read.questions[0].answers == (GoldAnswer(text="4 kilos", start=0),)
    assert read.language == "en"


@pytest.mark.parametrize(
    ("keys", "value", "says"),
    [
        (("data",), {}, " data: Input should be a valid tuple"),
        (("data", 1, "paragraphs"), None, "data[1] paragraphs: Field required"),
        (("data", 1, "paragraphs", 0, "context"), 7, "paragraphs[0] context: Input should be"),
        (
            ("data", 0, "paragraphs", 1, "qas", 0, "answers"),
            [],
            "data[0] paragraphs[1] qas[0] answers: Tuple should have at least 1 item",
        ),
        (
            ("data", 0, "paragraphs", 1, "qas", 0, "answers", 0, "answer_start"),
            -1,
            "answers[0] answer_start: Input should be greater",
        ),
        (("data", 0, "paragraphs", 1, "qas", 0, "id"), "cat-0", "the id 'cat-0' is already"),
    ],
)
def test_a_mistake_in_squad_is_named_by_its_place(tmp_path, squad, keys, value, says):
    broken = copy.deepcopy(squad)
    inner = broken
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    with pytest.raises(EvalError) as caught:
        read_squad(tmp_path, broken)
    assert says in str(caught.value)


def test_abstention_lines_are_read(write_lines: WriteLines):
    line = {
        "id": "1",
        "question": "من؟",
        "question_language": "ar",
        "answerable": False,
        "passages": [{"id": "p", "title": "", "text": "نص"}],
    }
    (item,) = sets.read_set(write_lines([line]), sets.AbstentionItem)
    assert item.passages == (GivenPassage(id="p", title="", text="نص"),)
    assert not item.answerable
    with pytest.raises(EvalError, match=r"line 1: passages: Tuple should have"):
        sets.read_set(write_lines([{**line, "passages": []}]), sets.AbstentionItem)
    with pytest.raises(EvalError, match=r"line 1: passages\[0\] text: Field required"):
        sets.read_set(write_lines([{**line, "passages": [{"id": "p"}]}]), sets.AbstentionItem)


def test_a_span_is_found_by_its_text_nearest_to_where_it_should_be():
    assert find_span("ab ab ab", "ab") == (0, 2)
    assert find_span("ab ab ab", "ab", near=4) == (3, 5)
    assert find_span("ab ab ab", "ab", near=99) == (6, 8)
    assert find_span("one two", "\u200fone\u00a0two\n") == (0, 7)  # cleaned as documents are
    assert find_span("ab", "x") is None
    assert find_span("ab", " ") is None


def test_every_gold_span_of_the_projects_set_is_verbatim():
    texts = {
        doc: documents.parse(
            doc, documents.read_bytes(ROOT / "seeds", doc, Settings().documents)
        ).text
        for doc in documents.list_files(ROOT / "seeds")
    }
    questions = sets.read_set(ROOT / "eval" / "questions.jsonl", sets.Question)
    for question in questions:
        for span in question.gold_spans:
            assert any(find_span(texts[doc], span) for doc in question.source), question.id
    assert len(questions) >= 120
    assert sum(not question.answerable for question in questions) >= 30


def test_what_is_written_for_this_project_holds_together() -> None:
    assert list(validate.mistakes()) == []
