from __future__ import annotations

import numpy as np
import pytest

from rag import messages, wording
from rag.embedding import Embedder
from rag.errors import ModelError
from rag.messages import KINDS
from rag.wording import Linear
from tests.conftest import VOCABULARY, WordEmbedder

WIDTH = len(VOCABULARY) + 1 + wording.PIECES


def cats_are_greetings(bias: float) -> Linear:
    """Gives "cat" a logit of 2 as a greeting, and everything a bias as a question."""
    weight = np.zeros((len(KINDS), WIDTH), np.float32)
    weight[KINDS.index("greeting"), 0] = 2 * np.sqrt(2)  # "cat" is (1, 1) / √2
    biases = np.zeros(len(KINDS), np.float32)
    biases[KINDS.index("question")] = bias
    return Linear(WordEmbedder(), weight, biases)


# All that is no question has the weight e² + 5 together, e raised to 2.52.
@pytest.mark.parametrize(("bias", "kind"), [(2.5, "greeting"), (2.6, "question")])
def test_in_doubt_it_is_a_question(bias, kind):
    assert messages.kind("cat", cats_are_greetings(bias)) == kind


def test_without_weights_everything_is_a_question():
    assert messages.kind("cat", None) == "question"


def test_the_built_in_ones_are_for_the_built_in_embedder():
    with pytest.raises(ModelError, match="can't be used with this embedder"):
        messages.load(WordEmbedder())


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
    assert messages.kind(message, messages.load(real_embedder)) == kind


@pytest.fixture(scope="module")
def real_embedder() -> Embedder:
    from rag import config, models
    from tests.conftest import ROOT

    settings = config.load(ROOT / "config.yaml")
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    return Embedder.load(settings.embedding, weights)
