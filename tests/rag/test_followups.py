from __future__ import annotations

import numpy as np
import pytest

from rag import config, followups, models, wording
from rag.conversation import Asked
from rag.embedding import Embedder
from rag.errors import ModelError
from rag.wording import Linear
from tests.conftest import VOCABULARY, WordEmbedder

WIDTH = len(VOCABULARY) + 1 + wording.PIECES
ASKED = Asked("the dog", "The cat? A cat. the dog", "The cat?", "The cat?\nA cat.", ("the dog",))
LONG = Asked("how big is the dog there", "…", "The cat?", "The cat?\nA cat.", ())


def dogs_lean(bias: float) -> Linear:
    """Gives "the dog" a logit of 1 / √2, and everything a bias."""
    weight = np.zeros((1, WIDTH), np.float32)
    weight[0, VOCABULARY.index("dog")] = 1
    return Linear(WordEmbedder(), weight, np.array([bias], np.float32))


def test_weights_decide() -> None:
    assert followups.decided(ASKED, dogs_lean(-0.7)) == ASKED
    alone = followups.decided(ASKED, dogs_lean(-0.8))
    assert (alone.context, alone.standalone) == ("", "the dog")


def test_without_a_past_nothing_is_decided() -> None:
    assert followups.decided(ASKED.alone(), dogs_lean(1.0)) == ASKED.alone()


def test_without_weights_short_questions_lean_on_what_came_before() -> None:
    assert followups.decided(ASKED, None) == ASKED
    assert followups.decided(LONG, None) == LONG.alone()


def test_the_built_in_ones_are_for_the_built_in_embedder() -> None:
    with pytest.raises(ModelError, match="can't be used with this embedder"):
        followups.load(WordEmbedder())


@pytest.fixture(scope="module")
def built_in() -> Linear:
    settings = config.load()
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    return followups.load(Embedder.load(settings.embedding, weights))


@pytest.mark.weights
@pytest.mark.parametrize(
    ("question", "leans"),
    [
        ("وليش؟", True),
        ("وكم كلفت؟", True),
        ("and when?", True),
        ("are you sure?", True),
        ("من هم مؤسسو مطحنة الوادي؟", False),
        ("Who are the founders of the island ferry?", False),
        ("Is there a bus to the ferry on Mondays?", False),
    ],
)
def test_what_leans_on_the_past(built_in: Linear, question: str, leans: bool) -> None:
    assert followups.leans(question, built_in) == leans
