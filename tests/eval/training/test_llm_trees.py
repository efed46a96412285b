"""What the LLM is taught: the trees, and that they are the conversations Rawi has with it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch

from eval.training import llm_trees, train_llm
from eval.training.llm_trees import Node, corrupted, tree
from eval.training.written_passages import Passage, read_passages
from rag import config, models, prompts
from rag.llm import TAUGHT

QUESTIONS = [
    {
        "ar": f"سؤال {n}؟",
        "en": f"question {n}?",
        "uses": uses,
        "answer": {"ar": [f"جواب {n}"], "en": [f"answer {n}"]} if uses else None,
        "wrong": {
            "ar": [{"kind": "word", "text": f"خطأ {n} {k}"} for k in range(2)],
            "en": [{"kind": "word", "text": f"wrong {n} {k}"} for k in range(2)],
        },
    }
    for n, uses in enumerate([[1], [2], [3], [1, 2], []])
]
SAID = {"ar": ["جملة 1", "جملة 2", "جملة 3"], "en": ["sentence 1", "sentence 2", "sentence 3"]}
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
        answer, used = prompts.parsed(text.removesuffix(llm_trees.END), 9)
        if weight == 1 and used:
            sentences = before.split("\n\n")[0].splitlines()
            of = [int(line.split()[-1]) for line in sentences if line[:1].isdigit()]
            question = QUESTIONS[int(answer.split()[-1])]
            assert sorted(of[n - 1] for n in used) == question["uses"]
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
    one = Passage("x-1", "en", "X", {"ar": ["جملة 1"], "en": ["sentence 1"]}, QUESTIONS[:1])
    short = prompts.short("سؤال 0؟", ["sentence 1"], "ar")
    asked = prompts.checking(short, prompts.reply("جواب 0", [1]))
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
