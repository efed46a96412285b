"""Formulas, nothing else: what a run is scored by.

::

    retrieval   retrieval_scores                recall@k, MRR, nDCG@10
    evidence    covered                         is the gold span among what was shown
    answers     is_correct                      the must_include rule of a question set
                exact_match, f1
    citations   citation_precision, citation_recall, verbatim_share, stray_marker_share
    refusals    risk_coverage
    the rest    language_match, holds_control_text, percentiles, share

Every value is per question or a share in [0, 1]. A share over nothing (no citation in the whole
run, no unanswerable question in the set) is ``None``, never 0 or 1.
"""

from __future__ import annotations

import math
import re
import string
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

import ir_measures
import numpy as np

from rag.language import Language, detect, fold, foreign_letters

DocSpan: TypeAlias = tuple[str, int, int]
"""Document, start, end: characters of the cleaned text, ``start < end``."""

# ---------------------------------------------------------------------------------- retrieval

RETRIEVAL_MEASURES = {
    "recall@1": ir_measures.R @ 1,
    "recall@5": ir_measures.R @ 5,
    "recall@10": ir_measures.R @ 10,
    "mrr": ir_measures.RR,
    "ndcg@10": ir_measures.nDCG @ 10,
}


def retrieval_scores(
    ranked: Mapping[str, Sequence[int]], gold: Mapping[str, Collection[int]]
) -> dict[str, dict[str, float]]:
    """Score each question's ranking of passages, by trec_eval's definitions.

    With G the gold passages, r₁ r₂ … the ranking and rel(i) = 1 if rᵢ ∈ G, else 0:

    * recall@k = |G ∩ {r₁ … r_k}| / |G|
    * mrr = 1 / min{i : rel(i) = 1}, 0 when there is none; over the whole ranking, without a cut
    * ndcg@10 = Σ_{i≤10} rel(i) / log₂(i+1), divided by Σ_{i≤min(10,|G|)} 1 / log₂(i+1)

    Source: Järvelin and Kekäläinen 2002 (nDCG); trec_eval through ``ir-measures`` (Apache-2.0,
    https://github.com/terrierteam/ir_measures).

    :param ranked: Question id to passage numbers, each once, best first. A question that is missing
        here, or has an empty ranking, scores 0.
    :param gold: Question id to the passages that answer it, one or more. It says which questions
        count.
    :return: Question id to the values named in ``RETRIEVAL_MEASURES``, each in [0, 1].
    """
    qrels = {question: {str(p): 1 for p in relevant} for question, relevant in gold.items()}
    # trec_eval sorts by score and breaks ties by name: minus the rank keeps the given order.
    run = {
        question: {str(p): -float(rank) for rank, p in enumerate(passages)}
        for question, passages in ranked.items()
    }
    names = {measure: name for name, measure in RETRIEVAL_MEASURES.items()}
    scores: dict[str, dict[str, float]] = {
        question: dict.fromkeys(RETRIEVAL_MEASURES, 0.0) for question in gold
    }
    for metric in ir_measures.iter_calc(list(names), qrels, run):
        scores[metric.query_id][names[metric.measure]] = float(metric.value)
    return scores


# ----------------------------------------------------------------------------------- evidence

SENTENCE_GAP = 2
"""Two shown spans at most this far apart are read as one: a space or a blank line between them."""


def covered(gold: Collection[DocSpan], shown: Iterable[DocSpan], *, least: float = 1.0) -> float:
    """Share of the gold spans that stand in what was shown (evidence hit).

    A gold span g counts when |g ∩ ⋃ shown| / |g| ≥ ``least``, counted in characters. The default
    asks for the whole span, because half a sentence may leave out the very number that was asked
    for. Shown spans are sentences, so neighbours are joined over gaps of ``SENTENCE_GAP``: the
    space between two shown sentences is not missing evidence.

    :param gold: Spans that hold the answer; there has to be one.
    :param shown: Spans that were shown, in any order, overlapping or not.
    :param least: Share of a gold span's characters that must be shown, in (0, 1].
    :return: Share of gold spans that count, in [0, 1].
    """
    joined = _joined(shown)
    hits = sum(
        sum(max(0, min(end, e) - max(start, s)) for s, e in joined[doc]) >= least * (end - start)
        for doc, start, end in gold
    )
    return hits / len(gold)


def _joined(spans: Iterable[DocSpan]) -> defaultdict[str, list[tuple[int, int]]]:
    """Disjoint sorted intervals by document, joined over gaps of ``SENTENCE_GAP``."""
    joined: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for doc, start, end in sorted(spans):
        intervals = joined[doc]
        if intervals and start - intervals[-1][1] <= SENTENCE_GAP:
            intervals[-1] = (intervals[-1][0], max(end, intervals[-1][1]))
        else:
            intervals.append((start, end))
    return joined


# ------------------------------------------------------------------------------------ answers

_LATIN = "a-zß-öø-ɏ"
_MARKDOWN = str.maketrans("", "", "*`")
_THOUSANDS = re.compile(r"(?<!\d)\d{1,3}(?:,\d{3})+(?!,?\d)")


def is_correct(
    answer: str, must_include: Sequence[Sequence[str]], must_not_include: Sequence[str]
) -> bool:
    """Tell whether an answer is right: one alternative of every group, none of the forbidden.

    Both sides are folded. An alternative may stand anywhere, except that

    * a number is matched whole: ``6.6`` is not in ``16.6``, ``6.65`` or ``6.6.1``, ``5%`` not in
      ``25%``, ``30`` not in ``3.30`` or ``1,300``. Letters may follow it (``30bn``, ``30 مليارات``,
      ``بـ30``), a full stop too; ``1,500`` is ``1500`` and ``5 %`` is ``5%``. A number written onto
      a Latin word is part of a name: ``3`` is not in ``o3``.
    * a name that ends in a number ends there: ``GPT-5`` is not in ``GPT-5.5``, ``Grok-2`` not in
      ``Grok-20``, ``GPT-4`` not in ``GPT-4o``.
    * Latin letters are matched as whole words, in a plural or with an Arabic prefix too: ``Sora``
      is in ``Soras``, ``Sora's``, ``Sora2`` and ``وSora``, not in ``Sorandom``.

    A hyphen is a boundary (``mid-2024`` holds ``2024``, hence ``GPT-5`` holds ``5``): where that
    matters, the set gives the alternative with its unit.

    :param answer: What was answered.
    :param must_include: Groups of alternatives. No group at all asks for nothing.
    :param must_not_include: What a right answer does not hold.
    :return: Whether it is right.
    :raises ValueError: If a group is empty, or an alternative is when folded.
    """
    return held_groups(answer, must_include) == len(must_include) and not holds_any(
        answer, must_not_include
    )


def held_groups(answer: str, must_include: Sequence[Sequence[str]]) -> int:
    """Count the groups of which an answer holds an alternative, as ``is_correct`` looks for it.

    :raises ValueError: If a group is empty, or an alternative is when folded.
    """
    if not all(must_include):
        raise ValueError("must_include holds a group without alternatives")
    return sum(holds_any(answer, group) for group in must_include)


def holds_any(answer: str, alternatives: Sequence[str]) -> bool:
    """Tell whether an answer holds one of the alternatives, as ``is_correct`` looks for it."""
    text = _comparable(answer)
    return any(_pattern(alternative).search(text) for alternative in alternatives)


def _comparable(text: str) -> str:
    """Drop Markdown's signs, fold, and write numbers in one way."""
    text = fold(text.translate(_MARKDOWN))
    text = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), text)
    return re.sub(r"(?<=\d)\s+%", "%", text).strip()


def _pattern(alternative: str) -> re.Pattern[str]:
    """Pattern that finds an alternative in comparable text; see ``is_correct`` for its ends."""
    wanted = _comparable(alternative)
    if not wanted:
        raise ValueError(f"alternative {alternative!r} is empty when folded")
    before = after = ""
    if wanted[0].isdigit():
        before = rf"(?<![{_LATIN}\d])(?<!\d[.,])"
    elif re.match(f"[{_LATIN}]", wanted):
        before = f"(?<![{_LATIN}])"
    if wanted[-1].isdigit():
        after = r"(?!\d|[.,]\d)"
        if re.search(rf"[{_LATIN}][\d.-]*$", wanted):
            after += f"(?![{_LATIN}])"
    elif re.search(f"[{_LATIN}]$", wanted):
        after = f"s?(?![{_LATIN}])"
    return re.compile(before + re.escape(wanted) + after)


def normalize_squad(text: str) -> str:
    """Lower, drop ASCII punctuation, drop a/an/the, join white space, in this order.

    Source: Rajpurkar et al. 2016 (1606.05250), ``evaluate-v1.1.py``.

    :param text: A prediction or a gold answer.
    :return: Its words, one space between them.
    """
    bare = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def normalize_folded(text: str) -> str:
    """``normalize_squad`` over folded text, without any of Unicode's punctuation and leading ال.

    ال goes where two letters or more remain, as in the light10
    stemmer (Larkey et al. 2007). Give results of both normalisations: folding our own answers but
    not those that an earlier paper was scored by would flatter us.

    :param text: A prediction or a gold answer.
    :return: Its words, one space between them.
    """
    bare = "".join(c for c in fold(text) if not unicodedata.category(c).startswith("P"))
    words = normalize_squad(bare).split()
    return " ".join(w[2:] if w.startswith("ال") and len(w) >= 4 else w for w in words)


Normalizer: TypeAlias = Callable[[str], str]


def exact_match(
    prediction: str, golds: Collection[str], normalize: Normalizer = normalize_squad
) -> float:
    """SQuAD v1.1's EM: 1 when the normalised prediction equals a normalised gold answer, else 0.

    Source: Rajpurkar et al. 2016 (1606.05250), ``evaluate-v1.1.py``, which reports percent.

    :param prediction: What was answered.
    :param golds: All accepted answers; there has to be one.
    :param normalize: ``normalize_squad`` or ``normalize_folded``.
    :return: 0 or 1.
    """
    return float(any(normalize(prediction) == normalize(gold) for gold in golds))


def f1(prediction: str, golds: Collection[str], normalize: Normalizer = normalize_squad) -> float:
    """SQuAD v1.1's F1: the best overlap of words with a gold answer.

    With P and G the multisets of words, p = |P ∩ G| / |P|, r = |P ∩ G| / |G|:
    F1 = 2pr / (p + r), 0 when nothing overlaps (two empty answers too, as in v1.1); the maximum
    over the gold answers. Source: Rajpurkar et al. 2016 (1606.05250), ``evaluate-v1.1.py``.

    :param prediction: What was answered.
    :param golds: All accepted answers; there has to be one.
    :param normalize: ``normalize_squad`` or ``normalize_folded``.
    :return: In [0, 1].
    """
    predicted = Counter(normalize(prediction).split())
    best = 0.0
    for gold in golds:
        wanted = Counter(normalize(gold).split())
        common = (predicted & wanted).total()
        if common:
            # 2pr / (p + r) with the fractions resolved: the F1 of two bags of words.
            best = max(best, 2 * common / (predicted.total() + wanted.total()))
    return best


# ---------------------------------------------------------------------------------- citations


def citation_precision(gold: Collection[DocSpan], cited: Collection[DocSpan]) -> float:
    """Share of an answer's citations that overlap a gold span by at least one character.

    An answer without citations scores 0, as in ALCE (Gao et al. 2023, 2305.14627). ALCE asks a
    language model whether the citation supports the statement; here the gold span does.

    :param gold: Spans that hold the answer; there has to be one.
    :param cited: Spans that the answer cites.
    :return: In [0, 1].
    """
    return _overlapping(cited, gold) / len(cited) if cited else 0.0


def citation_recall(gold: Collection[DocSpan], cited: Collection[DocSpan]) -> float:
    """Share of the gold spans that a citation overlaps by at least one character.

    Source: as ``citation_precision``.

    :param gold: Spans that hold the answer; there has to be one.
    :param cited: Spans that the answer cites.
    :return: In [0, 1].
    """
    return _overlapping(gold, cited) / len(gold)


def _overlapping(spans: Collection[DocSpan], others: Collection[DocSpan]) -> int:
    """Count the spans that share a character with one of the others."""
    return sum(
        any(doc == d and max(start, s) < min(end, e) for d, s, e in others)
        for doc, start, end in spans
    )


def verbatim_share(
    citations: Iterable[Mapping[str, Any]], texts: Mapping[str, str]
) -> float | None:
    """Share of citations with ``quote == text[start:end]``, character for character.

    A quote of an unknown document, or with offsets outside of it, is not verbatim.
    Source: ragas' ``quoted_spans_alignment`` is the same idea without offsets.

    :param citations: As an answer gives them: ``doc``, ``start``, ``end`` and ``quote``.
    :param texts: Document to its cleaned text.
    :return: In [0, 1]; ``None`` when there is no citation.
    """
    return share(
        0 <= c["start"] < c["end"] <= len(text) and text[c["start"] : c["end"]] == c["quote"]
        for c in citations
        for text in [texts.get(c["doc"], "")]
    )


_MARKER = re.compile(r"[\[［【]\s*\^?\s*(\d{1,9}(?:\s*[,،;–-]\s*\d{1,9})*)\s*[\]］】]")


def stray_marker_share(answer: str, markers: Collection[int]) -> float | None:
    """Share of the numbers in brackets in an answer that stand for none of its citations.

    Counted as a reader would take them, so ``[1, 2]``, ``[^3]``, ``【4】`` and ``[٥]`` too.

    :param answer: What was answered.
    :param markers: Those of the answer's citations.
    :return: In [0, 1]; ``None`` when no number stands in brackets.
    """
    numbers = [int(n) for found in _MARKER.finditer(answer) for n in re.findall(r"\d+", found[1])]
    return share(number not in markers for number in numbers)


# ----------------------------------------------------------------------------------- refusals


class RiskPoint(NamedTuple):
    """What happens when everything with ``confidence >= threshold`` is answered."""

    threshold: float
    coverage: float
    risk: float


def risk_coverage(answers: Iterable[tuple[float, bool]]) -> list[RiskPoint]:
    """Points of the risk-coverage curve, one for each confidence that occurs, highest first.

    At threshold t: coverage = share of questions with confidence ≥ t; risk = share of those that
    are answered wrongly. Answers of equal confidence come and go together, because no threshold
    tells them apart. An unanswerable question counts as wrong at any coverage that answers it.

    Source: El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017 (1705.08500).

    :param answers: ``(confidence, correct)`` of each question, as if all were answered; at least
        one.
    :return: Points with rising coverage; the last has coverage 1.
    :raises ValueError: If a confidence is not a finite number.
    """
    ordered = sorted(answers, reverse=True)
    points = []
    taken = wrong = 0
    for confidence, group in groupby(ordered, key=lambda answer: answer[0]):
        if not math.isfinite(confidence):
            raise ValueError(f"confidence {confidence} is not a finite number")
        flags = [correct for _, correct in group]
        taken += len(flags)
        wrong += sum(not correct for correct in flags)
        points.append(RiskPoint(float(confidence), taken / len(ordered), wrong / taken))
    return points


# ----------------------------------------------------------------------------------- the rest


def share(flags: Iterable[bool]) -> float | None:
    """Share of true flags.

    :param flags: One for each thing that is judged.
    :return: In [0, 1]; ``None`` when there is nothing to judge.
    """
    judged = [bool(flag) for flag in flags]
    return sum(judged) / len(judged) if judged else None


def language_match(answer: str, language: Language) -> bool | None:
    """Tell whether an answer is in the asker's language; a refusal is an answer too.

    One without a letter (``300``) is in no language: ``None``; BERGEN leaves out all
    up to 20 characters. Source: BERGEN's correct-language rate (Chirkova et al. 2024, 2407.01463).
    """
    return detect(answer) == language if any(map(str.isalpha, answer)) else None


_TEMPLATE_TOKEN = re.compile(
    r"<[|｜][^<>\n]{1,40}[|｜]>|\[/?INST\]|<</?SYS>>|</?s>|</?(?:start|end)_of_turn>", re.IGNORECASE
)
# Zero width, bidi controls, fillers, variation selectors, tags; not taken from rag.language.clean,
# which would then be judged by itself.
_UNSEEN = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)


def holds_control_text(answer: str) -> bool:
    """Tell whether an answer holds what is for a machine and not for its reader.

    That is a token of a chat template (``<|im_start|>``, ``[INST]``, ``</s>``), or a character
    that has no width or turns the direction of writing.

    :param answer: What was answered.
    :return: Whether it holds any.
    """
    return bool(_TEMPLATE_TOKEN.search(answer) or _UNSEEN.search(answer))


def has_third_script(answer: str, quotes: Sequence[str] = ()) -> bool:
    """Tell whether an answer holds a letter that is neither Arabic nor Latin, and in no quote.

    :param quotes: What it cites: a document may write α.
    """
    return bool(foreign_letters(answer) - foreign_letters("".join(quotes)))


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile, interpolated linearly between the two nearest values.

    The q-th percentile of N sorted values x₀ … stands at position h = (N-1) q / 100:
    x_⌊h⌋ + (h - ⌊h⌋) (x_⌊h⌋₊₁ - x_⌊h⌋). Source: Hyndman and Fan 1996, type 7; numpy's default.

    :param values: Measured times, in any unit; there has to be one.
    :return: ``{"p50": …, "p95": …}`` in the unit of ``values``.
    """
    return {f"p{point}": float(np.percentile(values, point)) for point in (50, 95)}
