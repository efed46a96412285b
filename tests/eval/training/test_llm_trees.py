"""What the LLM is taught: the trees, and that they are the conversations Rawi has with it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch

from eval.training import llm_trees, train_llm
from eval.training.llm_trees import Node, corrupted, tree
from eval.training.written_passages import Passage, read_files, read_passages
from rag import config, models, prompts
from rag.language import detect
from rag.llm import TAUGHT

QUESTIONS = [
    {
        "ar": f"سؤال {n}؟",
        "en": f"question {n}?",
        "uses": uses,
        "answer": {"ar": [f"جواب: {n}"], "en": [f"answer: {n}"]} if uses else None,
        "wrong": {
            "ar": [{"kind": "word", "text": f"خطأ {n} {k}"} for k in range(2)],
            "en": [{"kind": "word", "text": f"wrong {n} {k}"} for k in range(2)],
        },
    }
    for n, uses in enumerate([[1], [2], [3], [1, 2], []])
]
SAID = {"ar": ["جواب 1", "جواب 2", "جواب 3"], "en": ["answer 1", "answer 2", "answer 3"]}
PASSAGE = Passage("x-1", "en", "X", SAID, QUESTIONS)
OTHER = Passage("y-2", "en", "Y", {"ar": ["جملة 9"], "en": ["sentence 9"]}, [])


def paths(node: Node, before: str = "") -> list[tuple[str, str, float]]:
    """Return what stands before each message, the message, and its weight."""
    here = [(before, node.text, node.weight)]
    return here + [path for child in node.follow for path in paths(child, before + node.text)]


@pytest.mark.parametrize("seed", range(60))
def test_each_reply_is_right_by_the_sentences_before_it(seed):
    root = tree(random.Random(seed), PASSAGE, [OTHER])
    for before, text, weight in paths(root):
        reply = prompts.parsed(text.removesuffix(llm_trees.END), 9, range(1, 10))
        if weight == 1 and reply.used:
            sentences = [s for s in before.split("\n\n")[0].splitlines() if s[:1].isdigit()]
            read = [sentences[n - 1].split(". ")[1] for n in reply.used]
            question = QUESTIONS[int(reply.answer.split()[-1])]
            assert sorted(int(said.split()[-1]) for said in read) == question["uses"]
            crossed = detect(reply.answer) != detect(read[0])
            assert len(reply.quote) == crossed * len(read)
            assert all(run in said for run, said in zip(reply.quote, read, strict=False))
        if text == prompts.YES:
            assert not any(bad in before.rsplit("assistant\n", 2)[1] for bad in ("wrong", "خطأ"))


def test_both_verdicts_and_no_answer_are_taught():
    taught = {
        t for s in range(60) for _, t, w in paths(tree(random.Random(s), PASSAGE, [OTHER])) if w
    }
    assert {prompts.YES, prompts.NO, prompts.NONE + llm_trees.END} <= taught


def test_a_wrong_answer_is_never_taught():
    for seed in range(60):
        taught = [text for _, text, w in paths(tree(random.Random(seed), PASSAGE, [OTHER])) if w]
        assert not any("wrong" in text or "خطأ" in text for text in taught)


@pytest.mark.parametrize(
    ("sentence", "answers", "quote"),
    [
        ("Rent is due on 3 May, or by 9 June 2020.", ["9 June 2020"], ("9 June 2020",)),
        (
            "Fees: £25 (early) and, for all who come on the day, £40.",
            ["£25 or £40"],
            ("£25", "£40"),
        ),
        ("He left in May; she did in June, they in July, all by bus.", ["by train"], ()),
        ("The hall is blue.", ["red", "a blue hall"], ("hall is blue",)),
    ],
)
def test_an_answers_own_words_are_quoted(sentence, answers, quote):
    assert llm_trees.quoted(sentence, answers, "en") == quote


def test_a_files_units_are_taught_with_what_they_stand_under(tmp_path: Path):
    (tmp_path / "corpus").mkdir()
    golds = ["Early birds pay 25 pounds.", "Others pay 40 pounds.", ""]
    text = f"# Trip\n\n## Fees\n\n{golds[0]}\n\n{golds[1]}\n\n## Place\n\nThe hall.\n"
    (tmp_path / "corpus" / "a.md").write_text(text)
    rows = [
        {
            "id": f"a-{number:03}-{n}", "doc": "a.md", "type": "fact",
            "gold": [gold] if gold else [],
            "question": {"ar": f"؟{n}", "en": f"{n}? {'Pay others' * (n == 2)}"},
            "answer": {"ar": f"ج{n}", "en": f"a{n}"},
        }
        for number in (1, 6) for n, gold in enumerate(golds)
    ]  # fmt: skip
    (tmp_path / "questions-1.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (file,) = read_files(tmp_path, 1000)
    assert file.said["en"][:2] == ["Fees: " + gold for gold in golds[:2]]
    assert [q["uses"] for q in file.questions] == [[1], [2], []]
    assert [q["near"] for q in file.questions] == [[1], [1], [2]]
    assert [q["answer"] for q in file.questions][1:] == [{"ar": ["ج1"], "en": ["a1"]}, None]
    assert file.questions[0]["wrong"]["en"] == [{"kind": "neighbour", "text": "a1"}]
    root = tree(random.Random(1), file, [OTHER])
    assert all(said.split()[-1] != "Arabic." for _, said, _ in paths(root))


@pytest.mark.parametrize("seed", range(30))
def test_a_corrupted_translation_is_another_one(seed):
    said = "The ferry leaves the northern harbour at 14 minutes past every hour."
    elsewhere = "Bakers knead dough before sunrise."
    assert corrupted(random.Random(seed), said, elsewhere) != said


def test_every_ninth_passage_is_held_out(tmp_path: Path):
    row = {
        "language": "en",
        "title": "X",
        "sentences": ["a"],
        "translations": ["ا"],
        "questions": [],
    }
    lines = [json.dumps({"id": f"x-{n:03}", **row}) for n in range(1, 19)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    taught, held = read_passages(tmp_path)
    assert [p.id for p in held] == ["x-009", "x-018"]
    assert len(taught) == 16
    assert taught[0].said == {"en": ["a"], "ar": ["ا"]}


class Letters:
    """A tokenizer of letters."""

    def __call__(self, text: str, *, add_special_tokens: bool):
        return type("Tokens", (), {"input_ids": [ord(letter) for letter in text]})


def test_each_branch_sees_what_it_follows_and_nothing_else():
    root = Node("ab")
    root.then("c").then("d", 1.0)
    root.then("ef", 0.5)
    ids, positions, mask, places, tokens, weights = train_llm.flattened(root, Letters())
    assert "".join(map(chr, ids[0])) == "abcdef"
    assert positions[0].tolist() == [0, 1, 2, 3, 2, 3]
    seen = (mask[0, 0] == 0).int().tolist()
    assert seen == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 0],
        [1, 1, 0, 0, 1, 1],
    ]
    taught = [(int(p), chr(t), float(w)) for p, t, w in zip(places, tokens, weights, strict=True)]
    assert taught == [(2, "d", 1.0), (1, "e", 0.5), (4, "f", 0.5)]
    assert mask.dtype == torch.bfloat16


@pytest.mark.weights
def test_the_conversations_are_those_that_rawi_has():
    from transformers import AutoTokenizer

    settings = config.load()
    gguf = models.resolve(settings.llm.model, kind="llm", settings=settings.models)
    assert gguf.name == TAUGHT
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    one = Passage("x-1", "en", "X", {"ar": ["جواب 1"], "en": ["answer 1"]}, QUESTIONS[:1])
    short = prompts.short("سؤال 0؟", ["answer 1"], "ar")
    asked = prompts.checking(short, prompts.reply("جواب: 0", [1], ["answer"]))
    messages = [{"role": m.role.value, "content": m.content} for m in asked]
    whole = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    begins = [
        before + text
        for seed in range(200)
        for before, text, _ in paths(tree(random.Random(seed), one, [OTHER]))
    ]
    assert whole in begins
    pieces = [prompts.SYSTEM, "1. جملة.\n\n", "السؤال: كم؟"]
    apart = [t for p in pieces for t in tokenizer(p, add_special_tokens=False).input_ids]
    assert apart == tokenizer("".join(pieces), add_special_tokens=False).input_ids
