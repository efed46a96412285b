"""Measure the checker as a detector of what doesn't hold: ``python -m eval.run_check --help``.

It reads the answers that people wrote, right and wrong, to the passages that it was not trained on.
What counts is what the product does: figures, units and months are compared besides.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.metrics import roc_auc_score, roc_curve

from eval.checker_data import Labelled, held_out, read_passages
from rag import checking, config, grounding, models
from rag.checking import Checker, Unchecked
from rag.embedding import Embedder

ANSWERS = Path(__file__).parent / "training" / "answers"
AT_ONCE = 32
# What is asked of it: so many wrong ones pass at most, where so many right ones fail at most.
FALSE_ACCEPTANCE, FALSE_REJECTION = 0.05, 0.15


def main(
    answers: Annotated[Path, typer.Argument(help="Folder of written answers.")] = ANSWERS,
    plot: Annotated[Path, typer.Option(help="Where the curve goes, .svg.")] = Path(
        "eval/check-curve.svg"
    ),
    config_file: Annotated[Path | None, typer.Option("--config", help="YAML settings.")] = None,
) -> None:
    """Print how many wrong answers pass where so many right ones fail, and draw the curve."""
    settings = config.load(config_file)
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    checker = checking.load(settings, Embedder.load(settings.embedding, weights))
    items = held_out(read_passages(answers)[1], random.Random(1))  # noqa: S311
    logits = supports(checker, items)
    across = [item.languages[:2] != item.languages[-2:] for item in items]
    right = [logit for logit, item in zip(logits, items, strict=True) if item.right]
    least = float(np.quantile(right, FALSE_REJECTION))
    table = Table("answers", "of", f"pass at {least:.2f}", f"pass at {settings.answer.min_support}")
    groups = {
        "right": [item.right for item in items],
        "right, across": [i.right and a for i, a in zip(items, across, strict=True)],
        "wrong": [not item.right for item in items],
        "wrong, across": [not i.right and a for i, a in zip(items, across, strict=True)],
    }
    kinds = sorted({item.kind for item in items if not item.right})
    groups |= {f"wrong: {kind}": [item.kind == kind for item in items] for kind in kinds}
    for name, chosen in groups.items():
        some = [logit for logit, wanted in zip(logits, chosen, strict=True) if wanted]
        shares = [np.mean([x >= t for x in some]) for t in (least, settings.answer.min_support)]
        table.add_row(name, str(len(some)), *(f"{share:.3f}" for share in shares))
    console = Console(highlight=False)
    console.print(table)
    finite = np.clip(logits, -50, 50)
    labels = [item.right for item in items]
    passing, kept, thresholds = roc_curve(labels, finite)
    strict = int(np.flatnonzero(passing <= FALSE_ACCEPTANCE)[-1])
    console.print(f"area under the curve {roc_auc_score(labels, finite):.3f}")
    console.print(
        f"at false acceptance {FALSE_ACCEPTANCE}: false rejection {1 - kept[strict]:.3f}"
        f" (from a logit of {thresholds[strict]:.2f})"
    )
    _draw(passing, 1 - kept, plot)


def supports(checker: Checker | Unchecked, items: Sequence[Labelled]) -> list[float]:
    """Return the logit of each claim, -inf where its figures don't hold."""
    order = sorted(range(len(items)), key=lambda n: len(items[n].claim.source))
    found = [0.0] * len(items)
    for begin in track(range(0, len(order), AT_ONCE), "checking", console=Console(stderr=True)):
        some = order[begin : begin + AT_ONCE]
        claims = [items[n].claim for n in some]
        for n, claim, support in zip(some, claims, checker.check(claims), strict=True):
            exact = grounding.is_exact(claim.answer, f"{claim.question} {claim.source}")
            found[n] = support.logit if exact else -math.inf
    return found


def _draw(passing: Iterable[float], failing: Iterable[float], path: Path) -> None:
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(list(failing), list(passing), color="#1f6f5c")
    axes.axvline(FALSE_REJECTION, color="#999999", linewidth=0.8)
    axes.axhline(FALSE_ACCEPTANCE, color="#999999", linewidth=0.8)
    axes.set(xlabel="right answers that fail", ylabel="wrong answers that pass", xlim=(0, 1))
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    typer.run(main)
