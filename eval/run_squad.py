"""``rawi eval squad``: the paragraphs of a SQuAD file are the corpus.

A paragraph is a document of its own; its rank is that of its best passage. Questions about one
paragraph rise and fall together, so a cluster is a paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from llama_index.core.llms import LLM

from eval import corpus, metrics, run, score
from eval.files import Line
from eval.identity import Identity, fingerprint, of_rawi
from eval.metrics import DocSpan, normalize_folded
from eval.pool import Asked, Task
from eval.score import Scored
from eval.sets import find_span
from rag import current, reader, reranking
from rag.config import Settings
from rag.embedding import Embedder
from rag.engine import Engine
from rag.language import Language, clean
from rag.retrieval import Retriever

LEAST_RANKED = 10
"""Distinct paragraphs in a ranking, at the least: nDCG@10 and recall@10 need as many."""
_FIRST_ASKED = 50  # passages; a paragraph has two or three
_MARKER = re.compile(r"\s*\[\d+\]")


def run_squad(
    task: Task,
    out: Path,
    settings: Settings,
    embedder: Embedder,
    llm: LLM | None,
    *,
    details: Mapping[str, str],
    indexes: Path | None = None,
    limit: int | None = None,
    fresh: bool = False,
) -> Line:
    """Rank the paragraphs for every question, answer it if there is an LLM, and sum up.

    :param llm: None is ``--retrieval-only``.
    :param details: Paths and pool, for run.json and summary.json.
    :param indexes: Where the index of this pool is kept; ``out`` by default.
    :raises EvalError: When ``out`` belongs to another run.
    :raises GenerationError: When the LLM fails; what is answered is kept.
    """
    names = {f"{number:05}.txt": text for number, text in enumerate(task.texts)}
    key = corpus.hash_of(names)
    asked = {a.question.id: a for a in task.asked[:limit]}
    identity = Identity(
        kind="squad",
        set=fingerprint([[a.question.id, a.question.question] for a in task.asked]),
        corpus=key,
        # The same for rankings alone: the LLM can be added later.
        **of_rawi(settings, embedder.fingerprint, None),
    )
    with run.opened(out, identity, details, fresh=fresh) as folder:
        home = (indexes or out) / f"squad-{key[:12]}"
        placed = corpus.build(names, home, settings, embedder)
        with current.open_current(placed, embedder.fingerprint) as store:
            retriever = Retriever(
                store,
                embedder,
                placed.retrieval,
                reranker=reranking.load(placed),
                reader=reader.load(placed, embedder),
            )
            ranked = folder.each(
                "run.jsonl", asked, lambda a: _rank(retriever, a, len(names)), "rankings"
            )
            answers: dict[str, Line] = {}
            if llm is not None:
                pipeline = Engine(placed, retriever, llm)
                answers = folder.each(
                    "answers.jsonl",
                    asked,
                    lambda a: run.ask(pipeline, a.question.question),
                    "answers",
                )
            texts = corpus.texts_of(store)
        scored = _score(task, asked, ranked, answers, texts)
        about = {
            "kind": "squad",
            "system": "rawi",
            "set": {**details, "questions": len(asked), "of": len(task.asked)},
            "paragraphs": len(names),
        }
        return folder.finish(scored, answers, about)


def _rank(retriever: Retriever, asked: Asked, paragraphs: int) -> Line:
    """Return the numbers of the paragraphs, best first, and the evidence of one question."""
    question = clean(asked.question.question).strip()
    k = _FIRST_ASKED
    while True:
        found = retriever.passages(question, k)
        ranked = list(dict.fromkeys(int(PurePosixPath(f.doc).stem) for f in found))
        if len(ranked) >= min(LEAST_RANKED, paragraphs) or len(found) < k:
            break
        k *= 2
    evidence = [
        {"doc": f.doc, "start": f.start, "end": f.end, "score": f.score}
        for f in retriever.evidence(question)
    ]
    return {"ranked": ranked, "evidence": evidence}


def _score(
    task: Task,
    asked: Mapping[str, Asked],
    ranked: Mapping[str, Line],
    answers: Mapping[str, Line],
    texts: Mapping[str, str],
) -> list[Scored]:
    retrieval = metrics.retrieval_scores(
        {id_: line["ranked"] for id_, line in ranked.items()},
        {id_: [a.paragraph] for id_, a in asked.items()},
    )
    scored = []
    for id_, a in asked.items():
        values = {**retrieval[id_], **_evidence_values(a, ranked[id_], texts)}
        answer = answers.get(id_)
        if answer:
            values |= _answer_values(a, answer, task.question_language)
        scored.append(
            Scored(
                id=id_,
                cluster=str(a.paragraph),
                language=f"{task.question_language}→{a.paragraph_language}",
                category="",
                values=values,
                confidence=score.confidence(ranked[id_]),
                right=bool(retrieval[id_]["recall@1"]),
                about={
                    "question": a.question.question,
                    "gold_answer": a.question.answers[0].text,
                    "paragraph": a.paragraph,
                    **({k: answer[k] for k in ("answer", "abstained")} if answer else {}),
                },
            )
        )
    return scored


def _evidence_values(asked: Asked, line: Line, texts: Mapping[str, str]) -> dict[str, float]:
    """Say whether the evidence holds a gold answer where it stands in the paragraph.

    An answer that its paragraph doesn't hold, as some of ARCD's, says nothing.
    """
    doc = f"{asked.paragraph:05}.txt"
    places = [find_span(texts[doc], span.text, span.start) for span in asked.spans]
    shown: list[DocSpan] = [(e["doc"], e["start"], e["end"]) for e in line["evidence"]]
    hits = [metrics.covered([(doc, *place)], shown) for place in places if place]
    return {"evidence_hit": max(hits)} if hits else {}


def _answer_values(asked: Asked, answer: Line, language: Language) -> dict[str, float]:
    """Judge the answer as a reader would be: without markers, a refusal as nothing."""
    text = "" if answer["abstained"] else _MARKER.sub("", answer["answer"])
    golds: Sequence[str] = [gold.text for gold in asked.question.answers]
    values = {
        "exact_match": metrics.exact_match(text, golds),
        "exact_match_folded": metrics.exact_match(text, golds, normalize_folded),
        "f1": metrics.f1(text, golds),
        "f1_folded": metrics.f1(text, golds, normalize_folded),
        "error_rate": float(answer["abstained"]),
    }
    match = metrics.language_match_share([(language, answer["answer"])])
    return values if match is None else {**values, "language_match": match}
