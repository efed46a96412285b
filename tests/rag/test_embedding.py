"""The real embedder: vectors of passages and of their sentences."""

from __future__ import annotations

import numpy as np
import pytest

from rag import config, models
from rag.embedding import Embedder, PassageInput
from rag.language import Span, split_sentences
from tests.conftest import ROOT

pytestmark = pytest.mark.weights

TEXT = "قادت SoftBank جولة التمويل. بلغت قيمة الجولة 40 مليار دولار! من يقود الشركة؟"


def load(**changed: object) -> Embedder:
    settings = config.load(ROOT / "config.yaml")
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    return Embedder.load(settings.embedding.model_copy(update=changed), weights)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load()


def passage(text: str, heading: str = "") -> PassageInput:
    return PassageInput(heading, text, tuple(split_sentences(text)), "ar")


def test_a_passage_is_embedded_as_its_text_would_be(embedder: Embedder) -> None:
    (found,) = embedder.embed_passages([passage(TEXT, "عنوان")])
    assert found.passage @ embedder.embed_texts([f"عنوان\n{TEXT}"])[0] == pytest.approx(1, abs=0.01)


def test_each_sentence_is_nearest_to_itself(embedder: Embedder) -> None:
    (found,) = embedder.embed_passages([passage(TEXT)])
    alone = embedder.embed_texts([TEXT[a:z] for a, z in split_sentences(TEXT)])
    assert found.sentences.shape == (3, 384)
    assert np.argmax(found.sentences @ alone.T, axis=1).tolist() == [0, 1, 2]
    assert np.linalg.norm(found.sentences, axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_passages_keep_their_order_whatever_their_length(embedder: Embedder) -> None:
    texts = ["قط.", TEXT * 3, "كلب كبير.", TEXT]
    together = embedder.embed_passages([passage(text) for text in texts])
    for text, found in zip(texts, together, strict=True):
        (alone,) = embedder.embed_passages([passage(text)])
        assert alone.passage @ found.passage == pytest.approx(1, abs=0.01)


def test_a_sentence_beyond_what_the_model_reads_has_its_passages_vector(embedder: Embedder) -> None:
    text = "كلمة " * 1_000 + "النهاية."
    long = PassageInput("", text, (Span(0, 4), Span(len(text) - 8, len(text))), "ar")
    (found,) = embedder.embed_passages([long])
    assert found.sentences[1] == pytest.approx(found.passage)


def test_half_the_bits_give_nearly_the_same_vectors(embedder: Embedder) -> None:
    full = load(dtype="float32")
    assert full.fingerprint == embedder.fingerprint
    assert full.embed_query(TEXT) @ embedder.embed_query(TEXT) == pytest.approx(1, abs=0.01)


def test_the_adapter_brings_the_languages_together(embedder: Embedder) -> None:
    plain = load(adapter="none")
    assert plain.fingerprint != embedder.fingerprint
    question = "Who led the funding round?"
    right, wrong = "قادت SoftBank جولة التمويل.", "The team led the league after the last round."

    def lead(embedder: Embedder) -> float:
        near, far = embedder.embed_texts([right, wrong]) @ embedder.embed_query(question)
        return float(near - far)

    assert lead(embedder) > max(0, lead(plain))


def test_a_third_language_does_not_come_between(embedder: Embedder) -> None:
    right = "قادت SoftBank جولة التمويل التي جمعت 40 مليار دولار."
    others = [
        "Le tour de France a été remporté par une équipe belge.",
        "Der Zug nach Berlin fährt um acht Uhr ab.",
        "The weather in Cairo was warm in spring.",
    ]
    cosines = embedder.embed_texts([right, *others]) @ embedder.embed_query("Who led the funding?")
    assert np.argmax(cosines) == 0
