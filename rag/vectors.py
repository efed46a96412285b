"""Chroma's half of an index: files of the index, or a collection on a server.

``python -m rag.vectors FOLDER < vector.json`` ends with 0 when a search finds vectors: a look into
files from a process that may die of it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import chromadb
import chromadb.config
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.errors import ChromaError

import rag
from rag import vector_server
from rag.config import VectorsSettings

_SECONDS = 300
# As many as Chroma's graph links each vector to. That no link leads to all is no damage: where many
# vectors are the same, its graphs have parts.
_LINKS = 16
_COSINE: Any = {"hnsw": {"space": "cosine"}}
# Chroma gives a second thread what a first has only begun to start, and it fails.
_STARTING = threading.Lock()


def connect(
    settings: VectorsSettings, chroma: Path, name: str, *, writing: bool
) -> tuple[Any, chromadb.Collection]:
    """Return Chroma's client, for who closes it, and an index's collection.

    :param chroma: The folder of the files; on a server, nothing is there.
    :param name: Of the collection on a server.
    :param writing: Whether a collection is made on the server where there is none.
    :raises ChromaError: When files can't be read.
    :raises IndexStorageError: As ``vector_server.connect``.
    """
    if settings.on_server:
        return vector_server.connect(settings, name, _COSINE, writing=writing)
    return _in_folder(chroma)


def _in_folder(chroma: Path) -> tuple[Any, chromadb.Collection]:
    with _STARTING:
        try:
            client = chromadb.PersistentClient(
                str(chroma), chromadb.config.Settings(anonymized_telemetry=False)
            )
        except ChromaError:
            # What could not be started is kept all the same, and given to who asks next.
            SharedSystemClient.clear_system_cache()
            raise
    return client, client.get_or_create_collection(
        "passages", configuration=_COSINE, embedding_function=None
    )


def remove(folder: Path) -> None:
    """Remove files of vectors, or an index with them."""
    shutil.rmtree(folder)
    # Chroma remembers them, and would give them to who opens the next.
    SharedSystemClient.clear_system_cache()


def is_whole(chroma: Path, vector: Sequence[float]) -> bool:
    """Tell, at the cost of a process, whether vectors can be found from one of them."""
    code = [str(Path(rag.__file__).parents[1]), *filter(os.path.isabs, sys.path)]
    try:
        ended = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "rag.vectors", str(chroma.resolve())],
            input=json.dumps(list(vector)).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(code))},
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


def main() -> None:
    """Search for as many as there are: that goes along all links between them."""
    client, collection = _in_folder(Path(sys.argv[1]))
    count = collection.count()
    vector = json.load(sys.stdin)
    answer = collection.query(query_embeddings=[vector], n_results=max(1, count), include=[])
    client.close()
    sys.exit(len(answer["ids"][0]) < min(count, _LINKS))


if __name__ == "__main__":
    main()
