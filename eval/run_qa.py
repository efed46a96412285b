"""``rawi eval qa``: a question set over a folder, put to Rawi or to another pipeline.

Questions about the same sentence rise and fall together, most of all an Arabic one and its English
twin, so a cluster is the first sentence that holds gold; a question without gold is its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from llama_index.core.llms import LLM

from eval import corpus, metrics, run, score
from eval.files import Line
from eval.identity import Identity, fingerprint, of_system
from eval.metrics import DocSpan
from eval.score import Scored
from eval.sets import Question, find_span, read_set
from rag import engine, sayings
from rag.config import Settings
from rag.engine import load_llm
from rag.errors import EvalError
from rag.language import detect, split_sentences
from rag.retrieval import Retriever

Outcome = Literal["right", "incomplete", "wrong", "refused"]


@dataclass(frozen=True)
class System:
    """A pipeline that is measured.

    :ivar name: As tables show it.
    :ivar texts: Document to its cleaned text: gold spans are looked up in it.
    :ivar identity: See ``identity.of_system``.
    :ivar rules: How it was set up, for the summary.
    """

    name: str
    pipeline: run.Pipeline
    texts: Mapping[str, str]
    identity: Identity
    rules: tuple[str, ...] = ()


@contextmanager
def open_rawi(settings: Settings, *, retrieval_only: bool = False) -> Iterator[System]:
    """Open Rawi over its index.

    :param retrieval_only: Load no LLM: the answers are quotes.
    :raises RawiError: As ``rag.engine.open_engine``; the index is not made here.
    """
    with engine.open_retriever(settings) as retriever:
        yield rawi(settings, retriever, None if retrieval_only else load_llm(settings))


def rawi(settings: Settings, retriever: Retriever, llm: LLM | None) -> System:
    """Describe Rawi as a system.

    :param llm: None answers with quotes alone.
    """
    return System(
        name="rawi, quotes alone" if llm is None else "rawi",
        pipeline=engine.make_engine(settings, retriever, llm),
        texts=corpus.texts_of(retriever.storage),
        identity=of_system(settings, retriever.embedder.fingerprint, llm),
    )


def run_qa(
    path: Path, out: Path, system: System, *, limit: int | None = None, fresh: bool = False
) -> Line:
    """Ask every question, write the files of ``eval.run``, and return the summary.

    :param limit: Ask only so many, from the first.
    :raises EvalError: When the set, the folder or the corpus don't fit.
    :raises GenerationError: When the LLM fails; what is answered is kept.
    """
    questions = read_set(path, Question)
    gold = {q.id: locate(q, system.texts, path) for q in questions}
    asked = {q.id: q for q in questions[:limit]}
    identity = replace(
        system.identity,
        kind=f"qa, {system.name}",
        set=fingerprint(
            [[q.id, q.question, list(map(asdict, q.context_turns))] for q in questions]
        ),
        corpus=corpus.hash_of(system.texts),
    )
    with run.opened(out, identity, {"file": str(path)}, fresh=fresh) as folder:
        answers = folder.each(
            "answers.jsonl",
            asked,
            lambda q: run.ask(system.pipeline, q.question, q.context_turns),
            f"{system.name}: answers",
        )
        scored = [_score(q, answers[q.id], gold[q.id], system) for q in asked.values()]
        about = {
            "kind": "qa",
            "system": system.name,
            "rules": list(system.rules),
            "set": {"file": str(path), "questions": len(scored), "of": len(questions)},
            "risk_coverage": score.risk_coverage(scored),
        }
        return folder.finish(scored, answers, about)


def locate(question: Question, texts: Mapping[str, str], path: Path) -> list[DocSpan]:
    """Find the gold spans in the documents that the question names, or else in any."""
    spans: list[DocSpan] = []
    for gold in question.gold_spans:
        docs = [*question.source, *(doc for doc in texts if doc not in question.source)]
        places = ((doc, find_span(texts.get(doc, ""), gold)) for doc in docs)
        found = next(((doc, *place) for doc, place in places if place), None)
        if found is None:
            raise EvalError(
                f"{path}: question {question.id!r}: no indexed document holds the gold span"
                f" {gold[:60]!r}; correct it, or index the right folder (--corpus, --storage)"
            )
        spans.append(found)
    return spans


def _cluster(question: Question, gold: Sequence[DocSpan], texts: Mapping[str, str]) -> str:
    if not gold:
        return question.id
    doc, start, _ = min(gold)
    sentence = next(s for s in reversed(split_sentences(texts[doc])) if s.start <= start)
    return f"{doc}:{sentence.start}"


def _score(question: Question, answer: Line, gold: Sequence[DocSpan], system: System) -> Scored:
    """Judge one answer; a measure that doesn't apply to it is None."""
    said = outcome(question, answer, gold)
    text, abstained, citations = answer["answer"], answer["abstained"], answer["citations"]
    right = said == "right"
    values: dict[str, float | None] = {
        **score.refusal_values(question.answerable, abstained),
        "right": right or (not question.answerable and abstained),
        "wrong": said == "wrong",
        "third_script": metrics.has_third_script(text, [cited["quote"] for cited in citations]),
        "verbatim_share": metrics.verbatim_share(citations, system.texts),
        "language_match": metrics.language_match(text, question.language),
    }
    if question.answerable:
        values["evidence_hit"] = metrics.covered(gold, _spans(answer["evidence"]))
        values["correct"] = right
        values["incomplete"] = said == "incomplete"
        values["right_in_its_words"] = right and sayings.is_pointer(text)
    if question.answerable and not abstained:
        cited = _spans(citations)
        recall = metrics.citation_recall(gold, cited)
        values["citation_precision"] = metrics.citation_precision(gold, cited)
        values["citation_recall"] = recall
        values["right_and_cited"] = recall > 0 if right else None
    return score.of_answer(
        question,
        answer,
        values,
        right=right,
        cluster=_cluster(question, gold, system.texts),
        category=question.category,
        answerable=question.answerable,
        direction=direction(question, gold, system.texts),
        outcome=said,
        gold_answer=question.answer,
        gold_spans=[list(span) for span in gold],
    )


def outcome(question: Question, answer: Line, gold: Sequence[DocSpan]) -> Outcome:
    """Return what a reader was given.

    Right holds everything that was asked for; incomplete some of it and nothing false, or no more
    than the quote that says it; wrong is whatever else was shown as an answer. Where there is no
    answer, only a correction of the premise is right, if the set says what that holds.
    """
    if answer["abstained"]:
        return "refused"
    if metrics.holds_any(answer["answer"], question.must_not_include):
        return "wrong"
    held = metrics.held_groups(answer["answer"], question.must_include)
    if question.must_include and held == len(question.must_include):
        return "right"
    if not question.answerable:
        return "wrong"
    quoted = answer.get("how") == "quoted" and metrics.citation_recall(
        gold, _spans(answer["citations"])
    )
    return "incomplete" if held or quoted else "wrong"


def direction(question: Question, gold: Sequence[DocSpan], texts: Mapping[str, str]) -> str:
    """Return the languages of a question and of what answers it: ``en ← ar``."""
    if not question.answerable:
        return f"{question.language}, unanswerable"
    doc, start, end = gold[0]
    return f"{question.language} ← {detect(texts[doc][start:end])}"


def _spans(found: Sequence[Mapping[str, Any]]) -> list[DocSpan]:
    return [(f["doc"], f["start"], f["end"]) for f in found]
