"""What was read → how reader and retrieval are added up, and what that is worth. Pure functions.

The fit is maximum likelihood of the softmax over a question's sentences and a null answer: the
probability of the sentences that hold the answer, or of the null where none that was found does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score

from eval import metrics
from eval.metrics import DocSpan, RiskPoint, covered
from rag.language import Language
from rag.reader import Logits, Scale, shares

Json = dict[str, float]
K = TypeVar("K")

HITS = (1, 2, 3, 5, 7)
# A second sentence is quoted when it is at least so likely as the first; above 1, never.
RATIOS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.01)
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
SHOWN = 7  # sentences that confidence is summed over, ``retrieval.evidence_sentences``
_HALF = 0.5  # of a gold span's characters
_FIRST_GUESS = (0.5, 10.0, -8.0)
_START_SCALES = (1.0, 10.0, 10.0)  # so that a step means as much for each constant


@dataclass(frozen=True)
class Case:
    """A question with the sentences that were found for it.

    :ivar logits: Of the reader, ``(sentences,)``; -inf for what it was cut off before.
    :ivar scores: Of retrieval, ``(sentences,)``.
    :ivar spans: Of the sentences.
    :ivar gold: Spans that hold the answer; none where there is none.
    :ivar source: The language of the document that answers.
    """

    language: Language
    category: str
    logits: Logits
    scores: npt.NDArray[np.float64]
    spans: tuple[DocSpan, ...]
    gold: tuple[DocSpan, ...]
    source: Language | None = None

    @property
    def holds(self) -> npt.NDArray[np.bool_]:
        """Whether each sentence holds a gold span, or most of one."""
        found = [
            bool(self.gold) and covered(self.gold, [span], least=_HALF) > 0 for span in self.spans
        ]
        return np.array(found, dtype=bool)


def fit(cases: Sequence[Case]) -> Scale:
    """Return the most likely constants for these cases."""
    start = torch.tensor(_FIRST_GUESS) / torch.tensor(_START_SCALES)
    free = start.double().requires_grad_()
    scales = torch.tensor(_START_SCALES).double()
    terms = [_term(case) for case in cases]
    optimizer = torch.optim.LBFGS([free], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.stack([_loss(features, wanted, free * scales) for features, wanted in terms])
        mean = loss.mean()
        mean.backward()  # type: ignore[no-untyped-call]
        return mean

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return Scale(*(float(value) for value in (free * scales).detach()))


def _term(case: Case) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ``(sentences, 3)`` features, and which of sentences and null may be right."""
    # What Scale.odds makes of unit constants, so that both clip alike.
    columns = [
        Scale(1, 0, 0).odds(case.logits, case.scores.tolist()),
        case.scores,
        np.ones(len(case.scores)),
    ]
    wanted = np.append(case.holds, not case.holds.any())
    return torch.from_numpy(np.stack(columns, 1)), torch.from_numpy(wanted)


def _loss(features: torch.Tensor, wanted: torch.Tensor, constants: torch.Tensor) -> torch.Tensor:
    odds = torch.cat([features @ constants, torch.zeros(1).double()])
    return torch.logsumexp(odds, 0) - torch.logsumexp(odds[wanted], 0)


def likelihood(cases: Sequence[Case], scale: Scale) -> float:
    """Return the mean log-likelihood of a question."""
    constants = torch.tensor([scale.read, scale.found, scale.bias]).double()
    return -float(torch.stack([_loss(*_term(case), constants) for case in cases]).mean())


def probabilities(case: Case, scale: Scale) -> npt.NDArray[np.float64]:
    """Return the probability of each sentence."""
    return np.array(shares([scale.odds(case.logits, case.scores.tolist())])[0])


def confidence(case: Case, scale: Scale) -> float:
    """Return the probability that one of the shown sentences answers."""
    return float(np.sort(probabilities(case, scale))[::-1][:SHOWN].sum())


def hits(cases: Sequence[Case], scale: Scale) -> Json:
    """Return the mean share of gold spans among the first k sentences, of answerable questions."""
    known = [case for case in cases if case.gold]
    return {
        f"hits@{k}": float(np.mean([_covered(case, _order(case, scale)[:k]) for case in known]))
        for k in HITS
    }


def auc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Return the chance that a positive lies above a negative, a tie counting half."""
    if not positive or not negative:
        return None
    wanted = [True] * len(positive) + [False] * len(negative)
    return float(roc_auc_score(wanted, [*positive, *negative]))


def aucs(cases: Sequence[Case], scale: Scale) -> dict[str, float | None]:
    """Return, of each kind of unanswerable question, how well it is told from the answerable."""
    answerable = [confidence(case, scale) for case in cases if case.gold]
    kinds = grouped((case for case in cases if not case.gold), lambda case: case.category)
    kinds["all"] = [case for of_kind in kinds.values() for case in of_kind]
    return {
        kind or "all": auc(answerable, [confidence(case, scale) for case in of_kind])
        for kind, of_kind in kinds.items()
    }


def rates(cases: Sequence[Case], scale: Scale, threshold: float) -> Json:
    """Return NoMIRACL's rates (2312.11361) of answering and refusing at a threshold of confidence.

    "hallucination_rate" is the share of questions without an answer that are answered, "error_rate"
    that of the others that are refused; there have to be some of both.
    """
    refused = np.array([confidence(case, scale) < threshold for case in cases])
    answerable = np.array([bool(case.gold) for case in cases])
    hallucinated, missed = 1 - refused[~answerable].mean(), refused[answerable].mean()
    return {
        "hallucination_rate": float(hallucinated),
        "error_rate": float(missed),
        "balanced_accuracy": float(1 - (hallucinated + missed) / 2),
    }


def best_threshold(cases: Sequence[Case], scale: Scale) -> float:
    """Return the threshold with the highest balanced accuracy."""
    return max(THRESHOLDS, key=lambda t: rates(cases, scale, t)["balanced_accuracy"])


def risk_coverage(cases: Sequence[Case], scale: Scale) -> list[RiskPoint]:
    """Return the curve of questions with known gold and of unanswerable ones.

    Right is what holds a gold span in its first sentence.
    """
    return metrics.risk_coverage(
        (confidence(case, scale), _covered(case, _order(case, scale)[:1]) > 0) for case in cases
    )


def seconds(cases: Sequence[Case], scale: Scale) -> list[Json]:
    """Return, for each ratio, what a second sentence is worth.

    ``quoted`` is the share of answers that have one, ``right`` the share of second sentences that
    hold gold, ``covered`` the share of gold spans in the whole answer, ``any`` the share of answers
    with any.
    """
    known = [case for case in cases if case.gold]
    rows = []
    for ratio in RATIOS:
        answers = [_quoted(case, scale, ratio) for case in known]
        second = [
            bool(case.holds[answer[1]])
            for case, answer in zip(known, answers, strict=True)
            if len(answer) > 1
        ]
        shares_ = [_covered(case, answer) for case, answer in zip(known, answers, strict=True)]
        rows.append(
            {
                "ratio": ratio,
                "quoted": len(second) / len(known),
                "right": float(np.mean(second)) if second else 0.0,
                "covered": float(np.mean(shares_)),
                "any": float(np.mean([share > 0 for share in shares_])),
            }
        )
    return rows


def grouped(cases: Iterable[Case], key: Callable[[Case], K]) -> dict[K, list[Case]]:
    """Return the cases by a key."""
    groups: dict[K, list[Case]] = {}
    for case in cases:
        groups.setdefault(key(case), []).append(case)
    return groups


def _quoted(case: Case, scale: Scale, ratio: float) -> list[int]:
    order, likely = _order(case, scale), probabilities(case, scale)
    return [n for i, n in enumerate(order[:2]) if i == 0 or likely[n] >= ratio * likely[order[0]]]


def _order(case: Case, scale: Scale) -> list[int]:
    return [int(n) for n in np.argsort(-probabilities(case, scale), kind="stable")]


def _covered(case: Case, chosen: Iterable[int]) -> float:
    return covered(case.gold, [case.spans[n] for n in chosen]) if case.gold else 0.0
