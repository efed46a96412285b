"""Speed and growth, each side by side with a baseline in the same run; ratios first.

``make bench`` runs all of it in some fifteen minutes on two cores and writes bench.json and
bench.md. Timings move from machine to machine and from hour to hour; their ratios hold better, so
both sides take turns.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval import files
from eval.baseline import open_starter
from eval.identity import machine, now
from eval.run import Pipeline, answered
from eval.sets import Question, read_set
from rag import current, documents, engine, index, models, passages
from rag.config import Settings
from rag.embedding import Embedder, Vectors, load_embedder
from rag.engine import Timings
from rag.retrieval import Retriever

ROUNDS = 3
QUESTIONS = 5
GROWTH = (1_000, 10_000, 100_000)
# Synthetic passages a document; a document is embedded and written as one.
PASSAGES_PER_DOCUMENT = 500
DIMENSIONS = 384
TIMES: dict[str, Callable[[Timings], float]] = {
    "time to evidence": lambda timings: timings.retrieve_s,
    "time to first token": lambda timings: timings.first_token_s,
    "time to the whole answer": lambda timings: timings.total_s,
}


@dataclass(frozen=True)
class Comparison:
    """Rawi and a baseline at the same work, in turns; medians.

    :ivar ratio: Rawi's figure by the baseline's.
    """

    what: str
    unit: str
    rawi: float
    baseline: float
    ratio: float


@dataclass(frozen=True)
class Growth:
    """One size of an index of synthetic text with synthetic vectors.

    :ivar retrieve_ms: Median of one search without embedding the question.
    """

    passages: int
    index_s: float
    retrieve_ms: float


def run(settings: Settings, questions: Path, out: Path, limit: int | None = None) -> Path:
    """Measure everything and write the tables; returns bench.md.

    :param limit: Ask so many questions; ``QUESTIONS`` by default.
    :raises RawiError: When weights or index are missing.
    """
    embedder = load_embedder(settings)
    answered = answering(settings, embedder, questions, limit or QUESTIONS)
    comparisons = [indexing(settings, embedder), *answered]
    [embed_s] = _medians(20, lambda: embedder.embed_queries(["كم ساهمت SoftBank؟"]))
    result = {
        "environment": f"{now()}, {machine()}",
        "comparisons": [asdict(comparison) for comparison in comparisons],
        "growth": [asdict(growth(settings, size)) for size in GROWTH],
        "embed_question_ms": 1000 * embed_s,
    }
    out.mkdir(parents=True, exist_ok=True)
    files.write(out / "bench.json", json.dumps(result, indent=1))
    files.write(out / "bench.md", _table(result))
    return out / "bench.md"


def indexing(settings: Settings, embedder: Embedder) -> Comparison:
    """Embed the corpus' passages with Rawi and with a plain fp32 sentence-transformers loop."""
    from sentence_transformers import SentenceTransformer

    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    plain = SentenceTransformer(str(weights), device="cpu")
    inputs = [
        passages.of_document(document, piece, title=False)
        for doc in documents.list_files(settings.corpus)
        for document in [
            documents.parse(doc, documents.read_bytes(settings.corpus, doc, settings.documents))
        ]
        for piece in passages.cut(document, settings.passages.max_chars)
    ]
    texts = [form.text for form in inputs]
    prompted = [settings.embedding.passage_prompt + text for text in texts]
    ours, theirs = _medians(
        ROUNDS,
        lambda: embedder.embed_passages(inputs),
        lambda: plain.encode(prompted, batch_size=32, normalize_embeddings=True),
    )
    rawi, baseline = len(texts) / ours, len(texts) / theirs
    return Comparison("embedding", "passages/s", rawi, baseline, rawi / baseline)


def answering(
    settings: Settings, embedder: Embedder, questions: Path, most: int
) -> list[Comparison]:
    """Ask some questions of Rawi and of the llama-index starter on the same weights."""
    asked = [q for q in read_set(questions, Question) if q.answerable and not q.context_turns]
    asked = asked[: 1 + most]
    llm = engine.load_llm(settings)
    with (
        engine.open_retriever(settings, embedder) as retriever,
        open_starter(settings) as system,
    ):
        rawi = engine.Engine(settings, retriever, llm)
        pipelines: tuple[Pipeline, Pipeline] = (rawi, system.pipeline)
        for pipeline in pipelines:  # the first question of each fills its caches
            answered(pipeline, asked[0].question)
        pairs = [[answered(pipeline, q.question) for pipeline in pipelines] for q in asked[1:]]
    return [
        _compare(what, [(seconds(ours.timings), seconds(theirs.timings)) for ours, theirs in pairs])
        for what, seconds in TIMES.items()
    ]


def growth(settings: Settings, size: int) -> Growth:
    """Index ``size`` synthetic passages and search them."""
    embedder = HashEmbedder(fingerprint="synthetic", query_prompt="", passage_prompt="")
    with tempfile.TemporaryDirectory() as folder:
        corpus, place = Path(folder) / "corpus", Path(folder) / "storage"
        _write_corpus(corpus, size, settings.passages.max_chars)
        settings = settings.model_copy(update={"corpus": corpus, "storage": place})
        began = time.perf_counter()
        report = index.update(settings, embedder)
        index_s = time.perf_counter() - began
        with current.open_current(settings, embedder.fingerprint) as store:
            retriever = Retriever(store, embedder, settings.retrieval)
            retriever.evidence("warm up")
            # Of each word some tokens are in hardly any passage, some in nearly all.
            [search_s] = _medians(30, lambda: retriever.evidence("جولة تمويل word1234 word4321"))
    return Growth(report.passages, index_s, 1000 * search_s)


class HashEmbedder(Embedder):
    """Random but repeatable unit vectors: the cost of an index doesn't depend on their sense."""

    def encode(self, texts: list[str]) -> Vectors:
        """Return unit vectors ``(n, DIMENSIONS)`` that the texts alone decide."""
        seeds = (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
        rows = [
            np.random.default_rng(int.from_bytes(seed, "big")).standard_normal(DIMENSIONS)
            for seed in seeds
        ]
        vectors = np.stack(rows).astype(np.float32)
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


def _write_corpus(corpus: Path, size: int, chars: int) -> None:
    """Write ``size`` paragraphs of made-up words, each of which becomes one passage."""
    corpus.mkdir()
    words = np.random.default_rng(0).integers(0, 5_000, size=(size, chars // 10))
    for first in range(0, size, PASSAGES_PER_DOCUMENT):
        rows = words[first : first + PASSAGES_PER_DOCUMENT]
        lines = (" ".join(f"word{n}" for n in row) + "." for row in rows)
        (corpus / f"{first:07}.txt").write_text("\n".join(lines), encoding="utf-8")


def _compare(what: str, pairs: Sequence[tuple[float, float]]) -> Comparison:
    """Compare seconds; the ratio is the median of the pairs' own ratios."""
    return Comparison(
        what,
        "s",
        statistics.median(ours for ours, _ in pairs),
        statistics.median(theirs for _, theirs in pairs),
        statistics.median(ours / theirs for ours, theirs in pairs),
    )


def _medians(rounds: int, *works: Callable[[], Any]) -> list[float]:
    """Return the median seconds of each, run one after the other so many times."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, taken in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            taken.append(time.perf_counter() - began)
    return [statistics.median(taken) for taken in times]


def _table(result: dict[str, Any]) -> str:
    lines = [
        result["environment"],
        "",
        "| | ratio | Rawi | baseline | |",
        "|---|---|---|---|---|",
        *(
            f"| {c['what']} | {c['ratio']:.2f} | {c['rawi']:.2f} | {c['baseline']:.2f}"
            f" | {c['unit']} |"
            for c in result["comparisons"]
        ),
        "",
        "Synthetic text and vectors; searches without embedding the question, which takes"
        f" {result['embed_question_ms']:.0f} ms more.",
        "",
        "| passages | to the smallest | search, ms | indexing, s |",
        "|---|---|---|---|",
        *(
            f"| {g['passages']:,} | {g['retrieve_ms'] / result['growth'][0]['retrieve_ms']:.2f}"
            f" | {g['retrieve_ms']:.1f} | {g['index_s']:.1f} |"
            for g in result["growth"]
        ),
    ]
    return "\n".join(lines) + "\n"
