"""Join what reader and LLM tell of an answer: ``python -m eval.training.fit_confidence --help``.

Asks the questions of the sets to tune on that stand alone, finds their evidence as in use, and has
the LLM say each time which of it answers, if any. A logistic regression over its log-odds that any
does, and the reader's of the sentence that both choose, gives the constants of
``grounding.joined``; printed are they, how well sentences that answer are told from others, the
shares refused by threshold (``answer.min_confidence``), how often the sentence answers where a
probability says so, and how often a gold sentence leads, by the reader alone and by both.

Across languages the LLM answers as well. A second regression, over its log-odds that its answer is
right and how sure it was of the words, gives the constants of ``grounding.rightness``; printed are
they, and how many answers are shown, right and not, by threshold (``answer.min_right``).

Everything but the constants is measured on tenths that were held out. Five
seconds a question on two cores.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from llama_index.core.llms import LLM
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from eval import corpus, metrics
from eval.metrics import citation_precision
from eval.run_qa import locate
from eval.sets import Question, read_set
from eval.training.tuning_sets import SETS, Sets, indexed
from rag import config, conversation, drafting, engine, grounding, llm
from rag.config import Settings
from rag.drafting import Drafter
from rag.embedding import Embedder, load_embedder
from rag.errors import EvalError

_FOLDS = 10
_THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6)
_RIGHT_FROM = (-1.0, -0.4, 0.0, 0.4, 1.0)  # log-odds
_BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
_console = Console(highlight=False)

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def main(
    storage: Annotated[Path, typer.Option(help="Of the indexes, one for each set.")],
    sets: Sets = SETS,
    limit: Annotated[int | None, typer.Option(min=1, help="Questions of each set.")] = None,
) -> None:
    """Fit with the reader and the LLM of config.yaml."""
    embedder, model = load_embedder(config.load()), engine.load_llm(config.load())
    if model is None:
        raise EvalError("llm.backend is none: there is nothing to join")
    told = [
        asked(folder, indexed(folder, storage, embedder), embedder, model, limit) for folder in sets
    ]
    joined, short, leads = map(np.concatenate, zip(*told, strict=True))
    print_rightness(short[:, :2], short[:, 2] == 1)
    table = Table("gold sentence", "questions", "first by the reader", "by both")
    own = leads[:, 0] == 1
    for name, rows in (("in one language", leads[own]), ("across", leads[~own])):
        table.add_row(name, str(len(rows)), *map(str, rows[:, 1:].sum(axis=0, dtype=int)))
    _console.print(table)
    odds, right = joined[:, :2], joined[:, 2] == 1
    (read, answered), bias, held_out = fitted(odds, right)
    now = np.array([grounding.joined(1 / (1 + np.exp(-c)), a) for c, a in odds])
    _console.print(f"_READ, _ANSWERED, _BIAS = {read:.2f}, {answered:.2f}, {bias:.2f}")
    for name, values in {
        "reader": 1 / (1 + np.exp(-odds[:, 0])), "LLM": 1 / (1 + np.exp(-odds[:, 1])),
        "both, held out": held_out, "both, as they are": now,
    }.items():  # fmt: skip
        area, loss = roc_auc_score(right, values), log_loss(right, values)
        _console.print(f"{name}: AUC {area:.3f}, log-loss {loss:.3f}")
    table = Table("refused below", "of wrong sentences", "of right ones")
    for threshold in _THRESHOLDS:
        below = held_out < threshold
        shares = (np.mean(below[~right]), np.mean(below[right]))
        table.add_row(str(threshold), *(f"{share:.3f}" for share in shares))
    _console.print(table)
    table = Table("probability", "questions", "are answered by the sentence")
    for low, high in pairwise(_BINS):
        within = (held_out >= low) & (held_out < high)
        if within.any():
            share = np.mean(right[within])
            table.add_row(f"{low:.1f}-{high:.1f}", str(int(within.sum())), f"{share:.2f}")
    _console.print(table)


def fitted(values: Floats, true: Bools) -> tuple[Floats, float, Floats]:
    """Return a logistic regression's weights and bias, and its probabilities where held out."""
    model = LogisticRegression(C=np.inf)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    held_out = cross_val_predict(model, values, true, cv=folds, method="predict_proba")[:, 1]
    model.fit(values, true)
    return model.coef_[0], model.intercept_[0], held_out


def print_rightness(said: Floats, right: Bools) -> None:
    """Fit and print what tells a right short answer from others.

    :param said: ``(answers, 2)``: the LLM's log-odds, and the mean log-probability of its tokens.
    """
    (yes, certain), bias, held_out = fitted(said, right)
    _console.print(f"_RIGHT, _CERTAIN, _SHORT = {yes:.2f}, {certain:.2f}, {bias:.2f}")
    _console.print(f"_USUAL = {said[:, 1].mean():.1f}")
    for name, values in {"asked": said[:, 0], "as written": said[:, 1], "both": held_out}.items():
        _console.print(f"{name}: AUC {roc_auc_score(right, values):.3f}")
    table = Table("shown from", "right", "not right", "right ones hidden")
    for least in _RIGHT_FROM:
        shown = np.log(held_out / (1 - held_out)) >= least
        counts = ((shown & right).sum(), (shown & ~right).sum(), (~shown & right).sum())
        table.add_row(str(least), *map(str, counts))
    _console.print(table)


def asked(
    folder: Path, settings: Settings, embedder: Embedder, model: LLM, limit: int | None
) -> tuple[Floats, Floats, Floats]:
    """Return what is told of a set's questions, and of short answers across languages.

    :param settings: Of its index.
    :param limit: At most so many questions, evenly over the set.
    :returns: In rows of three: of each question the log-odds of reader and LLM, and whether the
        sentence that they choose answers; of the short answers that hold, log-odds, certainty, and
        whether they are right; of the questions whose gold is read, whether it is in their
        language, and whether it is first by the reader and by both.
    :raises EvalError: When the LLM doesn't tell its probabilities.
    """
    path, drafter = folder / "questions.jsonl", Drafter(model, settings)
    joined, short, leads = (list[tuple[float, float, float]]() for _ in range(3))
    with engine.open_retriever(settings, embedder) as retriever:
        texts = corpus.texts_of(retriever.storage)
        alone = [question for question in read_set(path, Question) if not question.context_turns]
        step = 1 if limit is None else -(-len(alone) // limit)
        for question in track(alone[::step], f"Asking {folder.name}"):
            evidence = retriever.evidence(question.question)
            if not evidence:
                continue
            read = drafting.distinct(evidence)[: settings.retrieval.prompt_sentences]
            each = conversation.resolve(question.question, (), 0)
            answered, best, _ = drafter.answered(each, read, question.language)
            if answered is None:
                raise EvalError("the LLM doesn't tell its probabilities")
            spans = locate(question, texts, path)
            gold = [
                f for f in read if spans and citation_precision(spans, [(f.doc, f.start, f.end)])
            ]
            confidence = grounding.confidence([best], settings.retrieval)
            joined.append((*grounding.log_odds(confidence, answered), best in gold))
            if gold:
                leads.append((gold[0].language == question.language, read[0] in gold, best in gold))
            if all(found.language == question.language for found in read):
                continue
            said = llm.whole(drafter.short(each, read, question.language))
            if said.is_restated:
                continue  # nobody asks whether that is right
            if said.checked and said.right is not None and said.certainty is not None:
                must = (question.must_include, question.must_not_include)
                right = question.answerable and metrics.is_correct(said.checked, *must)
                short.append((said.right, said.certainty, right))
    return np.reshape(joined, (-1, 3)), np.reshape(short, (-1, 3)), np.reshape(leads, (-1, 3))


if __name__ == "__main__":
    typer.run(main)
