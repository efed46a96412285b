"""What each part of retrieval is worth: ``python -m eval.training.ablation --help``.

Runs ``rawi eval squad`` for every variant, on a pair of files with the same
questions in Arabic and in English, and prints a Markdown table with 95 % intervals.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from eval.run_squad import Pool, make_task, run_squad
from rag import config
from rag.config import Settings
from rag.embedding import load_embedder

Change = dict[str, dict[str, Any]]

VARIANTS: dict[str, Change] = {
    "everything": {},
    "no adapter, no centring": {"embedding": {"adapter": "none"}},
    "no centring": {"embedding": {"centring": 0.0}},
    "no words or names": {"retrieval": {"words": 0.0, "words_across": 0.0, "names_across": 0.0}},
    "no names across scripts": {"retrieval": {"names_across": 0.0}},
    "no title": {"passages": {"title": False}},
    "vectors alone, plain": {
        "embedding": {"adapter": "none"},
        "retrieval": {"words": 0.0, "words_across": 0.0, "names_across": 0.0},
        "passages": {"title": False},
    },
}
"""What is taken away → sections of the settings and their changed keys."""

COLUMNS: tuple[tuple[str, str, Pool, str, str], ...] = (
    ("ar", "ar", "same", "ar→ar", "ndcg@10"),
    ("en", "en", "same", "en→en", "ndcg@10"),
    ("en", "ar", "mixed", "ar→en", "recall@1"),
    ("ar", "en", "mixed", "en→ar", "recall@1"),
    ("en", "ar", "mixed", "ar→ar", "recall@1"),
    ("ar", "en", "mixed", "en→en", "recall@1"),
)
"""Language of the paragraphs, of the questions, pool, direction and measure."""


def main(
    arabic: Annotated[Path, typer.Argument(help="A SQuAD v1.1 file in Arabic.")],
    english: Annotated[Path, typer.Argument(help="The same questions in English.")],
    out: Annotated[Path, typer.Option(help="Folder of runs and indexes.")],
) -> None:
    """Print the table."""
    files = {"ar": arabic, "en": english}
    print("| | " + " | ".join(f"{c[3]} {c[2]}, {c[4]}" for c in COLUMNS) + " |")  # noqa: T201
    print("|---" * (len(COLUMNS) + 1) + "|")  # noqa: T201
    for name, change in VARIANTS.items():
        # The reader chooses sentences and doesn't change which passages are found.
        settings = changed(changed(config.load(), {"retrieval": {"reader": "none"}}), change)
        embedder = load_embedder(settings)
        summaries: dict[tuple[str, str, Pool], Any] = {}
        cells = []
        for passages, questions, pool, direction, measure in COLUMNS:
            run = (passages, questions, pool)
            if run not in summaries:
                asked = None if passages == questions else files[questions]
                place = out / name.replace(" ", "-") / "-".join(run)
                task = make_task(files[passages], asked, pool)
                summaries[run] = run_squad(task, place, settings, embedder, None, fresh=True)
            value = summaries[run]["metrics"][direction][measure]
            cells.append(f"{value['mean']:.3f} ({value['low']:.2f}–{value['high']:.2f})")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)  # noqa: T201


def changed(settings: Settings, change: Change) -> Settings:
    """Return settings with some sections' keys changed."""
    sections = {
        section: getattr(settings, section).model_copy(update=keys)
        for section, keys in change.items()
    }
    return settings.model_copy(update=sections)


if __name__ == "__main__":
    typer.run(main)
