from __future__ import annotations

import math
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from rag import conversation, followups, wording
from rag.config import Settings
from rag.conversation import Asked, Turn
from rag.errors import ModelError
from rag.followups import SIGNS, FollowUps
from rag.retrieval import Found
from tests.conftest import VOCABULARY, WordEmbedder

WIDTH = SIGNS + len(VOCABULARY) + 1 + wording.PIECES
ASKED = Asked("the dog", "The cat? A cat. the dog", "The cat?\nA cat.", ("the dog",), "The cat?")
LONG = Asked("how big is the dog there", "…", "The cat?\nA cat.", (), "The cat?")


def found(doc: str, score: float) -> list[Found]:
    return [Found(doc, 0, 5, "text.", score, "en")]


class TwoWays:
    """A retriever that is surer with what came before, or without."""

    def __init__(self, alone: float, together: float) -> None:
        self._alone, self._together = alone, together
        self.searches = 0

    def evidence(self, question: str, context: str = "", *, read_as: str = "") -> list[Found]:
        self.searches += 1
        return found("b.txt", self._together) if context else found("a.txt", self._alone)


def surer_with_what_came_before() -> FollowUps:
    weight = np.zeros(WIDTH, np.float32)
    weight[:2] = -1, 1
    return FollowUps(WordEmbedder(), weight, 0.0)


def test_the_signs_worked_out():
    cat, dog = WordEmbedder().embed_query("cat"), WordEmbedder().embed_query("dog")
    row = followups.features(ASKED, dog, cat, found("a.txt", 0.5), found("b.txt", 0.8))
    odds = math.log(4) / 4
    assert row[:SIGNS].tolist() == pytest.approx([0, odds, odds, 0, 0, math.log(3), 1 / 2])
    assert row.shape == (WIDTH,)


def test_without_evidence_nothing_is_sure():
    vector = WordEmbedder().embed_query("dog")
    row = followups.features(ASKED, vector, vector, [], [])
    assert row[0] == pytest.approx(math.log(0.001 / 0.999) / 4)


@pytest.mark.parametrize(("alone", "together", "leans"), [(0.9, 0.2, False), (0.2, 0.9, True)])
def test_a_question_is_read_as_it_is_answered_better(alone, together, leans):
    asked, evidence = followups.read(ASKED, TwoWays(alone, together), surer_with_what_came_before())
    assert (asked == ASKED, evidence[0].doc) == (leans, "b.txt" if leans else "a.txt")
    assert leans or (asked.context, asked.standalone) == ("", "the dog")


def test_without_a_past_it_is_searched_for_once():
    retriever = TwoWays(0.9, 0.9)
    asked, _ = followups.read(ASKED.alone(), retriever, surer_with_what_came_before())
    assert (asked.context, retriever.searches) == ("", 1)


def test_without_weights_short_questions_lean_on_what_came_before():
    assert followups.read(ASKED, TwoWays(0.9, 0.9), None)[0] == ASKED
    assert followups.read(LONG, TwoWays(0.9, 0.9), None)[0] == LONG.alone()


def test_the_built_in_ones_are_for_the_built_in_embedder():
    with pytest.raises(ModelError, match="can't be used with this embedder"):
        FollowUps.load(WordEmbedder())
    assert followups.load(WordEmbedder()) is None
    assert followups.load(None) is None


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """The real embedder and reader on two short articles, and what they tell follow-ups by."""
    from rag import config, index, models
    from rag.embedding import Embedder
    from rag.engine import open_retriever
    from tests.conftest import ROOT

    folder = tmp_path_factory.mktemp("articles")
    (folder / "corpus").mkdir()
    for name, text in ARTICLES.items():
        (folder / "corpus" / name).write_text(text, "utf-8")
    settings: Settings = config.load(
        ROOT / "config.yaml", corpus=folder / "corpus", storage=folder / "storage"
    )
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    embedder = Embedder.load(settings.embedding, weights)
    index.update(settings, embedder)
    with open_retriever(settings, embedder) as retriever:
        yield SimpleNamespace(retriever=retriever, follows=FollowUps.load(embedder))


ARTICLES = {
    "mill.txt": (
        "مطحنة الوادي\n\nأسس المطحنة الأخوان كريم وسليم الحاج عام 1921. بلغت تكلفة بنائها 40 ألف"
        " ليرة. أُغلقت المطحنة عام 1964 لأن النهر جف."
    ),
    "ferry.txt": (
        "The island ferry\n\nThe ferry was founded by Mona Saleh and Tom Reed in 1988. A ticket"
        " costs 12 euros. The ferry does not sail on Mondays because it is cleaned then."
    ),
}


@pytest.mark.weights
@pytest.mark.parametrize(
    ("first", "answer", "second", "leans"),
    [
        ("متى أُغلقت المطحنة؟", "أُغلقت المطحنة عام 1964 لأن النهر جف. [1]", "وليش؟", True),
        ("من أسس المطحنة؟", "الأخوان كريم وسليم الحاج [1]", "وكم كلفت؟", True),
        ("Who founded the ferry?", "Mona Saleh and Tom Reed [1]", "and when?", True),
        ("What does a ticket cost?", "A ticket costs 12 euros. [1]", "are you sure?", True),
        ("كم سعر تذكرة العبّارة؟", "12 يورو [1]", "من هم مؤسسو مطحنة الوادي؟", False),
        (
            "متى أُغلقت المطحنة؟",
            "أُغلقت المطحنة عام 1964 لأن النهر جف. [1]",
            "Who are the founders of the island ferry?",
            False,
        ),
    ],
)
def test_what_leans_on_the_past(articles, first, answer, second, leans):
    history = [Turn("user", first), Turn("assistant", answer)]
    asked = conversation.resolve(second, history, 4)
    read, _ = followups.read(asked, articles.retriever, articles.follows)
    assert bool(read.context) == leans
