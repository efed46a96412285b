"""Questions about written files, with what Rawi finds for them: all that an LLM gets to read."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.progress import track

from eval.training.reader_written import FILES_HELD_OUT
from rag import engine, index, models
from rag.config import Settings
from rag.drafting import distinct
from rag.embedding import Embedder
from rag.language import Language, clean
from rag.retrieval import Retriever


@dataclass(frozen=True)
class Found:
    """A question about files, and what Rawi finds for it, as an LLM reads it.

    :ivar uses: Numbers of the sentences that answer, from 1; empty where none does.
    :ivar answer: Short, in the question's language; None where none answers.
    :ivar others: Answers to other questions about the same file, in that language.
    """

    question: str
    language: Language
    sentences: tuple[str, ...]
    uses: tuple[int, ...]
    answer: str | None
    others: tuple[str, ...]


def read_found(folder: Path, settings: Settings) -> list[Found]:
    """Index the files where nobody else looks, and find the evidence for their questions.

    Those about files that are held out are left out, as are those whose answer isn't found, or only
    in part: whether anything else that is found answers them isn't known.
    """
    with TemporaryDirectory() as storage:
        update = {"corpus": folder / "corpus", "storage": Path(storage)}
        settings = settings.model_copy(update=update)
        weights = models.resolve(
            settings.embedding.model, kind="embedder", settings=settings.models
        )
        index.update(settings, Embedder.load(settings.embedding, weights))
        with engine.open_retriever(settings) as retriever:
            return _find(folder, retriever, settings.retrieval.prompt_sentences)


def _find(folder: Path, retriever: Retriever, sentences: int) -> list[Found]:
    lines = (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    answers = defaultdict[tuple[str, Language], list[str]](list)
    for row in map(json.loads, lines):
        if row["answer"]:
            answers[row["doc"], row["language"]].append(row["answer"])
    found = []
    for line in track(lines, "Finding evidence"):
        row = json.loads(line)
        if int(row["id"].split("-")[1]) % FILES_HELD_OUT == 0:
            continue
        language: Language = row["language"]
        read = distinct(retriever.evidence(clean(row["question"]).strip()))[:sentences]
        text = retriever.storage.text(row["doc"])
        golds = [
            (text.index(gold), text.index(gold) + len(gold)) for gold in map(clean, row["gold"])
        ]
        uses = tuple(
            n
            for n, each in enumerate(read, start=1)
            if each.doc == row["doc"] and any(a < each.end and each.start < z for a, z in golds)
        )
        held = all(
            any(read[n - 1].start < z and a < read[n - 1].end for n in uses) for a, z in golds
        )
        if read and held:
            others = [a for a in answers[row["doc"], language] if a != row["answer"]]
            texts = tuple(each.read for each in read)
            found.append(
                Found(row["question"], language, texts, uses, row["answer"], tuple(others))
            )
    return found
