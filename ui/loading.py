"""The engine is loaded in the background, so that the page stands at once and shows how far it is.

Whatever answers questions asks ``Loader.engine``, which follows the index: whoever has indexed the
folder, here or in another process, what is asked next is answered from what it holds then.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from llama_index.core.llms import LLM

from rag import current, engine, index, storage
from rag.config import Settings
from rag.current import Current
from rag.embedding import Embedder, load_embedder
from rag.engine import Engine
from rag.errors import (
    GenerationError,
    IndexStorageError,
    NoIndexError,
    RawiError,
    StaleIndexError,
)
from rag.following import follow
from rag.index import IndexReport
from ui import documents, examples, tickets
from ui.documents import Listing
from ui.examples import Example
from ui.work import Work

logger = logging.getLogger(__name__)

# Seconds between two looks at whether another index has become the current one.
_WATCH_S = 1.0
_WARM_AGAIN_S = 30.0
_LOOK_S = 0.1

Stage = Literal["loading", "ready", "no index", "failed"]


@dataclass(frozen=True)
class Progress:
    """How far loading is.

    :ivar done: Parts that are there: ``embedder``, ``llm``.
    :ivar seconds: Since it began.
    :ivar reason: Why it failed, in one line.
    """

    stage: Stage = "loading"
    done: frozenset[str] = frozenset()
    seconds: float = 0.0
    reason: str = ""


class Loader:
    """Loads the parts once and holds them until it is closed.

    :ivar work: Answers whatever is asked here, on a page or by a program.
    :ivar engine: None until all is there.
    :ivar listing: What the index holds.
    :ivar examples: Questions that the documents answer; None until they are found.
    :ivar indexing: Held by whatever in this process makes the index equal to the folder.
    """

    def __init__(self, settings: Settings) -> None:
        """Remember the settings; nothing is loaded before ``start``."""
        self.settings = settings
        self.work = Work(lambda: self.engine, settings.limits)
        self.engine: Engine | None = None
        self.listing = Listing()
        self.examples: tuple[Example, ...] | None = None
        self.embedder: Embedder | None = None
        self._llm: LLM | None = None
        self._progress = Progress()
        self._done: set[str] = set()
        self._began = time.monotonic()
        self._opening = threading.Lock()
        self._current: Current | None = None
        self._database: os.stat_result | None = None
        self._close_index: Callable[[], object] = lambda: None
        self._closed = threading.Event()
        self._settled = threading.Event()
        self.indexing = threading.Lock()

    @cached_property
    def secret(self) -> str:
        """What signs for this server; see ``tickets.secret``."""
        return tickets.secret(self.settings)

    def start(self) -> None:
        """Begin loading in a thread of its own; the process may end meanwhile."""
        self._began = time.monotonic()
        threading.Thread(target=self._load, name="rawi-loading", daemon=True).start()

    def progress(self) -> Progress:
        """Return how far it is."""
        seconds = time.monotonic() - self._began
        return replace(self._progress, done=frozenset(self._done), seconds=seconds)

    def wait(self, seconds: float) -> bool:
        """Wait until loading has ended, one way or the other; tell whether it has."""
        return self._settled.wait(seconds)

    def reopen(self) -> None:
        """Open the index, or what has become of it since it was opened.

        Answers on their way end with the index that they began with.

        :raises RawiError: When it can't be opened; what was open before stays.
        """
        with self._opening:
            found = current.read_current(self.settings.storage)
            if found is None and self.engine is not None and self.settings.storage.is_dir():
                self._emptied()
            if self.embedder is None or (found is not None and found == self._current):
                return
            if found is not None and self.engine is not None and self._is_open(found):
                with self.embedder.lock:  # nothing is searched meanwhile
                    current.refresh(self.engine.retriever.storage)
                self._describe(self.engine)
            else:
                self._open(self.embedder, found)
            self._current = found

    def close(self) -> None:
        """Stop what is being answered, and close the index."""
        self._closed.set()
        self.work.close()
        self.engine = None
        self._close_index()

    def _emptied(self) -> None:
        """Answer from what was removed no more."""
        self.engine, self._current, self._database = None, None, None
        self.listing, self.examples = Listing(), ()
        self._finish(Progress("no index", reason="the folder was emptied"))

    def _is_open(self, found: Current) -> bool:
        """Tell whether an index is the very one that is open."""
        opened = self._database
        path = found.folder / storage.DATABASE
        return opened is not None and path.exists() and os.path.samestat(path.stat(), opened)

    def _open(self, embedder: Embedder, found: Current | None) -> None:
        """Make an engine of the current index the one that is asked."""
        was_open = self.engine is not None
        if found and self._current and found.folder == self._current.folder:
            # It was damaged and is built anew in its place: Chroma shares what it knows of a path
            # among all who have it open.
            with embedder.lock:
                self._close_index()
        opened = ExitStack()
        retriever = opened.enter_context(
            engine.open_retriever(self.settings, embedder=embedder, any_passages=was_open)
        )
        ready = engine.make_engine(self.settings, retriever, self._llm)
        # Not before the last answer that began with it has ended.
        self._close_index = weakref.finalize(ready, opened.close)
        self._database = (retriever.storage.folder / storage.DATABASE).stat()
        self.engine = ready
        self._finish(Progress("ready"))
        if not was_open:
            threading.Thread(target=self._warm, daemon=True).start()
        self._describe(ready)

    def _describe(self, ready: Engine) -> None:
        """Tell what the index holds, then what may be asked of it."""
        self.listing = documents.listing(self.settings)
        self.examples = examples.examples(ready)

    def _watch(self) -> None:
        """Follow the index wherever another process takes it."""
        said = ""
        while not self._closed.wait(_WATCH_S):
            try:
                self.reopen()
            except NoIndexError:
                continue
            except RawiError as exc:
                if str(exc) != said:
                    logger.warning("%s; answering from the index as it was", exc)
                said = str(exc)

    def _follow(self, embedder: Embedder) -> None:
        """Have the index follow the folder; ``_watch`` then sees that there is another."""

        def update() -> IndexReport:
            with self.indexing:
                return index.update(self.settings, embedder)

        every_s = self.settings.documents.watch_s
        for report in follow(self.settings, update, self._closed, every_s):
            if isinstance(report, RawiError):
                logger.warning("%s", report)
            elif report.added or report.changed or report.removed:
                logger.info(
                    "the folder has changed: %d new, %d changed, %d removed; %d documents in all",
                    *(report.added, report.changed, report.removed, report.documents),
                )

    def _load(self) -> None:
        try:
            with ThreadPoolExecutor(1) as pool:
                llm = pool.submit(engine.load_llm, self.settings)
                llm.add_done_callback(lambda _: self._done.add("llm"))
                self.embedder = load_embedder(self.settings)
                self._done.add("embedder")
                self._llm = llm.result()
            if self.settings.documents.watch_s:
                following = threading.Thread(target=self._follow, args=[self.embedder], daemon=True)
                following.start()
            self.reopen()
        except (NoIndexError, StaleIndexError) as exc:
            self._finish(Progress("no index", reason=str(exc)))
        except RawiError as exc:
            logger.error("%s", exc)
            self._finish(Progress("failed", reason=str(exc)))
            if not isinstance(exc, IndexStorageError):
                return  # a Chroma server may come, and an index be mended
        self._watch()

    def _warm(self) -> None:
        """Have the LLM read ahead, before anybody asks or after whoever does, or did meanwhile.

        A server that fails is asked again until it answers, so that its failure is told while it
        lasts, and no longer.
        """
        said = ""
        # The other backends are servers, which keep a line of their own.
        in_line = self.settings.llm.backend == "transformers"
        while self.engine is not None:
            while self.work.is_busy and not self._closed.wait(_LOOK_S):
                pass
            try:
                self.work.lines.warm(self.engine.warm, in_line=in_line)
                return
            except GenerationError as exc:
                if str(exc) != said:
                    logger.warning("%s", exc)  # an answer says so to its reader, too
                said = str(exc)
            if self._closed.wait(_WARM_AGAIN_S):
                return

    def _finish(self, progress: Progress) -> None:
        self._progress = progress
        self._settled.set()
