"""``rawi eval abstain``: whether it answers what given passages answer, and refuses the rest.

Each question's passages are documents of their own, and it is answered from those alone: finding
the right document is not asked for, all the rest is the product's own. A passage is given with its
article's title as first line, as a file of a corpus would have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from llama_index.core.llms import LLM

from eval import corpus, metrics, run, score
from eval.identity import (
    Identity,
    Line,
    fingerprint,
    model_names,
    pipeline_code,
    settings_of_answers,
)
from eval.score import Scored
from eval.sets import AbstentionItem, read_abstention
from rag import reader, storage
from rag.config import Settings
from rag.embedding import Embedder
from rag.engine import Engine
from rag.retrieval import Retriever


def run_abstain(
    path: Path,
    out: Path,
    settings: Settings,
    embedder: Embedder,
    llm: LLM | None,
    *,
    indexes: Path | None = None,
    limit: int | None = None,
    fresh: bool = False,
) -> Line:
    """Put every question to Rawi and return the summary.

    :param llm: None is ``--retrieval-only``: the reader alone decides, the answers are quotes.
    :param indexes: Where the index of the passages is kept; ``out`` by default.
    :raises EvalError: When the set can't be used or ``out`` belongs to another run.
    :raises GenerationError: When the LLM fails; what is answered is kept.
    """
    items = read_abstention(path)
    docs = {item.id: documents(number, item) for number, item in enumerate(items)}
    asked = {item.id: item for item in items[:limit]}
    key = corpus.hash_of({name: text for texts in docs.values() for name, text in texts.items()})
    identity = Identity(
        kind="abstain" if llm else "abstain, retrieval only",
        set=fingerprint([[item.id, item.question] for item in items]),
        corpus=key,
        settings=settings_of_answers(settings),
        models=model_names(settings, embedder.fingerprint, llm),
        code=pipeline_code(),
    )
    with run.opened(out, identity, {"file": str(path)}, fresh=fresh) as folder:
        home = (indexes or out) / f"abstain-{key[:12]}"
        texts = {name: text for id_ in asked for name, text in docs[id_].items()}
        placed = corpus.build(texts, home, settings, embedder)
        with storage.open_current(placed, embedder.fingerprint) as store:
            retriever = Retriever(
                store, embedder, placed.retrieval, reader=reader.load(placed, embedder)
            )
            engine = Engine(placed, retriever, llm)
            answers = folder.each(
                "answers.jsonl",
                asked,
                lambda item: run.ask(engine.within(docs[item.id]), item.question),
                "answers",
            )
        scored = [_score(item, answers[item.id]) for item in asked.values()]
        folder.write_lines("scores.jsonl", [score.line(s) for s in scored])
        return folder.write_summary(_summary(path, len(items), scored, answers, folder))


def documents(number: int, item: AbstentionItem) -> dict[str, str]:
    """Return an item's passages as files, by name.

    :param number: Of the item in its set.
    """
    return {
        f"{number:05}/{i:03}.txt": f"{passage.title}\n\n{passage.text}".lstrip()
        for i, passage in enumerate(item.passages)
    }


def _score(item: AbstentionItem, answer: Line) -> Scored:
    """Judge one decision; whether the text of an answer is right, the set doesn't say."""
    abstained = answer["abstained"]
    values = score.refusal_values(item.answerable, abstained)
    match = metrics.language_match_share([(item.language, answer["answer"])])
    if match is not None:
        values["language_match"] = match
    return Scored(
        id=item.id,
        cluster=item.id,
        language=item.language,
        category="",
        values=values,
        confidence=score.confidence(answer),
        right=item.answerable,
        about={
            "question": item.question,
            "answerable": item.answerable,
            "answer": answer["answer"],
            "abstained": abstained,
        },
    )


def _summary(
    path: Path,
    total: int,
    scored: Sequence[Scored],
    answers: Mapping[str, Line],
    folder: run.RunFolder,
) -> Line:
    return {
        "kind": "abstain",
        "system": "rawi",
        "set": {"file": str(path), "questions": len(scored), "of": total},
        "failed": score.failed(answers),
        **score.tables(scored),
        "risk_coverage": score.risk_coverage(scored),
        "costs": score.costs(scored, answers),
        "peak_memory_mb": folder.peak_memory_mb(),
    }
