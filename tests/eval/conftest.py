"""A small world with a right answer to everything: six sentences, an embedder, an LLM."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage, ChatResponse, ChatResponseGen, LLMMetadata

from eval import run_qa
from rag import current, index
from rag.config import Settings
from rag.retrieval import Retriever
from tests.conftest import WordEmbedder, Write
from tests.doubles import ScriptedLLM

SENTENCES = {
    "cat": "The cat weighs 4 kilos.",
    "dog": "The dog weighs 20 kilos.",
    "fish": "The fish lives in water.",
    "bird": "The bird flies 90 metres high.",
    "قط": "وزن قط 4 كيلو.",
    "كلب": "وزن كلب 20 كيلو.",
}
DOCS = {
    "en/pets.txt": f"{SENTENCES['cat']} {SENTENCES['dog']}",
    "en/wild.txt": f"{SENTENCES['fish']} {SENTENCES['bird']}",
    "ar/pets.txt": f"{SENTENCES['قط']} {SENTENCES['كلب']}",
}


def question(
    id_: str, text: str, language: str, sentence: str = "", must: str = "", category: str = "fact"
) -> dict[str, Any]:
    source = next((doc for doc, content in DOCS.items() if sentence and sentence in content), "")
    return {
        "id": id_,
        "question": text,
        "question_language": language,
        "answerable": bool(sentence),
        "category": category if sentence else "unanswerable",
        "source": source,
        "gold_spans": [sentence] if sentence else [],
        "answer": sentence,
        "must_include": [[must]] if must else [],
        "must_not_include": [],
        "context_turns": [],
    }


QUESTIONS = [
    question("en-cat", "How heavy is the cat?", "en", SENTENCES["cat"], "4 kilos"),
    question("en-dog", "How heavy is the dog?", "en", SENTENCES["dog"], "20 kilos"),
    question("en-fish", "Where does the fish live?", "en", SENTENCES["fish"], "water", "place"),
    question("en-bird", "How high does the bird fly?", "en", SENTENCES["bird"], "90"),
    question("ar-cat", "كم وزن قط؟", "ar", SENTENCES["قط"], "4 كيلو"),
    question("ar-dog", "كم وزن كلب؟", "ar", SENTENCES["كلب"], "20 كيلو"),
    question("en-horse", "How heavy is the horse?", "en"),
    question("en-wolf", "Where does the wolf live?", "en"),
    question("ar-horse", "كم وزن حصان؟", "ar"),
]


class Reader(ScriptedLLM):
    """Answers with the sentence of ``SENTENCES`` that comes first in the prompt's last message."""

    replies: deque[Any] = deque()  # noqa: RUF012 - pydantic copies the default
    asked: int = 0

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="reader", is_chat_model=True)

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        self.asked += 1
        prompt = messages[-1].content or ""
        found = [(prompt.index(s), s) for s in SENTENCES.values() if s in prompt]
        answer = min(found)[1] if found else "Nothing."
        yield ChatResponse(
            message=ChatMessage(role="assistant", content=answer),
            delta=answer,
            additional_kwargs={"prompt_tokens": 30, "completion_tokens": 5},
        )


WriteLines = Callable[[list[Any]], Path]


@pytest.fixture
def write_lines(tmp_path: Path) -> WriteLines:
    """Write a JSONL file."""

    def write(lines: list[Any]) -> Path:
        path = tmp_path / "set.jsonl"
        texts = [x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def questions(write_lines: WriteLines) -> Path:
    return write_lines(QUESTIONS)


@pytest.fixture
def small(settings: Settings) -> Settings:
    """Settings under which one sentence is all that is shown, and word counts alone decide."""
    vectors_alone = {"words": 0, "words_across": 0, "names_across": 0, "sentence_words": 0}
    limits = {"passages": 3, "evidence_sentences": 1, "min_score": 0.8, "reader": "none"}
    retrieval = settings.retrieval.model_copy(update=vectors_alone | limits)
    llm = settings.llm.model_copy(update={"backend": "openai"})  # no weights to look for
    embedding = settings.embedding.model_copy(update={"model": "words"})
    sections = {"retrieval": retrieval, "llm": llm, "embedding": embedding}
    return settings.model_copy(update=sections)


@pytest.fixture
def retriever(small: Settings, write: Write, embedder: WordEmbedder) -> Iterator[Retriever]:
    for doc, text in DOCS.items():
        write(doc, text)
    index.update(small, embedder)
    with current.open_current(small, embedder.fingerprint) as store:
        yield Retriever(store, embedder, small.retrieval)


@pytest.fixture
def system(small: Settings, retriever: Retriever) -> run_qa.System:
    """Rawi over ``DOCS``: every question of ``QUESTIONS`` goes right."""
    return run_qa.rawi(small, retriever, Reader())


@pytest.fixture
def squad() -> dict[str, Any]:
    """A SQuAD file: two articles with a paragraph for each of three animals."""

    def paragraph(animal: str) -> dict[str, Any]:
        text = SENTENCES[animal]
        answer = text.split()[-2] + " " + text.split()[-1].rstrip(".")
        qas = [
            {
                "id": f"{animal}-{i}",
                "question": f"{ask} {animal}?",
                "answers": [{"text": answer, "answer_start": 0}],
            }
            for i, ask in enumerate(("What about the", "Tell me of the"))
        ]
        return {"context": text, "qas": qas}

    return {
        "version": "1.1",
        "data": [
            {"title": "Pets", "paragraphs": [paragraph("cat"), paragraph("dog")]},
            {"title": "Wild", "paragraphs": [paragraph("fish"), paragraph("bird")]},
        ],
    }
