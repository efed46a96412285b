"""Texts of a set → documents in a folder → an index, as ``rawi index`` would make it → asked.

The folder is named by its content, so that another set never meets another's index; inside, the
index is brought up to date like any other, and keeps what is the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from llama_index.core.llms import LLM

from eval import files
from rag import engine, index
from rag.config import Settings
from rag.embedding import Embedder
from rag.errors import EvalError
from rag.storage import Storage


@contextmanager
def opened(
    texts: Mapping[str, str], folder: Path, settings: Settings, embedder: Embedder, llm: LLM | None
) -> Iterator[engine.Engine]:
    """Write the texts that are not there yet, index them, and open Rawi over them.

    :param texts: File name, relative and ending in ``.txt``, to text.
    :param folder: Used for nothing else; holds ``documents/`` and ``index/`` afterwards.
    :raises EvalError: When a text can't be written or indexed.
    :raises IndexStorageError: When the index can't be written.
    """
    documents = folder / "documents"
    for name, text in texts.items():
        path = documents / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write(path, text)
    settings = settings.model_copy(update={"corpus": documents, "storage": folder / "index"})
    report = index.update(settings, embedder)
    for name, reason in report.failed.items():
        raise EvalError(f"{documents / name}: {reason}; correct the set")
    with engine.open_retriever(settings, embedder) as retriever:
        yield engine.Engine(settings, retriever, llm)


def texts_of(storage: Storage) -> dict[str, str]:
    """Return the cleaned text of every document of an index, by id."""
    return dict(storage.db.execute("SELECT id, text FROM documents ORDER BY id"))


def hash_of(texts: Mapping[str, str]) -> str:
    """Return a hexadecimal name for documents and their texts."""
    digest = hashlib.sha256()
    for name, text in sorted(texts.items()):
        digest.update(f"{name}\0{len(text)}\0{text}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
