"""A reader of two tiny layers learns four sentences, is saved, and loads again."""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors import safe_open
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from eval.training import reader_passages, train_reader
from eval.training.reader_groups import Group
from eval.training.train_reader import Model
from rag.reader import Reader

pytestmark = pytest.mark.slow

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", *"when who came left cat dog in may king .".split()]


def words() -> PreTrainedTokenizerFast:
    ids = {word: n for n, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]")


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Any:
    torch.manual_seed(0)
    monkeypatch.setattr(train_reader, "FIRST_LAYER", 1)
    shape = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
    )
    encoder = BertModel(shape, add_pooling_layer=False)
    return SimpleNamespace(encoder=encoder, tokenizer=words())


def model(base: Any) -> Model:
    reader = Reader(base.encoder, base.tokenizer, 0.1 * torch.randn(1, 32), torch.zeros(1))
    return Model(reader, base.tokenizer)


TEXT = reader_passages.joined("", ["cat came in may.", "king left."], "en")
OTHER = reader_passages.joined("", ["dog left."], "en")
GROUPS = [
    Group("when cat came", (TEXT, OTHER), (0,)),
    Group("who left", (TEXT,), (1,)),
    Group("when dog came", (TEXT, OTHER), ()),
]


class Same:
    """Draws the same groups again and again."""

    def __init__(self) -> None:
        self._rng = random.Random(0)

    def draw(self) -> Group:
        return self._rng.choice(GROUPS)


def test_it_learns_which_sentence_answers_and_when_none_does(base: Any, tmp_path: Path) -> None:
    trained, out = model(base), tmp_path / "r.safetensors"
    frozen = base.encoder.encoder.layer[0].output.dense.weight.clone()
    before, _ = train_reader.learn(trained, GROUPS, fast=False)
    train_reader.train(trained, Same(), steps=60, batch=4, rate=1e-2, out=out, about={"a": 1})  # type: ignore[arg-type]
    after, right = train_reader.learn(trained, GROUPS, fast=False)
    assert after < before / 4
    assert right == 1
    assert base.encoder.encoder.layer[0].output.dense.weight.equal(frozen)
    with safe_open(out, framework="pt") as file:
        assert json.loads(file.metadata()["rawi"]) == {"a": 1, "step": 60}


def test_the_first_loss_is_that_of_a_softmax_with_a_null(base: Any) -> None:
    blank = model(base)
    torch.nn.init.zeros_(blank.head.weight)
    torch.nn.init.constant_(blank.head.bias, 0.6931)  # ln 2: each sentence weighs two
    loss, _ = train_reader.learn(blank, [GROUPS[0]], fast=False)
    assert loss == pytest.approx(-torch.log(torch.tensor(2 / 7)).item(), abs=1e-3)
    loss, _ = train_reader.learn(blank, [GROUPS[2]], fast=False)
    assert loss == pytest.approx(-torch.log(torch.tensor(1 / 7)).item(), abs=1e-3)
    anywhere = Group("when cat came", (TEXT, OTHER), (0, 1, 2))
    loss, right = train_reader.learn(blank, [anywhere], fast=False)
    assert loss == pytest.approx(-torch.log(torch.tensor(6 / 7)).item(), abs=1e-3)
    assert right == 1


def test_what_is_saved_reads_as_what_was_trained(base: Any, tmp_path: Path) -> None:
    trained, out = model(base), tmp_path / "r.safetensors"
    with torch.no_grad():
        trained.encoder.encoder.layer[1].output.dense.weight.mul_(3)
    train_reader.save(trained, out, {})
    assert out.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [out]
    with safe_open(out, framework="pt") as file:
        names = set(file.keys())
        dense = file.get_tensor("encoder.layer.1.output.dense.weight")
    assert not [name for name in names if ".layer.0." in name]
    assert dense.dtype == torch.int8
    # The same base, untrained, with the file's layers on it.
    torch.manual_seed(0)
    fresh = BertModel(base.encoder.config, add_pooling_layer=False)
    loaded = Reader.load(SimpleNamespace(encoder=fresh, tokenizer=base.tokenizer), out)  # type: ignore[arg-type]
    whole = Reader(base.encoder, base.tokenizer, trained.head.weight.data, trained.head.bias.data)
    for text in (TEXT, OTHER):
        [expected], [found] = (r.read("when cat came", [text]) for r in (whole, loaded))
        assert found == pytest.approx(expected, abs=0.1)  # eight bits a weight


def test_what_is_kept_lies_between_what_it_began_with_and_what_was_learnt(base: Any) -> None:
    reader = Reader(base.encoder, base.tokenizer, torch.zeros(1, 32), torch.zeros(1))
    trained = Model(reader, base.tokenizer, share=0.25)
    torch.nn.init.constant_(trained.head.weight, 4.0)
    kept = trained.learnt()
    assert kept["head.weight"].equal(torch.ones(1, 32))
    name = "encoder.layer.1.output.dense.weight"
    assert kept[name].equal(base.encoder.get_parameter(name))
