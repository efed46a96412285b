"""Chroma's half of an index, and a look into it from a process that may die of it.

``python -m rag.vectors FOLDER < vector.json`` ends with 0 when a search finds vectors.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import chromadb
import chromadb.config
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.errors import ChromaError

import rag

_SECONDS = 300
# As many as Chroma's graph links each vector to. That no link leads to all is no damage: where many
# vectors are the same, its graphs have parts.
_LINKS = 16


def connect(chroma: Path) -> tuple[Any, chromadb.Collection]:
    """Return Chroma's client of a folder, for who closes it, and its collection.

    :raises ChromaError: When it can't be read.
    """
    try:
        client = chromadb.PersistentClient(
            str(chroma), chromadb.config.Settings(anonymized_telemetry=False)
        )
    except ChromaError:
        # What could not be started is kept all the same, and given to who asks next.
        SharedSystemClient.clear_system_cache()
        raise
    return client, client.get_or_create_collection(
        "passages", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
    )


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
    client, collection = connect(Path(sys.argv[1]))
    count = collection.count()
    vector = json.load(sys.stdin)
    answer = collection.query(query_embeddings=[vector], n_results=max(1, count), include=[])
    client.close()
    sys.exit(len(answer["ids"][0]) < min(count, _LINKS))


if __name__ == "__main__":
    main()
