"""The sets to tune on, for what is fitted or measured on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rag import config, index
from rag.config import Settings
from rag.embedding import Embedder

Sets = Annotated[
    list[Path],
    typer.Option("--set", help="A folder with questions.jsonl, about what is in its corpus/."),
]
SETS = [Path(__file__).parents[1] / name for name in ("tuning", "paraphrased")]


def indexed(folder: Path, storage: Path, embedder: Embedder) -> Settings:
    """Bring the index of a set's documents up to date, and return settings that point there.

    :param storage: Of the indexes of all sets.
    """
    settings = config.load(corpus=folder / "corpus", storage=storage / folder.name)
    index.update(settings, embedder)
    return settings
