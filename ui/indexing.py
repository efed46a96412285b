"""An indexing run that the page began, and how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from rag import index
from rag.embedding import Embedder, PassageInput, PassageVectors
from rag.errors import NoIndexError, RawiError
from rag.index import IndexReport
from ui.loading import Loader

# Seconds between two looks at how far it is.
_LOOK_S = 0.2


@dataclass
class Job:
    """An indexing run, and how far it is.

    :ivar files: All that are gone through, in their order; ``failed`` says why of some.
    :ivar doc: The file that is being read, after ``done`` of ``total``.
    :ivar passages: Of that file, as far as they are known; ``passages_done`` of them are embedded.
    """

    files: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    doc: str = ""
    done: int = 0
    total: int = 0
    passages: int = 0
    passages_done: int = 0
    report: IndexReport | None = None
    problem: str = ""
    ended: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)

    @property
    def part(self) -> float:
        """How much of the file is done, from 0 to 1."""
        return self.passages_done / self.passages if self.passages else 0.0

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.monotonic() - self.began


class _Watched:
    """An embedder that tells a job how far it is; its batches, and so its vectors, are the same."""

    def __init__(self, embedder: Embedder, job: Job) -> None:
        self._embedder = embedder
        self._job = job

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def embed_passages(self, passages: Sequence[PassageInput]) -> list[PassageVectors]:
        """Return the vectors of passages, a batch after the other."""
        job, size = self._job, self._embedder.embed_batch_size
        job.passages, job.passages_done = len(passages), 0
        found: dict[int, PassageVectors] = {}
        order = sorted(range(len(passages)), key=lambda i: len(passages[i].text))
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            vectors = self._embedder.embed_passages([passages[i] for i in batch])
            found.update(zip(batch, vectors, strict=True))
            job.passages_done = len(found)
        return [found[i] for i in range(len(passages))]


def reindex(loader: Loader, *, may_empty: bool = False) -> Iterator[Job]:
    """Make the index equal to the folder, yielding how far that is; the last job has ended.

    :param may_empty: See ``index.update``.
    """
    job = Job()
    threading.Thread(target=_index, args=(loader, job, may_empty), daemon=True).start()
    while not job.ended.wait(_LOOK_S):
        yield job
    yield job


def _index(loader: Loader, job: Job, may_empty: bool) -> None:
    settings = loader.settings

    def note(doc: str, done: int, total: int) -> None:
        job.passages = job.passages_done = 0
        job.doc, job.done, job.total = doc, done, total

    try:
        if loader.embedder is None:
            loader.wait(settings.llm.timeout_s)
        if loader.embedder is None:
            job.problem = loader.progress().reason
            return
        job.files = index.names(settings)
        watched = cast("Embedder", _Watched(loader.embedder, job))
        with loader.indexing:
            job.report = index.update(
                settings, watched, note, may_empty=may_empty, refused=job.failed.__setitem__
            )
        with suppress(NoIndexError):  # it was emptied
            loader.reopen()
    except RawiError as exc:
        job.problem = str(exc)
    finally:
        job.ended.set()
