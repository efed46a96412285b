"""Which weights, from where, checked how → a local path.

The built-in weights (``catalog.py``) lie in ``<cache>/<name>/<version>/``. Whatever has its final
name there was checked before it got it (``install.py``), so loading looks only at names and sizes;
``verify`` reads every byte again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from rag import downloads, install, pins
from rag.catalog import BUILT_IN as BUILT_IN
from rag.catalog import Kind as Kind
from rag.catalog import Source, Weights
from rag.config import ModelsSettings
from rag.downloads import Progress as Progress
from rag.errors import ModelError
from rag.pins import Pin

CONFIG_KEYS: Final[Mapping[Kind, str]] = {
    "llm": "llm.model",
    "embedder": "embedding.model",
    "reranker": "retrieval.reranker",
}

_GGUF: Final = b"GGUF"
HUB_REFERENCE: Final = re.compile(
    r"(?P<repo>[\w-][\w.-]*/[\w-][\w.-]*)(/(?P<file>[\w./-]+\.gguf))?(@(?P<revision>[\w./-]+))?"
)


@dataclass(frozen=True)
class Check:
    """What ``verify`` found for one file; ``problem`` is None when all is well."""

    path: Path
    problem: str | None


@dataclass(frozen=True)
class Listed:
    """One line of ``rawi models list``; ``size`` in bytes, ``path`` where it is or will be."""

    name: str
    kind: Kind
    licence: str
    size: int
    path: Path
    present: bool


def cache_dir(configured: Path | None) -> Path:
    """Folder of all weights: the configured one, else the user's cache, shared by all checkouts."""
    return configured or platformdirs.user_cache_path("rawi") / "models"


def resolve(reference: str, *, kind: Kind, settings: ModelsSettings) -> Path:
    """Find the weights that a setting names.

    :param reference: A built-in name; a path to a GGUF file or a model folder; or on the hub
        ``owner/repo`` or ``owner/repo/file.gguf``, with ``@revision`` if not its newest.
    :returns: The GGUF file or the model folder.
    :raises ModelError: When they are not there, or the reference means nothing.
    """
    cache = cache_dir(settings.cache)
    if (weights := BUILT_IN.get(reference)) is not None:
        if weights.kind != kind:
            raise ModelError(
                f"{CONFIG_KEYS[kind]}: {reference} belongs in {CONFIG_KEYS[weights.kind]}"
            )
        if (source := install.present(weights, cache)) is None:
            raise ModelError(f"{reference} is not in {cache}; {install.PULL}")
        return _path(weights, source, cache)
    # os.path says no where Path raises: a name too long, "~" of an unknown user.
    path = Path(os.path.expanduser(reference))
    if os.path.exists(path):
        return _checked_path(path, kind)
    repo, file, revision = _on_hub(reference, kind)
    pin = pins.read(cache).get(reference)
    revision = pin.revision if pin else revision
    fetched = downloads.fetch_reference(repo, file, revision, settings, cache / "hub")
    if pin is None:
        pins.keep(cache, reference, pins.of(fetched))
    else:
        pins.check(reference, pin, fetched)
    return _checked_path(fetched, kind)


def pin(reference: str, *, settings: ModelsSettings) -> tuple[Path, Pin]:
    """Fetch a model of the hub as it is now, and trust it from now on.

    :returns: Where it is, and what is trusted.
    :raises ModelError: When it can't be fetched, or the reference is none of the hub.
    """
    cache, parts = cache_dir(settings.cache), _on_hub(reference, "llm")
    fetched = downloads.fetch_reference(*parts, settings, cache / "hub", anew=not settings.offline)
    kept = pins.of(fetched)
    pins.keep(cache, reference, kept)
    return fetched, kept


def _on_hub(reference: str, kind: Kind) -> tuple[str, str | None, str | None]:
    """Return the parts of a reference to the hub: repository, file and revision.

    :raises ModelError: When it is none; it says what there is.
    """
    match = HUB_REFERENCE.fullmatch(reference)
    if match is None or (kind != "llm" and match["file"]):
        built_in = ", ".join(name for name, weights in BUILT_IN.items() if weights.kind == kind)
        on_hub = "owner/repo[/file.gguf]" if kind == "llm" else "owner/repo"
        raise ModelError(
            f"{CONFIG_KEYS[kind]}: {reference!r} is not a built-in model ({built_in}), an existing"
            f" path, or {on_hub}[@revision] on the hub"
        )
    return match["repo"], match["file"], match["revision"]


def pull(names: Iterable[str], *, settings: ModelsSettings, progress: Progress) -> list[Path]:
    """Fetch the built-in models that are not there yet.

    :returns: Their paths, as ``resolve`` gives them.
    :raises ModelError: When one can't be fetched, is not what it should be or doesn't fit the disk.
    """
    cache = cache_dir(settings.cache)
    return [
        _path(weights, install.install(weights, cache, settings, progress), cache)
        for weights in map(_built_in, names)
    ]


def verify(names: Iterable[str], *, settings: ModelsSettings, progress: Progress) -> list[Check]:
    """Read every file of these models again and compare size and SHA-256."""
    cache = cache_dir(settings.cache)
    checks = []
    for weights in map(_built_in, names):
        home = cache / weights.name
        versions = {source.version: source for source in (weights.hub, weights.registry)}
        there = [source for version, source in versions.items() if (home / version).is_dir()]
        if not there:
            checks.append(Check(home, f"is missing; {install.PULL}"))
        for source in there:
            folder = home / source.version
            for file in source.files:
                problem = install.problem(folder / file.path, file, progress)
                advice = problem and f"{problem}; delete {folder}, then {install.PULL}"
                checks.append(Check(folder / file.path, advice))
    return checks


def list_models(*, settings: ModelsSettings) -> list[Listed]:
    """Describe every built-in model."""
    cache = cache_dir(settings.cache)
    listed = []
    for weights in BUILT_IN.values():
        found = install.present(weights, cache)
        source = found or weights.hub
        size = sum(file.size for file in source.files)
        path = _path(weights, source, cache)
        listed.append(
            Listed(weights.name, weights.kind, weights.licence, size, path, found is not None)
        )
    return listed


def _built_in(name: str) -> Weights:
    if name not in BUILT_IN:
        raise ModelError(f"{name!r} is not a built-in model; there are: {', '.join(BUILT_IN)}")
    return BUILT_IN[name]


def _path(weights: Weights, source: Source, cache: Path) -> Path:
    folder = cache / weights.name / source.version
    return folder / source.files[0].path if weights.kind == "llm" else folder


def _checked_path(path: Path, kind: Kind) -> Path:
    """Refuse an existing path that plainly is no model, before a library fails inside it."""
    if path.is_dir():
        if not ((path / "config.json").is_file() or (path / "modules.json").is_file()):
            wanted = "a model folder: it has no config.json"
        elif not any(path.rglob("*.safetensors")):
            wanted = "a model in safetensors, the only weights that can't run anything"
        else:
            return path
    elif kind != "llm":
        wanted = "a sentence-transformers folder"
    else:
        check_gguf(path, CONFIG_KEYS[kind])
        return path
    raise ModelError(f"{CONFIG_KEYS[kind]}: {path} is not {wanted}")


def check_gguf(path: Path, key: str) -> None:
    """Refuse a file that doesn't begin as GGUF files do: llama.cpp greets one with a crash.

    :param key: The setting that names it.
    :raises ModelError: When it doesn't, or can't be read.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_GGUF)) == _GGUF:
                return
    except OSError as exc:
        raise ModelError(f"{key}: {path}: {exc.strerror}") from exc
    raise ModelError(f"{key}: {path} is not a GGUF file")
