"""Two runs over the same questions: how far apart they are, and which questions flipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from eval.statistics import Interval, holm, mcnemar, paired_difference

Values: TypeAlias = Mapping[str, Mapping[str, float]]
"""Question id to its value of every measure that applies."""

_EQUAL = 1e-12  # sums of shares that differ by less are equal


class Difference(NamedTuple):
    """How much higher one run's measure is than the other's, on the questions that both have.

    :ivar mean: Of the differences question by question.
    :ivar interval: By cluster bootstrap; ``None`` for fewer than two clusters.
    :ivar p: Of the exact sign test over clusters, adjusted by Holm for the measures compared.
    """

    measure: str
    questions: int
    mean: float
    interval: Interval | None
    p: float


def differences(ours: Values, theirs: Values, clusters: Mapping[str, str]) -> list[Difference]:
    """Compare every measure that both runs have, question by question.

    The sign test counts in how many clusters one run has the higher sum: where each question is a
    cluster of its own and the measure is right or wrong, it is McNemar's exact test. It asks which
    run wins more often, the interval by how much.

    :param ours: Of the run whose gain is positive.
    :param theirs: Of the run that it is compared with.
    :param clusters: Question id to its cluster, such as its paragraph.
    :return: One for each measure, in the order of ``ours``.
    """
    found: list[Difference] = []
    for measure in dict.fromkeys(name for values in ours.values() for name in values):
        ids = [q for q in ours if measure in ours[q] and measure in theirs.get(q, {})]
        if not ids:
            continue
        a, b = ([run[q][measure] for q in ids] for run in (ours, theirs))
        groups = [clusters[q] for q in ids]
        sums = dict.fromkeys(groups, 0.0)
        for group, x, y in zip(groups, a, b, strict=True):
            sums[group] += x - y
        interval = paired_difference(a, b, groups) if len(sums) > 1 else None
        p = mcnemar([s > _EQUAL for s in sums.values()], [s < -_EQUAL for s in sums.values()])
        found.append(Difference(measure, len(ids), (sum(a) - sum(b)) / len(ids), interval, p))
    adjusted = holm([difference.p for difference in found])
    return [d._replace(p=p) for d, p in zip(found, adjusted, strict=True)]


def flips(ours: Mapping[str, float], theirs: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """Return the ids of questions that went better in ``ours``, and of those that went worse."""
    both = [q for q in ours if q in theirs]
    return [q for q in both if ours[q] > theirs[q]], [q for q in both if ours[q] < theirs[q]]
