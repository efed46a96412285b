"""The Documents tab: its layout and what it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from rag.config import Settings
from rag.errors import IndexStorageError, RawiError
from ui import documents, text
from ui.components import acting, on
from ui.documents import RefusedError
from ui.documents_html import job_html, listing_html, problem_html, tools_html
from ui.loading import Loader
from ui.markup import both

Update = dict[Any, Any]

# Uploads what was dropped or chosen, then tells the server the names and where they lie.
_UPLOADS = 'window.rawi.uploads(element, upload, trigger, ["send_files", "reindex"]);'


class DocumentsTab:
    """Lists, adds, removes and indexes documents."""

    def __init__(self, settings: Settings, loader: Loader) -> None:
        """Lay out the tab within the current ``gr.Blocks`` and connect it."""
        self._settings = settings
        self._loader = loader
        gr.HTML(f'<h2 id="rawi-documents-title">{both(text.DOCUMENTS)}</h2>')
        tools = gr.HTML(
            tools_html(documents.upload_limit(settings)),
            js_on_load=_UPLOADS,
            apply_default_css=False,
            elem_id="rawi-upload",
        )
        self._job = gr.HTML(elem_id="rawi-job-state", apply_default_css=False)
        self._listing = acting("remove", elem_id="rawi-documents")
        outputs: list[Any] = [self._job, self._listing]
        one_at_a_time = {"concurrency_id": "index", "concurrency_limit": 1}
        on(tools.send_files, self._add, [], outputs, **one_at_a_time)
        on(tools.reindex, self._reindex, [], outputs, **one_at_a_time)
        on(self._listing.remove, self._remove, [], outputs, **one_at_a_time)

    def load(self) -> str:
        """Return what is indexed, as HTML."""
        try:
            return listing_html(documents.listing(self._settings))
        except IndexStorageError as exc:
            return problem_html(text.CANNOT_START, str(exc))

    @property
    def listing(self) -> gr.HTML:
        """Where the documents are listed."""
        return self._listing

    def _add(self, event: gr.EventData) -> Iterator[Update]:
        refusals = "".join(self._added(file) for file in list(getattr(event, "files", [])))
        yield from self._indexed(refusals)

    def _added(self, file: dict[str, Any]) -> str:
        """Add one file and return why not, as HTML; empty when it was added."""
        name, path = str(file.get("name", "")), str(file.get("path", ""))
        if not path:
            most = documents.size_text(documents.upload_limit(self._settings))
            return problem_html(text.REFUSED_SIZE.format(most=most), name)
        source = Path(path).resolve()
        # The path comes from the browser: only what was uploaded may be read.
        if not source.is_relative_to(Path(get_upload_folder()).resolve()):
            return problem_html(text.REFUSED_NAME, name)
        try:
            documents.add(self._settings, name, source)
        except RefusedError as exc:
            return problem_html(exc.reason, name)
        finally:
            source.unlink(missing_ok=True)
        return ""

    def _remove(self, event: gr.EventData) -> Iterator[Update]:
        try:
            documents.remove(self._settings, str(getattr(event, "doc", "")))
        except RefusedError as exc:
            yield {self._job: problem_html(exc.reason)}
        except RawiError as exc:
            yield {self._job: problem_html(text.REFUSED_GONE, str(exc))}
        else:
            yield from self._indexed("")

    def _reindex(self) -> Iterator[Update]:
        yield from self._indexed("")

    def _indexed(self, before: str) -> Iterator[Update]:
        """Index the folder and show how far that is, below what was said before."""
        for job in documents.reindex(self._settings, self._loader):
            yield {self._job: before + job_html(job)}
        yield {self._listing: self.load()}
