from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save_file

from rag import messages, wording
from rag.embedding import Embedder
from rag.errors import ModelError
from rag.messages import KINDS, Messages
from tests.conftest import VOCABULARY, WordEmbedder

WIDTH = len(VOCABULARY) + 1 + wording.PIECES


def cats_are_greetings(threshold: float) -> Messages:
    """Takes "cat" for a greeting, with a probability of e² / (e² + 6) = .55."""
    weight = np.zeros((len(KINDS), WIDTH), np.float32)
    weight[KINDS.index("greeting"), 0] = 2 * np.sqrt(2)  # "cat" is (1, 1) / √2
    return Messages(WordEmbedder(), weight, np.zeros(len(KINDS), np.float32), threshold)


def test_probabilities():
    found = cats_are_greetings(0.5).probabilities("cat")
    assert found[KINDS.index("greeting")] == pytest.approx(np.e**2 / (np.e**2 + 6))
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize(("threshold", "kind"), [(0.9, "greeting"), (0.95, "question")])
def test_in_doubt_it_is_a_question(threshold, kind):
    # That it is no question has the probability (e² + 5) / (e² + 6) = .925.
    assert cats_are_greetings(threshold).kind("cat") == kind


def test_a_file_is_read_for_its_embedder_alone(tmp_path):
    path = tmp_path / "messages.safetensors"
    kinds = len(KINDS)
    tensors = {"weight": (kinds, WIDTH), "bias": (kinds,), "threshold": (1,)}
    save_file({name: np.ones(shape, np.float16) for name, shape in tensors.items()}, path)
    assert Messages.load(WordEmbedder(), path).threshold == 1.0
    with pytest.raises(ModelError, match="can't be used with this embedder"):
        Messages.load(WordEmbedder(), messages.BUILT_IN)
    assert messages.load(WordEmbedder()) is None
    assert messages.load(None) is None


@pytest.mark.weights
@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Hello, how are you doing this morning?", "greeting"),
        ("صباح الخير، كيف حالك؟", "greeting"),
        ("Thank you very much, goodbye", "thanks"),
        ("شكرا جزيلا على المساعدة، مع السلامة", "thanks"),
        ("Who are you and what can you do for me?", "about"),
        ("من أنت وماذا تستطيع أن تفعل؟", "about"),
        ("Which files do you have, and how many?", "documents"),
        ("كم ملفًا لديك وما عناوينها؟", "documents"),
        ("Find the document about water prices", "find"),
        ("ابحث عن الوثيقة التي تتحدث عن أسعار المياه", "find"),
        ("Please summarise the annual report", "summary"),
        ("لخص لي التقرير السنوي", "summary"),
        ("What does the handbook say about greeting guests?", "question"),
        ("Who are the founders of the mill?", "question"),
        ("من هم مؤسسو المطحنة؟", "question"),
        ("ما المستندات المطلوبة للتسجيل في الدورة؟", "question"),
        ("Hello, what does a ticket to the castle cost?", "question"),
    ],
)
def test_what_a_message_wants(real_embedder: Embedder, message, kind):
    assert Messages.load(real_embedder).kind(message) == kind


@pytest.fixture(scope="module")
def real_embedder() -> Embedder:
    from rag import config, models
    from tests.conftest import ROOT

    settings = config.load(ROOT / "config.yaml")
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    return Embedder.load(settings.embedding, weights)
