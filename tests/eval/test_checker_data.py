from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from eval import checker_data
from eval.checker_data import Claims, held_out, marks, read_passages
from rag.language import detect

PASSAGE = {
    "id": "x-1",
    "language": "en",
    "title": "Pool",
    "sentences": ["The pool is 3 metres deep, except on Monday.", "It is closed in winter."],
    "translations": ["عمق المسبح 3 أمتار، إلا يوم الاثنين.", "يُغلق في الشتاء."],
    "questions": [
        {
            "en": "How deep is it?",
            "ar": "كم عمقه؟",
            "uses": [1],
            "answer": {"en": ["3 metres"], "ar": ["3 أمتار"]},
            "wrong": {
                "en": [{"kind": "unit", "text": "3 miles"}],
                "ar": [{"kind": "number", "text": "4 أمتار"}],
            },
        },
        {
            "en": "What does it cost?",
            "ar": "كم ثمنه؟",
            "uses": [],
            "answer": None,
            "wrong": {
                "en": [{"kind": "invented", "text": "5 dollars"}],
                "ar": [{"kind": "invented", "text": "5 دولارات"}],
            },
        },
    ],
}
PAIRS = [{"en": "The old harbour was opened again.", "ar": "افتتح الميناء القديم من جديد."}]


def drawn(count=400):
    claims, rng = Claims([PASSAGE], PAIRS), random.Random(1)
    return [claims.draw(rng) for _ in range(count)]


def test_right_claims_are_what_people_wrote_beside_what_they_need():
    for item in drawn():
        if item.right and item.claim.question:
            assert item.claim.answer in ("", "3 metres", "3 أمتار")
            assert "3" in item.claim.source


def test_wrong_claims_are_none_of_the_right_ones_or_lack_their_source():
    kinds = set()
    for item in drawn():
        if not item.right:
            kinds.add(item.kind)
            right = item.claim.answer in ("3 metres", "3 أمتار")
            assert not right or "3" not in item.claim.source
    assert {"unit", "number", "word", "lack", "invented", "repeats"} <= kinds


def test_half_are_right_and_most_across_languages():
    items = drawn()
    assert 0.3 < sum(item.right for item in items) / len(items) < 0.6
    across = [i for i in items if i.languages[:2] != i.languages[-2:]]
    assert len(across) > 0.6 * len(items)
    for item in items:
        if item.claim.question:
            assert detect(item.claim.source) == item.languages[-2:]


def test_the_words_that_say_an_answer_are_marked():
    source = "The pool is 3 metres deep, except on Monday."
    assert [source[a:z] for a, z in marks(source, ["3 metres"])] == ["3", "metres"]
    assert [source[a:z] for a, z in marks(source, ["five miles", "not on Mondays"])] == ["Monday"]
    assert marks(source, ["in winter"]) == ()
    arabic = "وعُمق المسبح ٣ أمتارٍ."
    assert [arabic[a:z] for a, z in marks(arabic, ["3 أمتار"])] == ["٣", "أمتارٍ"]


@pytest.mark.parametrize(
    ("kind", "language", "said", "others"),
    [
        ("number", "en", "3 metres", {f"{n} metres" for n in (1, 2, 4, 5, 6, 7, 8, 9)}),
        ("unit", "ar", "5 دراهم", {f"5 {u}" for u in ("دنانير", "ريالات", "جنيهات", "دولارات")}),
        ("negation", "en", "Yes, it is", {"No, it is", ""}),
        ("negation", "en", "it is not open", {"it is open", "it is not not open"}),
        ("dropped", "en", "red, green", {"red,", "green"}),
        ("unit", "en", "nothing here", {""}),
    ],
)
def test_one_thing_is_changed(kind, language, said, others):
    claims = Claims([PASSAGE], PAIRS)
    found = {claims.changed(said, kind, language, random.Random(n)) for n in range(30)}
    longer = {text for text in found if len(text) > len(said)} if kind == "number" else set()
    assert found - longer <= others
    assert found & others


def test_every_ninth_passage_is_held_out_whole(tmp_path: Path):
    lines = [json.dumps({**PASSAGE, "id": f"x-{n}"}) for n in range(1, 19)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    trained, held = read_passages(tmp_path)
    assert [p["id"] for p in held] == ["x-9", "x-18"]
    assert len(trained) == 16
    items = held_out(held[:1], random.Random(1))
    # Over sources in both languages, right, wrong, and beside another sentence; and unanswerable.
    assert len(items) == 4 * (1 + 1 + 1) + 4
    assert {i.kind for i in items if not i.right} == {
        "unit", "number", "lack", "invented (no answer)",
    }  # fmt: skip


def test_the_written_answers_can_be_drawn_from():
    folder = Path(checker_data.__file__).parent / "training" / "answers"
    trained, held = read_passages(folder)
    assert len(held) * 8 <= len(trained)
    claims, rng = Claims(trained, PAIRS), random.Random(2)
    assert all(item.claim.source for item in (claims.draw(rng) for _ in range(200)))
