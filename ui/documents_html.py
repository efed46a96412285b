"""The Documents tab as HTML."""

from __future__ import annotations

from markupsafe import Markup

from rag import readers
from ui import text
from ui.documents import size_text
from ui.indexing import Job
from ui.markup import macros
from ui.text import isolated

# Files that are listed before the one that is being read, and from it on.
_BEFORE, _AFTER = 10, 20
_HTML = macros("documents", size_text=size_text)
listing_html = _HTML.listing


def tools_html(upload_limit: int) -> str:
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
