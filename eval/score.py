"""From one value per question to tables: by language and category, with intervals.

Questions of one cluster rise and fall together, so intervals resample clusters; what a cluster is,
each kind of set says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from eval import metrics
from eval.files import Line
from eval.sets import Item
from eval.statistics import cluster_bootstrap


@dataclass(frozen=True)
class Scored:
    """What a question's answer is worth.

    :ivar language: Of the question; ``question→paragraph`` in retrieval sets.
    :ivar values: By measure, each in [0, 1]; a measure that does not apply is left out.
    :ivar confidence: Of the pipeline that it can answer; higher is surer.
    :ivar right: Whether the answer was given and right.
    :ivar about: What a reader of the scores wants beside them: question, gold answer, …
    """

    id: str
    cluster: str
    language: str
    category: str
    values: Mapping[str, float]
    confidence: float
    right: bool
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> Line:
        """It as the line of scores.jsonl."""
        fields = asdict(self)
        about = fields.pop("about")
        return {**fields, **about}


def of_answer(
    item: Item,
    answer: Line,
    values: Mapping[str, float | None],
    *,
    right: bool,
    cluster: str = "",
    category: str = "",
    **about: Any,
) -> Scored:
    """Return what the answer to an item of a set is worth.

    :param answer: Its line of answers.jsonl.
    :param values: By measure; None where one doesn't apply.
    :param cluster: The item's own id by default.
    """
    return Scored(
        id=item.id,
        cluster=cluster or item.id,
        language=item.language,
        category=category,
        values={name: float(value) for name, value in values.items() if value is not None},
        confidence=confidence(answer),
        right=right,
        about={
            "question": item.question,
            **about,
            "answer": answer["answer"],
            "abstained": answer["abstained"],
        },
    )


def tables(scored: Sequence[Scored]) -> Line:
    """Return the measures over all questions, by language and by what else groups them."""
    summary: Line = {"metrics": _all_and_each(table, scored)}
    for by in ("category", "direction"):
        if groups := _grouped(scored, by):
            summary[f"by_{by}"] = {name: table(group) for name, group in groups.items()}
    return summary


def table(scored: Sequence[Scored]) -> Line:
    """Return ``{measure: {"mean", "low", "high", "n"}}``; see ``statistics.Estimate``.

    ``balanced_accuracy`` is made here of ``error_rate`` and ``hallucination_rate``.
    """
    judged: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for s in scored:
        for name, value in s.values.items():
            judged[name].append((value, s.cluster))
    if judged.keys() >= {"error_rate", "hallucination_rate"}:
        judged["balanced_accuracy"] = _balanced(judged["error_rate"], judged["hallucination_rate"])
    return {
        name: cluster_bootstrap([v for v, _ in pairs], [c for _, c in pairs])._asdict()
        for name, pairs in judged.items()
    }


def _balanced(*sorts: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Spread balanced accuracy over the questions, so that it can be resampled like a mean.

    It is the mean of two rates, a over n₁ answerable questions and u over n₀ unanswerable ones.
    Question i with outcome oᵢ (1 right, 0 wrong) of the answerable ones weighs
    (a + u) / 2 + (oᵢ - a) (n₁ + n₀) / (2 n₁), the others likewise: the mean is (a + u) / 2
    exactly, and the spread that of its linearisation, whatever the shares of the two sorts.

    :param sorts: Of either, whether each question went wrong, 1 or 0, and its cluster.
    """
    rates = [sum(1 - wrong for wrong, _ in sort) / len(sort) for sort in sorts]
    total, balanced = sum(map(len, sorts)), sum(rates) / 2
    return [
        (balanced + (1 - wrong - rate) * total / (2 * len(sort)), cluster)
        for sort, rate in zip(sorts, rates, strict=True)
        for wrong, cluster in sort
    ]


def risk_coverage(scored: Sequence[Scored]) -> Line:
    """Return the risk-coverage curve over all questions and by language.

    A question that the run refused has no answer to judge: it counts as wrong where the curve
    goes beyond the run's own coverage, so that there the curve is an upper bound of the risk.
    ``own`` is where the run itself stands.
    """
    return _all_and_each(_curve, scored)


def _curve(scored: Sequence[Scored]) -> Line:
    answers = [(s.confidence, s.right) for s in scored]
    answered = [s for s in scored if not s.about.get("abstained")]
    risk = metrics.share(not s.right for s in answered)
    return {
        "own": {"coverage": len(answered) / len(scored), "risk": risk},
        "points": [list(point) for point in metrics.risk_coverage(answers)],
    }


def costs(scored: Sequence[Scored], answers: Mapping[str, Mapping[str, Any]]) -> Line:
    """Return seconds (p50, p95) and mean tokens, over all answers and by language.

    The first token is counted where one was written, the rest over all questions.

    :param answers: Lines of answers.jsonl by id.
    """
    return _all_and_each(lambda group: _cost([answers[s.id] for s in group]), scored)


def _cost(answers: Iterable[Mapping[str, Any]]) -> Line:
    timed = [answer for answer in answers if answer["timings"]]
    everything = [answer["timings"] for answer in timed]
    written = [a["timings"] for a in timed if a["answer"] and not a["abstained"]]
    sources = {"retrieve_s": everything, "first_token_s": written, "total_s": everything}
    return {
        "seconds": {
            name: metrics.percentiles([timings[name] for timings in source])
            for name, source in sources.items()
            if source
        },
        "tokens_mean": {
            name: sum(timings[name] for timings in written) / len(written)
            for name in ("prompt_tokens", "completion_tokens")
            if written
        },
    }


def refusal_values(answerable: bool, abstained: bool) -> dict[str, float]:
    """Return the measures of refusing that apply to one question.

    Over a set's questions they are NoMIRACL's rates (Thakur et al. 2023, 2312.11361): of the
    unanswerable ones the share that is answered, of the answerable ones the share that is refused.
    """
    if answerable:
        return {"error_rate": float(abstained)}
    return {"hallucination_rate": float(not abstained)}


def failed(answers: Mapping[str, Mapping[str, Any]]) -> int:
    """Count the answers that the LLM should have written and failed to."""
    return sum("error" in answer or bool(answer.get("failure")) for answer in answers.values())


def confidence(answer: Mapping[str, Any]) -> float:
    """Return how sure the pipeline was; the score of the best evidence where it doesn't say."""
    best = max((found["score"] for found in answer["evidence"]), default=-1.0)
    return float(answer.get("confidence", best))


def _all_and_each(make: Callable[[Sequence[Scored]], Line], scored: Sequence[Scored]) -> Line:
    """Return what is made of all questions, and of those of each language."""
    groups = {"all": scored, **_grouped(scored, "language")}
    return {name: make(group) for name, group in groups.items()}


def _grouped(scored: Sequence[Scored], by: str) -> dict[str, list[Scored]]:
    """Return the questions by what their lines have under a key, without those of nothing."""
    groups: defaultdict[str, list[Scored]] = defaultdict(list)
    for s in scored:
        groups[s.line.get(by, "")].append(s)
    return {name: groups[name] for name in sorted(groups) if name}
