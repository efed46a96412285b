"""Answers to what is no question, over a real index with a made-up embedder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag import current, index, small_talk
from rag.config import RetrievalSettings, Settings
from rag.drafting import Draft
from rag.language import Language
from rag.messages import Kind
from rag.retrieval import Retriever
from tests.conftest import WordEmbedder, Write

DOCUMENTS = {
    "a.txt": "The cat book\n\nThe cat is small here. A cat sleeps all day long. It eats no bread.",
    "b.txt": "The dog book\n\nThe dog is rather big. A dog runs all day long. First comes a walk.",
    "c.txt": "كتاب الكلب\n\nالكلب كبير في هذا الكتاب. كلب يجري طول النهار هنا.",
}


@pytest.fixture
def retriever(settings: Settings, embedder: WordEmbedder, write: Write) -> Iterator[Retriever]:
    for name, text in DOCUMENTS.items():
        write(name, text)
    index.update(settings, embedder)
    with current.open_current(settings, embedder.fingerprint) as store:
        yield Retriever(store, embedder, RetrievalSettings())


def told(
    retriever: Retriever, kind: Kind, message: str, language: Language = "en", context: str = ""
) -> Draft:
    draft = small_talk.told(kind, message, context, language, retriever, 60)
    assert draft is not None
    assert draft.how == "told"
    for cited in draft.citations:
        assert retriever.storage.text(cited.doc)[cited.start : cited.end] == cited.quote
        assert f"[{cited.marker}]" in draft.text
    return draft


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("kind", ["greeting", "about"])
def test_a_greeting_names_some_documents(retriever, kind, language):
    draft = told(retriever, kind, "hi", language)
    assert all(title in draft.text for title in retriever.titles().values())
    assert draft.citations == ()


def test_thanks_are_answered_shortly(retriever):
    assert told(retriever, "thanks", "thanks").text.startswith("You're welcome.")
    assert told(retriever, "thanks", "شكرا", "ar").text.startswith("على الرحب والسعة")


def test_the_documents_are_counted_and_named(retriever):
    assert told(retriever, "documents", "which?").text == (
        "Documents that I can search: 3.\n1. “The cat book”\n2. “The dog book”\n3. “كتاب الكلب”"
    )
    some = retriever.within(["b.txt"])
    assert told(some, "documents", "which?").text.endswith(": 1.\n1. “The dog book”")


def test_of_many_documents_the_first_are_named(retriever, monkeypatch):
    monkeypatch.setattr(small_talk, "_LISTED", 1)
    assert told(retriever, "documents", "ما الوثائق؟", "ar").text == (
        "عدد الوثائق المتاحة: 3.\n1. «The cat book»\nوغيرها: 2."
    )


def test_a_document_is_found_and_cited_by_its_beginning(retriever):
    draft = told(retriever, "find", "the document about the cat")
    assert draft.text == "The documents that come nearest to that:\n“The cat book” [1]"
    assert [cited.quote for cited in draft.citations] == ["The cat is small here."]
    assert [found.text for found in small_talk.evidence(draft)] == ["The cat is small here."]


@pytest.mark.parametrize(
    ("message", "doc"),
    [
        ("summarise the cat book", "a.txt"),
        ("summarise the second document", "b.txt"),
        ("summarise the last one", "c.txt"),
        ("summarise document 1", "a.txt"),
    ],
)
def test_the_document_that_is_meant_is_summarised(retriever, message, doc):
    assert {cited.doc for cited in told(retriever, "summary", message).citations} == {doc}


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("message", ["Summarise “{}”", "لخّص «{}»"])
def test_a_title_in_quotation_marks_is_that_document_and_no_wording(retriever, message, language):
    for doc, title in retriever.titles().items():
        asked = message.format(title)
        assert {cited.doc for cited in told(retriever, "summary", asked).citations} == {doc}
        the_document = {"ar": "الوثيقة", "en": "the document"}[language]
        untitled = small_talk.untitled(asked, language, retriever)
        assert untitled in (f"Summarise {the_document}", f"لخّص {the_document}")
    other = "Summarise “The fish book”"
    assert small_talk.untitled(other, language, retriever) == other


def test_a_summary_is_made_of_the_documents_sentences_in_order(retriever):
    draft = told(retriever, "summary", "summarise the first")
    assert draft.text == (
        "The most telling sentences of “The cat book”: The cat is small here. [1] A cat sleeps all"
        " day long. [2] It eats no bread. [3]"
    )


def test_what_was_spoken_of_is_summarised(retriever):
    draft = told(retriever, "summary", "summarise it", context="dog dog dog dog")
    assert {cited.doc for cited in draft.citations} == {"b.txt"}


def test_a_document_in_the_other_language_is_pointed_at(retriever):
    draft = told(retriever, "summary", "لخص الوثيقة الأولى", "ar")
    assert draft.text == "أبرز ما جاء في «The cat book»، وهي وثيقة بالإنجليزية: [1] [2] [3]"


def test_the_only_document_is_meant(retriever):
    draft = told(retriever.within(["b.txt"]), "summary", "summarise this about a cat")
    assert {cited.doc for cited in draft.citations} == {"b.txt"}


def test_where_there_is_nothing_nothing_is_told(retriever):
    nothing = retriever.within([])
    assert small_talk.told("find", "cat", "", "en", nothing, 60) is None
    assert small_talk.told("summary", "cat", "", "en", nothing, 60) is None
