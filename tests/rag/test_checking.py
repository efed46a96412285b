"""The shipped checker on sentences that it has never seen, and files that are none."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import save_file

from rag import checking, config, models
from rag.checking import Checker, Claim, tokenized
from rag.embedding import Embedder
from rag.errors import ModelError
from tests.conftest import ROOT

KILN = "يُحرق الخزف في الفرن ثماني ساعات، ثم يُترك يومًا كاملًا حتى يبرد."
BOOKS = "Members may borrow five books at a time, for three weeks."


@pytest.fixture(scope="module")
def embedder():
    settings = config.load(ROOT / "config.yaml")
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    return Embedder.load(settings.embedding, weights)


@pytest.fixture(scope="module")
def checker(embedder):
    return Checker.load(embedder)


def logits(checker, *claims):
    return [support.logit for support in checker.check([Claim(*claim) for claim in claims])]


@pytest.mark.weights
@pytest.mark.parametrize(
    ("question", "right", "wrong", "source"),
    [
        ("How long is pottery fired?", "eight hours", "a whole day", KILN),
        ("How long is pottery fired?", "eight hours", "in the mountains", KILN),
        ("كم كتابًا يستعير العضو؟", "خمسة كتب", "ثلاثة أسابيع", BOOKS),
        ("How many books may I borrow?", "five books", "five children", BOOKS),
    ],
)
def test_what_holds_has_more_support(checker, question, right, wrong, source):
    held, amiss = logits(checker, (question, right, source), (question, wrong, source))
    assert held > amiss


@pytest.mark.weights
def test_an_answer_beside_another_source_does_not_hold(checker):
    question = "How many books may I borrow?"
    held, amiss = logits(checker, (question, "five books", BOOKS), (question, "five books", KILN))
    assert held > 0 > amiss


@pytest.mark.weights
def test_claims_do_not_depend_on_their_neighbours(checker):
    claims = [("Who?", "Members", BOOKS), ("How long is it fired?", "eight hours", KILN)]
    together = logits(checker, *claims)
    assert together == pytest.approx([logits(checker, claim)[0] for claim in claims], abs=0.02)
    assert checker.check([]) == []


@pytest.mark.weights
def test_the_words_that_carry_an_answer_are_marked(checker):
    (support,) = checker.check([Claim("How many books may I borrow?", "", BOOKS)])
    assert support.logit == math.inf
    assert "five" in [BOOKS[a:z] for a, z in support.marks]


@pytest.mark.weights
def test_parts_of_a_claim_are_told_apart(embedder):
    claims = [Claim("How?", "eight hours", "for eight"), Claim("", "eight", "ثماني")]
    inputs, parts = tokenized(embedder.tokenizer, claims)
    words = [embedder.tokenizer.convert_ids_to_tokens(ids) for ids in inputs["input_ids"]]
    answers = [
        "".join(w for w, inside in zip(row, part.answer, strict=True) if inside)
        for row, part in zip(words, parts, strict=True)
    ]
    assert [answer.replace("▁", " ").strip() for answer in answers] == ["eight hours", "eight"]
    source = "for eight"
    assert [source[a:z].strip() for a, z in parts[0].places.tolist()] == ["for", "eight"]


@pytest.mark.weights
def test_a_file_that_is_no_checker(embedder, tmp_path):
    path = tmp_path / "c.safetensors"
    save_file({"token.weight": torch.zeros(1, 3), "token.bias": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match=r"c\.safetensors: does not fit this embedder"):
        Checker.load(embedder, path)


def test_none_holds_nothing_for_or_against(settings):
    answer = settings.answer.model_copy(update={"checker": "none"})
    unchecked = checking.load(settings.model_copy(update={"answer": answer}), None)
    assert unchecked.check([Claim("Who?", "x", "y")]) == [checking.Support(0.0, ())]
