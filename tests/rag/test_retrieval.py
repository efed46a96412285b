"""Order and scores, worked out by hand.

A text's vector counts its words of ``VOCABULARY``, with one more 1; the question "cat" is
(cat 1, 1) / √2, so its cosine with a text of c cats, n other counts squared and the 1 is
(c + 1) / (√2 · √(c² + n + 1)).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
from llama_index.core.schema import QueryBundle

from rag import current, index
from rag.config import RetrievalSettings, Settings
from rag.retrieval import Found, Retriever
from rag.storage import Storage
from tests.conftest import WordEmbedder, Write

DOCUMENTS = {
    "c.txt": "Cat.",  # 2 / (√2 · √2) = 1
    "k.txt": "Cat cat dog.",  # 3 / (√2 · √6)
    "b.txt": "Bird.",  # 1 / (√2 · √2) = 1/2
    "z.txt": "Dog, fish and bird.",  # 1 / (√2 · √4)
    "ع.txt": "كلب كلب، قط.",  # 1 / (√2 · √6); the question's cat is not قط
}
COSINES = {
    "c.txt": 1.0,
    "k.txt": 3 / math.sqrt(2 * 6),
    "b.txt": 1 / 2,
    "z.txt": 1 / math.sqrt(2 * 4),
    "ع.txt": 1 / math.sqrt(2 * 6),
}
# Vectors are kept in half precision: a cosine is off by at most one part in 2¹¹.
HALF = 2**-11

VECTORS_ALONE = {"words": 0, "words_across": 0, "names_across": 0, "sentence_words": 0}

Open = Callable[..., Retriever]


@pytest.fixture
def stores() -> Iterator[list[Storage]]:
    opened: list[Storage] = []
    yield opened
    for store in opened:
        store.close()


@pytest.fixture
def open_retriever(
    settings: Settings, embedder: WordEmbedder, write: Write, stores: list[Storage]
) -> Open:
    """Index these documents and open a retriever on them, with these settings."""

    def open_retriever(documents: dict[str, str], **changed: float) -> Retriever:
        for name, text in documents.items():
            write(name, text)
        index.update(settings, embedder)
        stores.append(current.open_current(settings, embedder.fingerprint))
        return Retriever(stores[-1], embedder, RetrievalSettings(**VECTORS_ALONE | changed))

    return open_retriever


def test_passages_come_best_first_with_their_exact_cosines(open_retriever: Open) -> None:
    found = open_retriever(DOCUMENTS).passages("cat")
    assert [passage.doc for passage in found] == list(COSINES)
    for passage in found:
        assert passage.score == pytest.approx(COSINES[passage.doc], abs=HALF)


def test_a_passage_is_told_whole(open_retriever: Open) -> None:
    found = open_retriever(DOCUMENTS).passages("قط")
    # 2 / (√2 · √6); the others have neither word: the nearest is 1 / (√2 · √2).
    assert found[0] == Found(
        doc="ع.txt", start=0, end=12, text="كلب كلب، قط.", language="ar", score=found[0].score
    )
    assert found[0].score == pytest.approx(2 / math.sqrt(2 * 6), abs=HALF)
    assert found[1].score == pytest.approx(1 / 2, abs=HALF)


def test_words_are_compared_folded(open_retriever: Open) -> None:
    found = open_retriever(DOCUMENTS).passages("قِطّ؟ CAT!", 2)
    # The question is (cat 1, قط 1, 1) / √3.
    expected = {
        "c.txt": 2 / math.sqrt(3 * 2),
        "k.txt": 3 / math.sqrt(3 * 6),
    }
    assert {passage.doc: passage.score for passage in found} == pytest.approx(expected, abs=HALF)


def test_a_score_may_be_negative(open_retriever: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    retriever = open_retriever({"c.txt": "Cat."})
    opposite = -retriever.embedder.embed_query("Cat.")
    monkeypatch.setattr(type(retriever.embedder), "embed_query", lambda *_: opposite)
    assert retriever.passages("cat")[0].score == pytest.approx(-1, abs=HALF)
    # The sentence and its passage are the same text, so their mean is -1 too.
    assert retriever.evidence("cat")[0].score == pytest.approx(-1, abs=HALF)


@pytest.mark.parametrize(("k", "docs"), [(1, 1), (3, 3), (None, 2), (50, 5)])
def test_k_is_respected(open_retriever: Open, k: int | None, docs: int) -> None:
    retriever = open_retriever(DOCUMENTS, passages=2)
    assert [found.doc for found in retriever.passages("cat", k)] == list(COSINES)[:docs]


TWO = "Cat. Dog dog."
# As one passage (cat 1, dog 2, 1) / √6: 2 / (√2 · √6); its nearest sentence is the question.
TWO_COSINE = 0.7 * 1.0 + 0.3 * 2 / math.sqrt(2 * 6)
CAT = 0.7 * 1.0 + 0.3 * TWO_COSINE
DOGS = 0.7 / math.sqrt(2 * 5) + 0.3 * TWO_COSINE  # (dog 2, 1) / √5: 1 / (√2 · √5)


def test_a_sentence_scores_by_its_own_cosine_and_its_passages(
    open_retriever: Open,
) -> None:
    found = open_retriever({"t.txt": TWO}).evidence("cat")
    assert [(sentence.text, sentence.start, sentence.end) for sentence in found] == [
        ("Cat.", 0, 4),
        ("Dog dog.", 5, 13),
    ]
    assert [sentence.score for sentence in found] == pytest.approx([CAT, DOGS], abs=HALF)


def test_sentences_of_several_passages_are_ranked_together(open_retriever: Open) -> None:
    documents = {"t.txt": TWO, "b.txt": "Bird.", "c.txt": "A cat!"}
    found = open_retriever(documents, evidence_sentences=4).evidence("cat")
    # "Bird." is its own passage: its score is its cosine, 1/2, between those of TWO's sentences.
    assert DOGS < 1 / 2 < CAT < 1
    assert [sentence.doc for sentence in found] == ["c.txt", "t.txt", "b.txt", "t.txt"]
    assert [sentence.score for sentence in found] == pytest.approx([1, CAT, 0.5, DOGS], abs=HALF)


def test_evidence_comes_from_the_best_passages_alone(open_retriever: Open) -> None:
    documents = {"t.txt": TWO, "b.txt": "Bird.", "c.txt": "A cat!"}
    found = open_retriever(documents, passages=2).evidence("cat")
    # The passages: cat.txt 1, two.txt .58, and bird.txt .5, which is the third.
    assert [sentence.doc for sentence in found] == ["c.txt", "t.txt", "t.txt"]


@pytest.mark.parametrize("limit", [1, 2, 3, 20])
def test_evidence_sentences_are_limited(open_retriever: Open, limit: int) -> None:
    retriever = open_retriever({"t.txt": TWO, "b.txt": "Bird."}, evidence_sentences=limit)
    found = [sentence.text for sentence in retriever.evidence("cat")]
    assert found == ["Cat.", "Bird.", "Dog dog."][:limit]


def test_a_follow_up_is_searched_half_by_what_went_before(open_retriever: Open) -> None:
    retriever = open_retriever({"c.txt": "Cat.", "d.txt": "Dog."}, evidence_sentences=2)
    found = retriever.evidence("cat", "dog")
    # "cat" is (1, 0, 1)/√2 and "dog\\ncat" (1, 1, 1)/√3; their sum, made a unit, meets "Cat." and
    # "Dog.", of one sentence each, at the cosine with the sum by its length.
    cat, both = 1 / 2**0.5, 1 / 3**0.5
    length = (2 * (cat + both) ** 2 + both**2) ** 0.5
    expected = [2 * (cat + both) / 2**0.5 / length, (cat + 2 * both) / 2**0.5 / length]
    assert [sentence.doc for sentence in found] == ["c.txt", "d.txt"]
    assert [sentence.score for sentence in found] == pytest.approx(expected, abs=HALF)


def test_a_follow_up_is_read_in_the_document_that_was_spoken_of(open_retriever: Open) -> None:
    documents = {"c.txt": "A cat!", "k.txt": "Cat cat.", "t.txt": "Dog dog dog.\n\nBird fish."}
    retriever = open_retriever(documents, passages=2)
    # "cat" is nearest to the first two, with "dog dog dog" and without, and t.txt is spoken of.
    assert {found.doc for found in retriever.evidence("cat cat cat")} == {"c.txt", "k.txt"}
    followed = retriever.evidence("cat cat cat", "Dog dog dog.")
    assert {found.doc for found in followed} == {"c.txt", "k.txt", "t.txt"}
    assert len({(found.doc, found.start) for found in followed}) == len(followed)


def test_every_text_is_a_slice_of_its_document(open_retriever: Open) -> None:
    text = "\ufeff# Cats\r\n\r\n\tThe cat sleeps.  Does the dog?\r\nنام قط. \u200bوكلب؟ نعم! " * 3
    retriever = open_retriever({"mixed.md": text}, evidence_sentences=20, passages=50)
    document = retriever.storage.text("mixed.md")
    for found in retriever.passages("cat قط") + retriever.evidence("cat قط"):
        assert document[found.start : found.end] == found.text != ""
    assert {found.language for found in retriever.evidence("cat قط")} == {"ar", "en"}


def test_it_is_a_retriever_of_llama_index(open_retriever: Open) -> None:
    retriever = open_retriever(DOCUMENTS, passages=2)
    nodes = retriever.retrieve(QueryBundle("cat"))
    assert [node.node.metadata["doc"] for node in nodes] == ["c.txt", "k.txt"]
    assert [node.score for node in nodes] == pytest.approx([1, 3 / math.sqrt(12)], abs=HALF)
    assert nodes[0].node.metadata["title"] == "Cat."


def test_a_search_within_some_documents(open_retriever: Open) -> None:
    retriever = open_retriever(DOCUMENTS).within(["z.txt", "b.txt", "gone.txt"])
    assert [found.doc for found in retriever.passages("cat")] == ["b.txt", "z.txt"]
    assert [found.doc for found in retriever.evidence("cat")] == ["b.txt", "z.txt"]


def test_a_search_within_no_documents_finds_nothing(open_retriever: Open) -> None:
    assert open_retriever(DOCUMENTS).within([]).passages("cat") == []


def test_vectors_that_are_not_true_yet_are_never_shown(open_retriever: Open) -> None:
    retriever = open_retriever({"c.txt": "Cat.", "b.txt": "Bird."})
    with retriever.storage.db as db:  # what a kill within an update leaves behind
        db.execute("DELETE FROM documents WHERE id = 'c.txt'")
    assert [found.doc for found in retriever.passages("cat")] == ["b.txt"]
    assert [found.doc for found in retriever.evidence("cat")] == ["b.txt"]


def test_equal_questions_get_equal_answers(open_retriever: Open) -> None:
    retriever = open_retriever({f"{n}.txt": "Cat." for n in range(30)}, passages=10)
    assert retriever.evidence("cat") == retriever.evidence("cat")
    assert retriever.passages("cat") == retriever.passages("cat")


# Words.

WORDS_ALIKE = {"one.txt": "Dog, one red balloon.", "t.txt": "Dog, one green kite."}


def test_of_two_passages_with_one_vector_that_with_the_words_is_nearer(
    open_retriever: Open,
) -> None:
    for question, doc in (("the red one", "one.txt"), ("the green kites", "t.txt")):
        retriever = open_retriever(WORDS_ALIKE | {"c.txt": "Cat."}, words=0.01)
        found = retriever.passages(question, 2)
        assert next(passage.doc for passage in found) == doc
        assert found[0].score > found[1].score


def test_words_only_lower_what_holds_fewer_than_the_best(open_retriever: Open) -> None:
    plain = {f.doc: f.score for f in open_retriever(DOCUMENTS).passages("a fish")}
    mixed = {f.doc: f.score for f in open_retriever(DOCUMENTS, words=0.01).passages("a fish")}
    # zoo.txt alone holds the word, so it is what the others are measured by. The Arabic passage
    # shares no word with the question, and that says nothing about it.
    assert {doc for doc in plain if mixed[doc] == plain[doc]} == {"z.txt", "ع.txt"}
    lowered = {doc: plain[doc] - mixed[doc] for doc in plain if mixed[doc] < plain[doc]}
    assert lowered == pytest.approx({"c.txt": 0.01, "k.txt": 0.01, "b.txt": 0.01})


@pytest.mark.parametrize(
    ("weight", "question", "right", "wrong"),
    [
        ("names_across", "أين ألتمان؟", "The kite of Altman.", "The kite of Johnson."),
        ("words_across", "من ارتفع ٩٣٢٠ نقطة؟", "It rose by 9320.", "It rose by 4177."),
    ],
)
def test_what_both_scripts_write_brings_a_passage_of_the_other_language(
    open_retriever: Open, weight: str, question: str, right: str, wrong: str
) -> None:
    documents = {"wrong.txt": wrong, "right.txt": right, "a.txt": "A boat.", "b.txt": "A train."}
    plain = open_retriever(documents).passages(question)
    found = open_retriever(documents, **{weight: 0.01}).passages(question)
    assert {passage.score for passage in plain} == {plain[0].score}
    assert found[0].doc == "right.txt"
    assert found[0].score > found[1].score == plain[0].score


def test_a_passage_that_only_words_find_is_found(open_retriever: Open) -> None:
    documents = {f"{n}.txt": "Cat." for n in range(60)} | {"far.txt": "Dog dog dog zyxwv."}
    retriever = open_retriever(documents, words=0.5)
    assert "far.txt" in [found.doc for found in retriever.passages("cat zyxwv", 50)]


def test_a_sentence_gains_by_the_questions_words(open_retriever: Open) -> None:
    retriever = open_retriever({"a.txt": "Dog one. Dog balloon."}, sentence_words=0.1)
    found = retriever.evidence("a balloon")
    assert [sentence.text for sentence in found] == ["Dog balloon.", "Dog one."]
    # Its vector is the other's: the gain is the whole weight, or nothing.
    assert found[0].score - found[1].score == pytest.approx(0.1, abs=HALF)


class Backwards:
    """A reranker that prefers what was last."""

    def order(self, question, texts):
        return list(reversed(range(len(texts))))


def test_a_reranker_reorders_and_leaves_the_scores_in_their_places(open_retriever: Open) -> None:
    plain = open_retriever(DOCUMENTS)
    reranked = Retriever(
        plain.storage, plain.embedder, RetrievalSettings(**VECTORS_ALONE), reranker=Backwards()
    )
    before, after = plain.passages("cat", 3), reranked.passages("cat", 3)
    assert [found.doc for found in after] == [found.doc for found in reversed(before)]
    assert [found.score for found in after] == [found.score for found in before]


# What units stand under, and copies.


def test_what_a_sentence_stands_under_is_found_with_it(open_retriever: Open) -> None:
    text = "# Pets\n\n## Cat\n\nSleeps at home.\n\n## Dog\n\nSleeps outside.\n"
    cat, dog = open_retriever({"p.md": text}, sentence_words=1).evidence("dog cat cat")
    assert (cat.text, cat.lead, cat.read) == ("Sleeps at home.", "Cat", "Cat: Sleeps at home.")
    assert dog.lead == "Dog"


def test_a_file_is_found_by_its_name(open_retriever: Open) -> None:
    documents = {"pets/cat.md": "Phone: 1234", "pets/dog.md": "Phone: 5678"}
    assert open_retriever(documents).passages("cat")[0].doc == "pets/cat.md"
    assert open_retriever(documents, words=1).evidence("dog")[0].text == "Phone: 5678"


def test_copies_of_a_passage_do_not_take_others_places(open_retriever: Open) -> None:
    documents = {f"{n}.txt": "Cat.\n\nCat cat." for n in range(5)} | {"9.txt": "Dog."}
    found = open_retriever(documents, passages=2).passages("cat")
    assert [passage.doc for passage in found] == ["0.txt", "9.txt"] or len(found) == 2
    assert len({passage.text for passage in found}) == 2


def test_a_sentence_that_stands_in_several_places_is_found_once(open_retriever: Open) -> None:
    documents = {"1.txt": "Cat cat. Dog.", "2.txt": "Cat cat. Fish."}
    found = open_retriever(documents, evidence_sentences=9).evidence("cat")
    assert sorted(sentence.text for sentence in found) == ["Cat cat.", "Dog.", "Fish."]


def test_copies_with_other_marks_at_their_end_are_found_once(open_retriever: Open) -> None:
    documents = {
        "1.txt": "Cat cat. Dog.",
        "2.txt": "Fish.\n\nCat cat",
        "3.txt": "Bird.\n\nCat cat!",
    }
    found = open_retriever(documents, evidence_sentences=9).evidence("cat")
    said = sorted(sentence.text.rstrip(".!") for sentence in found)
    assert said == ["Bird", "Cat cat", "Dog", "Fish"]


def test_copies_of_a_file_without_a_title_do_not_take_others_places(open_retriever: Open) -> None:
    text = "Cat cat:\n\nPhone: 1234"  # neither line is a title
    names = ("notes.txt", "notes (1).txt", "نسخة من notes.txt")
    found = open_retriever(dict.fromkeys(names, text) | {"9.txt": "Dog."}, passages=2)
    assert len({passage.text for passage in found.passages("cat")}) == 2


def test_the_same_text_under_two_titles_is_read_twice(open_retriever: Open) -> None:
    documents = {
        f"{title}.md": f"---\ntitle: {title}s\n---\n\nCat cat:\n" for title in ("Rule", "Note")
    }
    assert len(open_retriever(documents).passages("cat")) == 2


def test_a_vowelled_question_is_read_as_without_vowels(open_retriever: Open) -> None:
    retriever = open_retriever(DOCUMENTS)
    retriever.passages("أَيْنَ ٱلْقِطُّ؟")
    assert retriever.embedder.seen[-1] == "أين القط؟"
    retriever.passages("مَنْ رَأَى كَلْبًا")
    assert retriever.embedder.seen[-1] == "من رأى كلبا"


class EvenReader:
    """Finds every unit as likely as the others."""

    adds_up = True

    def judged(self, question, passages, scores):
        units = sum(map(len, scores))
        return [[1 / units for _ in row] for row in scores]


def test_what_announces_a_list_is_no_evidence_and_gives_its_share_to_the_items(
    open_retriever: Open,
) -> None:
    text = "Bring these:\n- a cat\n- a dog\n- a fish"
    retriever = open_retriever({"1.txt": text}, evidence_sentences=9)
    retriever.reader = EvenReader()
    found = retriever.evidence("what to bring?")
    assert {sentence.text for sentence in found} == {"a cat", "a dog", "a fish"}
    assert [sentence.score for sentence in found] == pytest.approx([1 / 3] * 3)
