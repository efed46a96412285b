"""The optional cross-encoder, as a folder that sentence-transformers itself has written."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag import config, models, reranking
from rag.config import Settings
from rag.errors import ModelError
from tests.conftest import ROOT


def naming(reranker: str | None) -> Settings:
    settings = config.load(ROOT / "config.yaml")
    retrieval = settings.retrieval.model_copy(update={"reranker": reranker})
    return settings.model_copy(update={"retrieval": retrieval})


def test_there_is_none_by_default() -> None:
    assert reranking.load(naming(None)) is None


@pytest.mark.parametrize("config_file", [None, "{}"])
def test_a_folder_that_is_none_is_one_clear_line(tmp_path: Path, config_file: str | None) -> None:
    if config_file is not None:
        (tmp_path / "config.json").write_text(config_file, encoding="utf-8")
    with pytest.raises(ModelError, match=r"retrieval\.reranker"):
        reranking.load(naming(str(tmp_path)))


@pytest.mark.weights
def test_texts_are_ordered_by_the_models_own_scores(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    settings = naming(str(tmp_path))
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    tokenizer = AutoTokenizer.from_pretrained(weights)
    tiny = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=1,
    )
    BertForSequenceClassification(tiny).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    texts = ["A cat.", "A dog sleeps.", "كلب", "One more text, and longer."]
    scores = CrossEncoder(str(tmp_path)).predict([("Who?", text) for text in texts])
    reranker = reranking.load(settings)
    assert reranker is not None
    expected = sorted(range(4), key=lambda i: -scores[i])
    assert reranker.order("Who?", texts) == expected
    assert reranker.order("Who?", texts[::-1]) == [3 - i for i in expected]
