"""Measure the LLM as a detector of what doesn't hold: ``python -m eval.training.run_check --help``.

It judges the answers that people wrote, right and wrong, to the passages that it was not taught on.
What counts is what the product does: figures, units and months are compared besides.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from llama_index.core.llms import LLM
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.metrics import roc_auc_score, roc_curve

from eval.training import llm_trees
from eval.training.written_passages import LANGUAGES, Passage, read_passages
from rag import config, engine, grounding, llm, prompts
from rag.language import Language

ANSWERS = Path(__file__).with_name("answers")
# What is asked of it: so many wrong ones pass at most, where so many right ones fail at most.
FALSE_ACCEPTANCE, FALSE_REJECTION = 0.05, 0.15
AMISS = -50.0  # log-odds
_WRONG = 2  # to each right one


@dataclass(frozen=True)
class Claim:
    """An answer to a question about sentences; ``kind`` is "right", or what is wrong with it.

    :ivar quote: Across languages, runs of the sentences' words that it is made of.
    """

    sentences: tuple[str, ...]
    question: str
    language: Language
    used: tuple[int, ...]
    answer: str
    kind: str
    across: bool
    quote: tuple[str, ...]


def claims(passages: Sequence[Passage], most: int, rng: random.Random) -> Iterator[Claim]:
    """Yield claims about passages in all four directions, those of one text one after another.

    Each is about as many sentences as the product reads, the used ones among them.
    """
    for passage in passages:
        for text in LANGUAGES:
            for question in passage.questions:
                language = rng.choice(LANGUAGES)
                numbers = range(1, len(passage.said[text]) + 1)
                needed = question["uses"] or [rng.choice(numbers)]
                more = rng.sample([n for n in numbers if n not in needed], most - len(needed))
                read = rng.sample([*needed, *more], most)
                sentences = tuple(passage.said[text][n - 1] for n in read)
                used = tuple(read.index(n) + 1 for n in needed)
                said = [("right", question["answer"][language][0])] if question["answer"] else []
                wrong = question["wrong"][language]
                said += [(w["kind"], w["text"]) for w in rng.sample(wrong, min(_WRONG, len(wrong)))]
                across = language != text
                of_used = [sentences[n - 1] for n in used]
                right = question["answer"] and llm_trees.runs(of_used, question["answer"], text)
                for kind, answer in said:
                    of_right = right and (kind == "right" or kind in llm_trees.OF_RIGHT_WORDS)
                    quote = right if of_right else llm_trees.strange(rng, of_used[0])
                    if across and not of_right and kind == "right":
                        continue  # it is said in other words than the sentences'
                    yield Claim(
                        sentences, question[language], language, used, answer, kind, across,
                        quote if across else (),
                    )  # fmt: skip


def support(model: LLM, claim: Claim, timeout_s: float) -> float:
    """Return the log-odds of a claim, ``AMISS`` where it can't hold."""
    used = " ".join(claim.sentences[n - 1] for n in claim.used)
    quote = " ".join(claim.quote) or used
    readable = grounding.is_readable(claim.answer, claim.question, claim.language, used)
    exact = grounding.is_exact(claim.answer, f"{claim.question} {quote}")
    if claim.quote:
        exact = grounding.is_same(claim.answer, quote, claim.question)
    if not readable or not exact:
        return AMISS
    messages = prompts.short(claim.question, claim.sentences, claim.language)
    asked = prompts.checking(messages, prompts.reply(claim.answer, claim.used, claim.quote))
    odds, _ = llm.log_odds(model, asked, prompts.YES, prompts.NO, timeout_s)
    return AMISS if odds is None else max(grounding.rightness(odds, None), AMISS)


def main(
    answers: Annotated[Path, typer.Argument(help="Folder of written answers.")] = ANSWERS,
    plot: Annotated[Path, typer.Option(help="Where the curve goes, .svg.")] = Path(
        "eval/check-curve.svg"
    ),
    limit: Annotated[int, typer.Option(help="Passages to read; 0: all.")] = 0,
    config_file: Annotated[Path | None, typer.Option("--config", help="YAML settings.")] = None,
) -> None:
    """Print how many wrong answers pass where so many right ones fail, and draw the curve."""
    settings = config.load(config_file)
    model = engine.load_llm(settings)
    if model is None:
        raise typer.BadParameter("there is nothing to measure with llm.backend: none")
    held = read_passages(answers)[1]
    most = min(settings.retrieval.prompt_sentences, *(len(p.said["en"]) for p in held))
    items = list(claims(held[: limit or len(held)], most, random.Random(1)))  # noqa: S311
    console = Console(highlight=False)
    odds = [
        support(model, item, settings.llm.timeout_s)
        for item in track(items, "checking", console=Console(stderr=True))
    ]
    at = settings.answer.min_right
    right = [x for x, item in zip(odds, items, strict=True) if item.kind == "right"]
    least = float(np.quantile(right, FALSE_REJECTION))
    table = Table("answers", "of", f"pass at {least:.2f}", f"pass at {at}")
    groups = {
        "right": [i.kind == "right" for i in items],
        "right, across": [i.kind == "right" and i.across for i in items],
        "wrong": [i.kind != "right" for i in items],
        "wrong, across": [i.kind != "right" and i.across for i in items],
    }
    kinds = sorted({item.kind for item in items} - {"right"})
    groups |= {f"wrong: {kind}": [item.kind == kind for item in items] for kind in kinds}
    for name, chosen in groups.items():
        some = [x for x, wanted in zip(odds, chosen, strict=True) if wanted]
        shares = [np.mean([x >= t for x in some]) for t in (least, at)]
        table.add_row(name, str(len(some)), *(f"{share:.3f}" for share in shares))
    console.print(table)
    labels = groups["right"]
    passing, kept, thresholds = roc_curve(labels, odds)
    strict = int(np.flatnonzero(passing <= FALSE_ACCEPTANCE)[-1])
    console.print(f"area under the curve {roc_auc_score(labels, odds):.3f}")
    console.print(
        f"at false acceptance {FALSE_ACCEPTANCE}: false rejection {1 - kept[strict]:.3f}"
        f" (from log-odds of {thresholds[strict]:.2f})"
    )
    _draw(passing, 1 - kept, plot)


def _draw(passing: Sequence[float], failing: Sequence[float], path: Path) -> None:
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(list(failing), list(passing), color="#1f6f5c")
    axes.axvline(FALSE_REJECTION, color="#999999", linewidth=0.8)
    axes.axhline(FALSE_ACCEPTANCE, color="#999999", linewidth=0.8)
    axes.set(xlabel="right answers that fail", ylabel="wrong answers that pass", xlim=(0, 1))
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    typer.run(main)
