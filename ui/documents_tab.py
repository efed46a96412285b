"""The Documents tab: its layout and what it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
from markupsafe import Markup

from rag import readers
from rag.errors import IndexStorageError, RawiError
from ui import documents, indexing, text
from ui.components import Update, acting, carried, given, on
from ui.documents import RefusedError, size_text
from ui.indexing import Job
from ui.loading import Loader
from ui.markup import heading, macros, problem_html
from ui.text import Phrase, isolated

# Files that are listed before the one that is being read, and from it on.
_BEFORE, _AFTER = 10, 20
_HTML = macros("documents", size_text=size_text)

# Uploads what was dropped or chosen, then tells the page which files were not taken and why.
_UPLOADS = 'window.rawi.uploads(element, trigger, ["send_files", "reindex", "refresh"]);'


class DocumentsTab:
    """Lists, adds, removes and indexes documents.

    :ivar listing: Where they are listed.
    """

    def __init__(self, loader: Loader) -> None:
        """Lay out the tab within the current ``gr.Blocks`` and connect it."""
        self._loader = loader
        self._settings = loader.settings
        gr.HTML(heading(text.DOCUMENTS, "rawi-documents-title"))
        tools = gr.HTML(
            _tools_html(documents.upload_limit(loader.settings)),
            js_on_load=_UPLOADS,
            apply_default_css=False,
            elem_id="rawi-upload",
        )
        self._job = acting(elem_id="rawi-job-state")
        self.listing = acting("remove", "open", elem_id="rawi-documents")
        outputs: list[Any] = [self._job, self.listing]
        one_at_a_time = {"concurrency_id": "index", "concurrency_limit": 1}
        on(tools.send_files, self._add, [], outputs, **one_at_a_time)
        on(tools.reindex, self._reindex, [], outputs, **one_at_a_time)
        on(self.listing.remove, self._remove, [], outputs, **one_at_a_time)
        on(tools.refresh, self.load, [], [self.listing], queue=False)

    def load(self) -> str:
        """Return what is indexed, as HTML."""
        try:
            return _HTML.listing(documents.listing(self._settings))
        except IndexStorageError as exc:
            return problem_html(text.CANNOT_START, str(exc))

    def _add(self, event: gr.EventData) -> Iterator[Update]:
        """Index what was uploaded; what was not taken is told in the words that refused it."""
        refusals = Markup("")
        for file in carried(event).get("files", []):
            if isinstance(file, dict) and file.get("en"):
                phrase = Phrase(file.get("ar", ""), file["en"])
                refusals += problem_html(phrase, file=file.get("name", ""))
        yield from self._indexed(refusals)

    def _remove(self, event: gr.EventData) -> Iterator[Update]:
        doc = given(event, "doc")
        try:
            held = documents.listing(self._settings).documents
            documents.remove(self._settings, doc)
        except RefusedError as exc:
            yield {self._job: problem_html(exc.reason)}
        except RawiError as exc:
            yield {self._job: problem_html(text.REFUSED_GONE, str(exc))}
        else:
            # Only the last one leaves an empty folder that is meant to be.
            yield from self._indexed(Markup(""), may_empty={found.doc for found in held} <= {doc})

    def _reindex(self) -> Iterator[Update]:
        yield from self._indexed(Markup(""))

    def _indexed(self, before: Markup, *, may_empty: bool = False) -> Iterator[Update]:
        """Index the folder and show how far that is, below what was said before."""
        for job in indexing.reindex(self._loader, may_empty=may_empty):
            yield {self._job: before + job_html(job)}
        yield {self.listing: self.load()}


def _tools_html(upload_limit: int) -> Markup:
    """Return the place to drop files on, and the button that indexes anew."""
    types = ", ".join(readers.suffixes())
    hint = text.DROP.format(types=isolated(types), most=isolated(size_text(upload_limit)))
    return _HTML.tools(types, hint)


def job_html(job: Job) -> Markup:
    """Return how far an indexing run is, or how it ended.

    Of its files, those around the one that is being read, and before them those that failed.
    """
    first = max(0, job.done - _BEFORE)
    earlier = [at for at, doc in enumerate(job.files[:first]) if doc in job.failed][-_BEFORE:]
    files = [*earlier, *range(first, min(job.done + _AFTER, len(job.files)))]
    return _HTML.job(job, files)
