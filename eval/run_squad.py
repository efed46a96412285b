"""``rawi eval squad``: the paragraphs of a SQuAD file are the corpus.

A paragraph is a document of its own; its rank is that of its best passage. Questions about one
paragraph rise and fall together, so a cluster is a paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Literal

from llama_index.core.llms import LLM

from eval import corpus, metrics, run, score
from eval.files import Line
from eval.identity import fingerprint, of_system
from eval.metrics import DocSpan, normalize_folded
from eval.score import Scored
from eval.sets import GoldAnswer, Squad, SquadQuestion, find_span, read_squad
from rag.config import Settings
from rag.embedding import Embedder
from rag.errors import EvalError
from rag.language import Language, clean
from rag.retrieval import Retriever

LEAST_RANKED = 10
"""Distinct paragraphs in a ranking, at the least: nDCG@10 and recall@10 need as many."""
_FIRST_ASKED = 50  # passages; a paragraph has two or three
_MARKER = re.compile(r"\s*\[\d+\]")

Pool = Literal["same", "mixed"]


@dataclass(frozen=True)
class Asked:
    """A question with what is gold for it in this pool.

    :ivar spans: Its answers in the paragraph's language, as that file has them.
    """

    question: SquadQuestion
    paragraph: int
    paragraph_language: Language
    spans: tuple[GoldAnswer, ...]


@dataclass(frozen=True)
class Task:
    """A corpus of paragraphs and the questions put to it.

    :ivar texts: By paragraph number.
    :ivar details: The files and the pool, for run.json and summary.json.
    """

    texts: tuple[str, ...]
    asked: tuple[Asked, ...]
    question_language: Language
    details: Mapping[str, str]


def make_task(passages: Path, questions: Path | None, pool: Pool) -> Task:
    """Read the files and mix the pool.

    :param questions: A file with the same ids in the other language; None asks ``passages``' own.
    :param pool: ``mixed`` takes every second paragraph, the odd ones counted from 0, from
        ``questions``.
    :raises EvalError: When a file is not SQuAD v1.1 or the two don't belong together.
    """
    base = read_squad(passages)
    other = base if questions is None else read_squad(questions)
    if pool == "mixed":
        if questions is None:
            raise EvalError("--pool mixed needs the other language: give --questions OTHER.json")
        _require_parallel(base, other, passages, questions)
    files = [base, other if pool == "mixed" else base]
    paragraphs = [files[number % 2].paragraphs[number] for number in range(len(base.paragraphs))]
    # As an article would stand in a folder.
    headings = [f"{p.title.replace('_', ' ')}\n\n" if p.title else "" for p in paragraphs]
    texts = tuple(h + p.text for h, p in zip(headings, paragraphs, strict=True))
    by_id = [{q.id: q for q in file.questions} for file in files]
    asked = []
    for question in other.questions:
        if question.id not in by_id[0]:
            raise EvalError(
                f"{questions}: question {question.id!r} is not in {passages}; give the same"
                " questions in the other language"
            )
        number = by_id[0][question.id].paragraph
        asked.append(
            Asked(
                question=question,
                paragraph=number,
                paragraph_language=files[number % 2].language,
                spans=tuple(
                    answer.model_copy(update={"start": answer.start + len(headings[number])})
                    for answer in by_id[number % 2][question.id].answers
                ),
            )
        )
    details = {"passages": str(passages), "questions_from": str(questions or passages)}
    return Task(texts, tuple(asked), other.language, {**details, "pool": pool})


def _require_parallel(base: Squad, other: Squad, passages: Path, questions: Path) -> None:
    """Raise unless both files have the same questions about the same paragraphs, in order."""
    ids = [[{q.id for q in p.qas} for p in squad.paragraphs] for squad in (base, other)]
    for number, (ours, theirs) in enumerate(zip_longest(*ids)):
        if ours != theirs:
            raise EvalError(
                f"{passages} and {questions} differ from paragraph {number} on; --pool mixed needs"
                " the same paragraphs in the same order"
            )
    if base.language == other.language:
        raise EvalError(
            f"{passages} and {questions} are both in {base.language!r}; --pool mixed needs one"
            " Arabic and one English file"
        )


def run_squad(
    task: Task,
    out: Path,
    settings: Settings,
    embedder: Embedder,
    llm: LLM | None,
    *,
    indexes: Path | None = None,
    limit: int | None = None,
    fresh: bool = False,
) -> Line:
    """Rank the paragraphs for every question, answer it if there is an LLM, and sum up.

    :param llm: None is ``--retrieval-only``.
    :param indexes: Where the index of this pool is kept; ``out`` by default.
    :raises EvalError: When ``out`` belongs to another run.
    :raises GenerationError: When the LLM fails; what is answered is kept.
    """
    names = {f"{number:05}.txt": text for number, text in enumerate(task.texts)}
    key = corpus.hash_of(names)
    asked = {a.question.id: a for a in task.asked[:limit]}
    identity = replace(
        # The same for rankings alone: the LLM can be added later.
        of_system(settings, embedder.fingerprint, None),
        kind="squad",
        set=fingerprint([[a.question.id, a.question.question] for a in task.asked]),
        corpus=key,
    )
    with run.opened(out, identity, task.details, fresh=fresh) as folder:
        home = (indexes or out) / f"squad-{key[:12]}"
        with corpus.opened(names, home, settings, embedder, llm) as rawi:
            ranked = folder.each(
                "run.jsonl", asked, lambda a: _rank(rawi.retriever, a, len(names)), "rankings"
            )
            answers: dict[str, Line] = {}
            if llm is not None:
                answers = folder.each(
                    "answers.jsonl",
                    asked,
                    lambda a: run.ask(rawi, a.question.question),
                    "answers",
                )
            texts = corpus.texts_of(rawi.retriever.storage)
        retrieval = metrics.retrieval_scores(
            {id_: line["ranked"] for id_, line in ranked.items()},
            {id_: [a.paragraph] for id_, a in asked.items()},
        )
        language = task.question_language
        scored = [
            _score(a, retrieval[id_], ranked[id_], answers.get(id_), language, texts)
            for id_, a in asked.items()
        ]
        about = {
            "kind": "squad",
            "system": "rawi",
            "set": {**task.details, "questions": len(asked), "of": len(task.asked)},
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
    asked: Asked,
    retrieval: Mapping[str, float],
    ranked: Line,
    answer: Line | None,
    language: Language,
    texts: Mapping[str, str],
) -> Scored:
    """Judge one ranking, and the answer if there is one.

    :param language: Of the question.
    """
    values = {**retrieval, **_evidence_values(asked, ranked, texts)}
    about = {
        "question": asked.question.question,
        "gold_answer": asked.question.answers[0].text,
        "paragraph": asked.paragraph,
    }
    if answer is not None:
        values |= _answer_values(asked, answer, language)
        about |= {key: answer[key] for key in ("answer", "abstained")}
    return Scored(
        id=asked.question.id,
        cluster=str(asked.paragraph),
        language=f"{language}→{asked.paragraph_language}",
        category="",
        values=values,
        confidence=score.confidence(ranked),
        right=bool(retrieval["recall@1"]),
        about=about,
    )


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
    golds = [gold.text for gold in asked.question.answers]
    values = {
        "exact_match": metrics.exact_match(text, golds),
        "exact_match_folded": metrics.exact_match(text, golds, normalize_folded),
        "f1": metrics.f1(text, golds),
        "f1_folded": metrics.f1(text, golds, normalize_folded),
        "error_rate": float(answer["abstained"]),
    }
    match = metrics.language_match(answer["answer"], language)
    return values if match is None else {**values, "language_match": match}
