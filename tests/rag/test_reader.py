"""The reader: what its logits become, which files it takes, and that it finds what answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from rag import config, models, reader
from rag.config import Settings
from rag.embedding import Embedder, PassageInput
from rag.errors import ModelError
from rag.language import Language, Span, split_sentences
from rag.reader import Logits, Reader, Scale, shares
from tests.conftest import ROOT


def passage(text: str, language: Language = "en", heading: str = "") -> PassageInput:
    spans = tuple(Span(start, end) for start, end in split_sentences(text))
    return PassageInput(heading, text, spans, language)


class Told(Reader):
    """Gives the logits that a test writes down."""

    def __init__(self, logits: list[list[float]]) -> None:
        super().__init__(None, None, None, None)
        self._logits_told = logits

    def read(self, question: str, passages: Sequence[PassageInput]) -> list[Logits]:
        return [np.array(row, dtype=np.float32) for row in self._logits_told]


# ------------------------------------------------------------------------------- probabilities


def test_shares_are_over_all_sentences_and_none() -> None:
    # e⁰ for null, then 1, 2 and 4: eight in all.
    rows = [np.log([1.0, 2.0]), np.array([]), np.log([4.0])]
    found = shares(rows)
    assert [len(row) for row in found] == [2, 0, 1]
    assert [p for row in found for p in row] == pytest.approx([1 / 8, 2 / 8, 4 / 8])


def test_shares_of_extremes_are_numbers() -> None:
    assert shares([np.array([2000.0, -2000.0])]) == [[1.0, 0.0]]
    assert shares([np.array([-2000.0])]) == [[0.0]]
    assert shares([]) == []


def test_a_scale_adds_up_what_reader_and_retrieval_say() -> None:
    odds = Scale(read=0.5, found=10.0, bias=-7.0).odds(np.array([2.0, -1.0]), [0.8, 0.6])
    assert odds.tolist() == pytest.approx([1 + 8 - 7, -0.5 + 6 - 7])


def test_a_sentence_that_was_cut_off_counts_as_the_least_likely_read_one() -> None:
    odds = Scale(read=1.0, found=0.0, bias=0.0).odds(np.array([-np.inf, 100.0]), [0.0, 0.0])
    assert odds[0] == -odds[1]
    assert math.isfinite(odds[0])


def test_probabilities_have_the_shape_of_the_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "SCALE", Scale(read=1.0, found=0.0, bias=0.0))
    told = Told([[math.log(3), 0.0], [math.log(5)]])
    some = [passage("A. B."), passage("C.")]
    # 3 + 1 + 5 + 1 for null.
    found = told.judged("?", some, [[0.5, 0.5], [0.5]])
    assert [p for row in found for p in row] == pytest.approx([0.3, 0.1, 0.5], abs=1e-6)


def test_of_equal_readings_the_nearer_sentence_is_likelier() -> None:
    first, second = Told([[1.0, 1.0]]).judged("?", [passage("A. B.")], [[0.7, 0.6]])[0]
    assert first > second


# --------------------------------------------------------------------------------------- files


def tiny(layers: int = 2, hidden: int = 4) -> Any:
    """An embedder's encoder, with random weights."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    shape = BertConfig(
        vocab_size=11,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=1,
        intermediate_size=6,
    )
    return SimpleNamespace(encoder=BertModel(shape, add_pooling_layer=False), tokenizer=None)


HEAD = {"head.weight": torch.ones(1, 8), "head.bias": torch.zeros(1)}
QUERY = "encoder.layer.1.attention.self.query.weight"


@pytest.mark.slow
def test_the_layers_of_a_file_replace_those_of_the_embedder(tmp_path: Path) -> None:
    path, base = tmp_path / "r.safetensors", tiny()
    before = base.encoder.get_parameter(QUERY).detach().clone()
    whole = torch.arange(-8, 8, dtype=torch.int8).reshape(4, 4)
    scale = torch.tensor([1.0, 2.0, 0.5, 0.25], dtype=torch.float16)
    save_file(HEAD | {QUERY: whole, f"{QUERY}.scale": scale}, path)
    loaded = Reader.load(base, path)
    expected = [[-8, -7, -6, -5], [-8, -6, -4, -2], [0, 0.5, 1, 1.5], [1, 1.25, 1.5, 1.75]]
    assert loaded.encoder.get_parameter(QUERY).tolist() == expected
    assert base.encoder.get_parameter(QUERY).equal(before)
    assert loaded.encoder.encoder.layer[0] is base.encoder.encoder.layer[0]
    assert loaded.encoder.encoder.layer[1] is not base.encoder.encoder.layer[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "tensors",
    [
        {QUERY: torch.ones(4, 4)},  # no head
        HEAD | {QUERY: torch.ones(5, 5)},
        HEAD | {"encoder.layer.7.output.dense.bias": torch.ones(4)},
        HEAD | {"something.else": torch.ones(4)},
        HEAD | {QUERY: torch.ones(4, 4, dtype=torch.int8)},  # no scale
        HEAD | {"head.weight": torch.ones(1, 10)},
    ],
)
def test_a_file_of_another_model_is_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    path = tmp_path / "r.safetensors"
    save_file(tensors, path)
    with pytest.raises(ModelError, match=r"r\.safetensors: is not a reader of this embedder"):
        Reader.load(tiny(), path)


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"not tensors", None])
def test_what_is_no_reader_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "r.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"r\.safetensors"):
        Reader.load(tiny(), path)


def test_the_built_in_file_is_for_everybody_and_comes_with_its_card() -> None:
    assert reader.BUILT_IN.stat().st_mode & 0o044 == 0o044
    assert reader.BUILT_IN.with_suffix(".md").is_file()


# ----------------------------------------------------------------------------- the real weights


@pytest.fixture(scope="module")
def settings_in_use() -> Settings:
    return config.load(ROOT / "config.yaml")


@pytest.fixture(scope="module")
def embedder_in_use(settings_in_use: Settings) -> Embedder:
    settings = settings_in_use
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    return Embedder.load(settings.embedding, weights)


@pytest.fixture(scope="module")
def real(settings_in_use: Settings, embedder_in_use: Embedder) -> Reader:
    loaded = reader.load(settings_in_use, embedder_in_use)
    assert loaded is not None
    return loaded


def test_there_is_none_where_none_is_wanted(settings_in_use: Settings) -> None:
    retrieval = settings_in_use.retrieval.model_copy(update={"reader": "none"})
    assert reader.load(settings_in_use.model_copy(update={"retrieval": retrieval}), None) is None  # type: ignore[arg-type]


ENGLISH = passage(
    "Lake Nasser is one of the largest reservoirs in the world. It was made by the Aswan High Dam,"
    " which was completed in 1970. About 90,000 people had to leave their homes.",
    heading="Lake Nasser",
)
ARABIC = passage(
    "بحيرة ناصر من أكبر البحيرات الصناعية في العالم. نشأت عن بناء السد العالي الذي اكتمل عام 1970."
    " واضطر نحو تسعين ألف شخص إلى ترك بيوتهم.",
    "ar",
    heading="بحيرة ناصر",
)


@pytest.mark.weights
@pytest.mark.parametrize("text", [ENGLISH, ARABIC], ids=["en", "ar"])
@pytest.mark.parametrize(
    ("question", "answering"),
    [
        ("When was the Aswan High Dam completed?", 1),
        ("How many people had to leave their homes?", 2),
        ("متى اكتمل بناء السد العالي؟", 1),
        ("كم شخصا اضطر إلى ترك بيته؟", 2),
        ("مَتَى ٱكْتَمَلَ بِنَاءُ ٱلسَّدِّ ٱلْعَالِي؟", 1),
        ("كَمْ شَخْصًا ٱضْطُرَّ إِلَى تَرْكِ بَيْتِهِ؟", 2),
    ],
)
def test_the_sentence_that_answers_gets_the_most(
    real: Reader, question: str, answering: int, text: PassageInput
) -> None:
    [logits] = real.read(question, [text])
    assert int(logits.argmax()) == answering


@pytest.mark.weights
@pytest.mark.parametrize(
    ("answered", "not_answered"),
    [
        ("When was the Aswan High Dam completed?", "Who won the chess championship in Oslo?"),
        ("متى اكتمل بناء السد العالي؟", "من فاز ببطولة الشطرنج في أوسلو؟"),
    ],
)
def test_null_beats_every_sentence_when_the_subject_is_another(
    real: Reader, answered: str, not_answered: str
) -> None:
    both = [ENGLISH, ARABIC]
    assert max(logits.max() for logits in real.read(answered, both)) > 0
    assert max(logits.max() for logits in real.read(not_answered, both)) < 0


@pytest.mark.weights
def test_rows_come_in_the_order_of_the_passages(real: Reader) -> None:
    question = "When was the Aswan High Dam completed?"
    some = [ENGLISH, passage("Short."), ARABIC, passage("A dog sleeps. A cat does not."), ENGLISH]
    rows = real.read(question, some)
    assert [len(row) for row in rows] == [3, 1, 3, 2, 3]
    for text, row in zip(some, rows, strict=True):
        [alone] = real.read(question, [text])
        assert row == pytest.approx(alone, abs=0.15)  # bfloat16, padded otherwise


@pytest.mark.weights
def test_what_is_cut_off_gets_minus_infinity(real: Reader) -> None:
    long = passage(" ".join(f"Sentence number {n} is here to fill the room." for n in range(80)))
    [logits] = real.read("When was the dam completed?", [long])
    assert np.isfinite(logits[:20]).all()
    assert (logits[-20:] == -np.inf).all()


@pytest.mark.weights
def test_another_embedders_file_is_refused(tmp_path: Path, embedder_in_use: Embedder) -> None:
    path = tmp_path / "r.safetensors"
    save_file(HEAD | {QUERY: torch.ones(4, 4)}, path)
    with pytest.raises(ModelError, match="is not a reader of this embedder"):
        Reader.load(embedder_in_use, path)
