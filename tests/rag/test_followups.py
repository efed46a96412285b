from __future__ import annotations

import numpy as np
import pytest

from rag import config, followups, models, wording
from rag.conversation import Asked
from rag.embedding import Embedder
from rag.errors import ModelError
from rag.followups import FollowUps
from tests.conftest import VOCABULARY, WordEmbedder

WIDTH = len(VOCABULARY) + 1 + wording.PIECES
ASKED = Asked("the dog", "The cat? A cat. the dog", "The cat?\nA cat.", ("the dog",))
LONG = Asked("how big is the dog there", "…", "The cat?\nA cat.", ())


def test_weights_decide() -> None:
    weight = np.zeros(WIDTH, np.float32)
    weight[VOCABULARY.index("dog")] = 1  # its part of "the dog" is 1 / √2
    assert followups.decided(ASKED, FollowUps(WordEmbedder(), weight, -0.7)) == ASKED
    alone = followups.decided(ASKED, FollowUps(WordEmbedder(), weight, -0.8))
    assert (alone.context, alone.standalone) == ("", "the dog")


def test_without_a_past_nothing_is_decided() -> None:
    weight = np.ones(WIDTH, np.float32)
    asked = followups.decided(ASKED.alone(), FollowUps(WordEmbedder(), weight, 1.0))
    assert asked == ASKED.alone()


def test_without_weights_short_questions_lean_on_what_came_before() -> None:
    assert followups.decided(ASKED, None) == ASKED
    assert followups.decided(LONG, None) == LONG.alone()


def test_the_built_in_ones_are_for_the_built_in_embedder() -> None:
    with pytest.raises(ModelError, match="can't be used with this embedder"):
        FollowUps.load(WordEmbedder())
    assert followups.load(WordEmbedder()) is None
    assert followups.load(None) is None


@pytest.fixture(scope="module")
def built_in() -> FollowUps:
    settings = config.load()
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    return FollowUps.load(Embedder.load(settings.embedding, weights))


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
def test_what_leans_on_the_past(built_in: FollowUps, question: str, leans: bool) -> None:
    assert built_in.leans(question) == leans
