"""Rawi answers questions in Arabic or English about a folder of documents.

::

    import rag

    with rag.open("articles") as rawi:
        answer = rawi.ask("كم بلغ تقييم الشركة؟")
        print(answer.text, answer.citations)

One stage, one file: ``rag.engine`` reads aloud how a question travels. Importing this package
imports none of them; models and libraries are loaded by ``open``.
"""

from __future__ import annotations

from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

from rag.errors import (
    ConfigError,
    DeadlineError,
    DocumentError,
    DownloadError,
    EvalError,
    GenerationError,
    IndexStorageError,
    ModelError,
    NoIndexError,
    QuestionError,
    RawiError,
    StaleIndexError,
)

if TYPE_CHECKING:
    from rag.conversation import Turn
    from rag.engine import Answer, Evidence, Timings, Token
    from rag.grounding import Citation
    from rag.index import IndexReport
    from rag.library import Rawi
    from rag.retrieval import Found

__all__ = [
    "Answer",
    "Citation",
    "ConfigError",
    "DeadlineError",
    "DocumentError",
    "DownloadError",
    "EvalError",
    "Evidence",
    "Found",
    "GenerationError",
    "IndexReport",
    "IndexStorageError",
    "ModelError",
    "NoIndexError",
    "QuestionError",
    "Rawi",
    "RawiError",
    "StaleIndexError",
    "Timings",
    "Token",
    "Turn",
    "open",
]

# What is imported when it is first asked for, and where it is.
_LAZY = {
    "Answer": "engine",
    "Citation": "grounding",
    "Evidence": "engine",
    "Found": "retrieval",
    "IndexReport": "index",
    "Rawi": "library",
    "Timings": "engine",
    "Token": "engine",
    "Turn": "conversation",
}


def open(  # noqa: A001 - rag.open reads as what it does
    folder: str | PathLike[str],
    *,
    storage: str | PathLike[str] | None = None,
    config: str | PathLike[str] | None = None,
    index: bool = True,
    **settings: Any,
) -> Rawi:
    """Open a folder of documents to be asked.

    :param storage: Folder of the index; ``folder`` with ``.index`` after its name by default.
    :param config: A YAML file of settings, as config.yaml; no file is read unless it is given.
    :param index: Whether to index the folder if that hasn't been done with these settings.
    :param settings: Sections that beat file and environment: ``llm={"backend": "none"}``.
    :raises RawiError: When weights are missing, a setting is wrong or the folder can't be indexed.
    """
    from rag.library import Rawi, settings_for

    return Rawi(settings_for(folder, storage, config, settings), index=index)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(f"rag.{_LAZY[name]}"), name)
