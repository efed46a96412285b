"""What a run is a run of, and where and when it ran."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from llama_index.core.llms import LLM

import rag
from eval.files import Line
from rag import models
from rag.config import Settings

LIBRARIES = (
    "chromadb",
    "llama-index-core",
    "llama-index-llms-openai-like",
    "llama-index-vector-stores-chroma",
    "numpy",
    "sentence-transformers",
    "torch",
    "transformers",
    "xllamacpp",
)


@dataclass(frozen=True)
class Identity:
    """Everything that decides what the answers are; any difference makes it another run.

    :ivar kind: ``qa``, ``squad``, ``abstain`` or ``injection``, and who answers.
    :ivar set: Hash of what is asked, not of what is expected.
    :ivar corpus: Hash of the documents.
    :ivar settings: The settings that reach the answers.
    :ivar models: Embedder and LLM, by name and content.
    :ivar code: Hash of the pipeline's source.
    """

    kind: str
    set: str
    corpus: str
    settings: Mapping[str, Any]
    models: Mapping[str, str]
    code: str


def differing(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return the keys under which two nested objects differ, ``a.b.c``, and both values."""
    mine, others = _flat(ours), _flat(theirs)
    keys = sorted(mine.keys() | others)
    pairs = [(key, mine.get(key), others.get(key)) for key in keys]
    return [(key, one, other) for key, one, other in pairs if one != other]


def environment(identity: Identity) -> Line:
    """Say when, where and with what this is run."""
    return {
        "date": now(),
        "machine": machine(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in LIBRARIES},
        "settings": fingerprint(dict(identity.settings))[:16],
        "command": " ".join(["rawi", *sys.argv[1:]]),
    }


def now() -> str:
    """Return date and time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def machine() -> str:
    """Return processor, cores, memory and system in one line."""
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


def of_system(
    settings: Settings, embedder: str, llm: LLM | None, code: str | None = None
) -> Identity:
    """Return what decides the answers of a system, whatever it is asked about what.

    :param embedder: ``Embedder.fingerprint``.
    :param llm: None when no LLM takes part.
    :param code: Of another system than Rawi.
    """
    dumped: Line = settings.model_dump(  # not where things are, nor secrets
        mode="json", exclude={"corpus", "storage", "models", "server", "vectors"}
    )
    for key in ("api_key", "base_url", "threads"):
        del dumped["llm"][key]
    name = "" if llm is None else llm.metadata.model_name
    if llm is not None and settings.llm.backend != "openai":
        weights = models.resolve(settings.llm.model, kind="llm", settings=settings.models)
        if weights.is_file():
            name = f"{weights.name}, {weights.stat().st_size} bytes"
    weighed = {"embedder": embedder, "llm": name}
    return Identity("", "", "", dumped, weighed, pipeline_code() if code is None else code)


def pipeline_code() -> str:
    """Return a hash of the source and weights of ``rag``, all but the command line."""
    folder = Path(rag.__file__).parent
    files = [f for kind in ("py", "safetensors", "gguf") for f in folder.glob(f"*.{kind}")]
    hashes = [
        [path.name, hashlib.sha256(path.read_bytes()).hexdigest()]
        for path in sorted(files)
        if path.name != "cli.py"
    ]
    return fingerprint(hashes)


def fingerprint(value: Any) -> str:
    """Return a hexadecimal name for a JSON value."""
    dumped = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(dumped.encode("ascii")).hexdigest()


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        name = f"{prefix}{key}"
        flat |= _flat(inner, f"{name}.") if isinstance(inner, Mapping) else {name: inner}
    return flat
