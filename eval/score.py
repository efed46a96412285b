"""From one value per question to tables: by language and category, with intervals.

Questions of one cluster rise and fall together, so intervals resample clusters; what a cluster is,
each kind of set says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from eval import metrics
from eval.files import Line
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


def tables(scored: Sequence[Scored]) -> Line:
    """Return the measures over all questions, by language and by category."""
    languages = _grouped(scored, lambda s: s.language)
    summary: Line = {
        "metrics": {"all": table(scored), **{k: table(v) for k, v in languages.items()}}
    }
    categories = _grouped((s for s in scored if s.category), lambda s: s.category)
    if categories:
        summary["by_category"] = {k: table(v) for k, v in categories.items()}
    return summary


def by_direction(scored: Sequence[Scored]) -> Line:
    """Return the measures by the languages of question and document."""
    groups = _grouped(scored, lambda s: str(s.about["direction"]))
    return {name: table(group) for name, group in sorted(groups.items())}


def table(scored: Sequence[Scored]) -> Line:
    """Return ``{measure: {"mean", "low", "high", "n"}}``; no bounds for fewer than two clusters.

    ``balanced_accuracy`` is made here of ``error_rate`` and ``hallucination_rate``.
    """
    names = dict.fromkeys(name for s in scored for name in s.values)
    result = {}
    for name in names:
        rows = [(s.values[name], s.cluster) for s in scored if name in s.values]
        result[name] = _value(rows)
    if "error_rate" in names and "hallucination_rate" in names:
        result["balanced_accuracy"] = _value(_balanced(scored))
    return result


def _value(rows: Sequence[tuple[float, str]]) -> Line:
    values, clusters = [v for v, _ in rows], [c for _, c in rows]
    low = high = None
    if len(set(clusters)) > 1:
        _, low, high = cluster_bootstrap(values, clusters)
    return {"mean": sum(values) / len(values), "low": low, "high": high, "n": len(values)}


def _balanced(scored: Sequence[Scored]) -> list[tuple[float, str]]:
    """Spread balanced accuracy over the questions, so that it can be resampled like a mean.

    It is the mean of two rates, a over n₁ answerable questions and u over n₀ unanswerable ones.
    Question i with outcome oᵢ (1 right, 0 wrong) of the answerable ones weighs
    (a + u) / 2 + (oᵢ - a) (n₁ + n₀) / (2 n₁), the others likewise: the mean is (a + u) / 2
    exactly, and the spread that of its linearisation, whatever the shares of the two sorts.
    """
    sorts = [
        [(1 - s.values[name], s.cluster) for s in scored if name in s.values]
        for name in ("error_rate", "hallucination_rate")
    ]
    rates = [sum(outcome for outcome, _ in sort) / len(sort) for sort in sorts]
    total, balanced = sum(map(len, sorts)), sum(rates) / 2
    return [
        (balanced + (outcome - rate) * total / (2 * len(sort)), cluster)
        for sort, rate in zip(sorts, rates, strict=True)
        for outcome, cluster in sort
    ]


def risk_coverage(scored: Sequence[Scored]) -> Line:
    """Return the risk-coverage curve over all questions and by language.

    A question that the run refused has no answer to judge: it counts as wrong where the curve
    goes beyond the run's own coverage, so that there the curve is an upper bound of the risk.
    ``own`` is where the run itself stands.
    """
    groups = {"all": list(scored), **_grouped(scored, lambda s: s.language)}
    return {name: _curve(group) for name, group in groups.items()}


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
    groups = {"all": list(scored), **_grouped(scored, lambda s: s.language)}
    return {name: _cost([answers[s.id] for s in group]) for name, group in groups.items()}


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


def applying(values: Mapping[str, float | None]) -> dict[str, float]:
    """Return the values without those of measures that do not apply, which are None."""
    return {name: float(value) for name, value in values.items() if value is not None}


def refusal_values(answerable: bool, abstained: bool) -> dict[str, float]:
    """Return the measures of refusing that apply to one question.

    Over a set's questions they are NoMIRACL's rates (Thakur et al. 2023, 2312.11361): of the
    unanswerable ones the share that is answered, of the answerable ones the share that is refused.
    """
    if answerable:
        return {"error_rate": float(abstained)}
    return {
        "refused_unanswerable": float(abstained),
        "hallucination_rate": float(not abstained),
    }


def failed(answers: Mapping[str, Mapping[str, Any]]) -> int:
    """Count the answers that the LLM should have written and failed to."""
    return sum("error" in answer or bool(answer.get("failure")) for answer in answers.values())


def confidence(answer: Mapping[str, Any]) -> float:
    """Return how sure the pipeline was; the score of the best evidence where it doesn't say."""
    best = max((found["score"] for found in answer["evidence"]), default=-1.0)
    return float(answer.get("confidence", best))


def quotes(answer: Mapping[str, Any]) -> list[metrics.Quote]:
    """Return what an answer cites."""
    keys = ("doc", "start", "end", "quote")
    return [metrics.Quote(*(cited[key] for key in keys)) for cited in answer["citations"]]


def _grouped(scored: Iterable[Scored], key: Callable[[Scored], str]) -> dict[str, list[Scored]]:
    groups: dict[str, list[Scored]] = {}
    for s in scored:
        groups.setdefault(key(s), []).append(s)
    return dict(sorted(groups.items()))
