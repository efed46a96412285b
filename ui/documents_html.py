"""The Documents tab as HTML; file names, titles and reasons in it are escaped."""

from __future__ import annotations

from datetime import datetime
from html import escape

from rag import readers
from ui import text
from ui.documents import Listed, Listing, size_text
from ui.indexing import Job
from ui.markup import both, button, in_language, shown
from ui.reasons import reason_html
from ui.text import Phrase, isolated

# Files that are listed before the one that is being read, and from it on.
_BEFORE, _AFTER = 10, 20
_COLUMNS = (
    text.COLUMN_TITLE,
    text.COLUMN_LANGUAGE,
    text.COLUMN_SIZE,
    text.COLUMN_PASSAGES,
    text.COLUMN_WHEN,
    text.COLUMN_ACTIONS,
)


def tools_html(upload_limit: int) -> str:
    """Return the place to drop files on, and the button that indexes anew."""
    types = ", ".join(readers.suffixes())
    hint = text.DROP.format(types=isolated(types), most=isolated(size_text(upload_limit)))
    # The browser's own words for an input are in the browser's language, so ours stand instead.
    return (
        '<div class="rw-drop"><label class="rw-file">'
        f'<input class="rw-hidden" type="file" multiple accept="{escape(types)}">'
        f'<span class="rw-button rw-primary">{both(text.ADD)}</span></label>'
        f'<p class="rw-quiet">{both(hint)}</p>{button(text.REINDEX, "reindex")}</div>'
    )


def listing_html(listing: Listing) -> str:
    """Return what is indexed as a table, and what is not with its reasons."""
    if not listing.documents and not listing.failed:
        return f'<p class="rw-quiet">{both(text.NO_DOCUMENTS)}</p>'
    head = "".join(f'<th scope="col">{both(column)}</th>' for column in _COLUMNS)
    rows = "".join(map(_row, listing.documents))
    counts = text.INDEXED.format(documents=len(listing.documents), passages=listing.passages)
    when = f" · {both(text.INDEXED_WHEN)} {_time(listing.indexed)}" if listing.indexed else ""
    return (
        f'<p class="rw-quiet">{both(counts)}{when}</p>'
        '<div class="rw-scroll" tabindex="0" role="region" aria-labelledby="rawi-documents-title">'
        f'<table class="rw-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f"{_failures(listing)}"
    )


def job_html(job: Job) -> str:
    """Return how far an indexing run is, or how it ended."""
    if not job.ended.is_set():
        counts = text.INDEXING.format(done=job.done, total=job.total)
        line = both(counts) if job.total else both(text.PREPARING)
        value = f' value="{job.done + job.part:g}" max="{job.total}"' if job.total else ""
        return (
            f'<p class="rw-state" role="status"><progress aria-labelledby="rawi-job"{value}>'
            f'</progress><span id="rawi-job">{line}</span></p>{_files(job)}'
        )
    if job.report is None:
        return problem_html(text.INDEX_FAILED, job.problem)
    report = job.report
    done = text.INDEX_DONE.format(
        added=report.added, changed=report.changed, removed=report.removed
    )
    return f'<p class="rw-note rw-good" role="status">{both(done)}</p>'


def _files(job: Job) -> str:
    """List the files around the one that is being read, and before them those that failed."""
    first, last = max(0, job.done - _BEFORE), job.done + _AFTER
    earlier = [at for at, doc in enumerate(job.files[:first]) if doc in job.failed][-_BEFORE:]
    rows = ""
    for at in [*earlier, *range(first, min(last, len(job.files)))]:
        doc, more = job.files[at], ""
        if doc in job.failed:
            state, more = "failed", reason_html(job.failed[doc])
        elif at == job.done:
            state, more = "reading", _within(job)
        else:
            state = "done" if at < job.done else "waiting"
        rows += (
            f'<li class="rw-{state}"><span class="rw-tag">{both(text.FILE_STATES[state])}</span>'
            f" {shown(doc)} {more}</li>"
        )
    return f'<ol class="rw-files">{rows}</ol>' if rows else ""


def _within(job: Job) -> str:
    """Say how far the file is, and how long it all has taken: one file may take minutes."""
    taken = both(text.SECONDS.format(seconds=f"{job.seconds:.0f}"))
    if not job.passages:
        return f'<span aria-hidden="true">{taken}</span>'
    counts = text.INDEXING_PASSAGES.format(done=job.passages_done, total=job.passages)
    return f'<span aria-hidden="true">{both(counts)} · {taken}</span>'


def problem_html(phrase: Phrase, reason: str = "", *, file: str = "") -> str:
    """Return what went wrong.

    :param reason: In the engine's own words.
    :param file: The name of the one that it went wrong with.
    """
    named = f"<small>{shown(file)}</small>" if file else reason_html(reason)
    return f'<p class="rw-note rw-problem" role="alert"><span>{both(phrase)} {named}</span></p>'


def _row(listed: Listed) -> str:
    doc = escape(listed.doc)
    return (
        f'<tr data-doc="{doc}"><th scope="row"><button type="button" class="rw-link"'
        f' data-act="open" data-doc="{doc}" {in_language(listed.language)}>'
        f"{shown(listed.title)}</button>"
        f'<span class="rw-from">{shown(listed.doc)}</span></th>'
        f"<td>{both(text.LANGUAGES[listed.language])}</td>"
        f'<td class="rw-figure"><bdi dir="ltr">{size_text(listed.size)}</bdi></td>'
        f'<td class="rw-figure">{listed.passages:,}</td>'
        f'<td class="rw-figure">{_time(listed.when)}</td>'
        f"<td>{_removal(listed.doc)}</td></tr>"
    )


def _removal(doc: str) -> str:
    """Return the button that removes a file; it asks once more before it does."""
    return (
        f'<details class="rw-sure"><summary class="rw-button">{both(text.REMOVE)}</summary>'
        f"{button(text.REALLY_REMOVE, 'remove', doc=doc)}{button(text.CANCEL, 'keep')}</details>"
    )


def _failures(listing: Listing) -> str:
    if not listing.failed:
        return ""
    rows = "".join(f"<li>{shown(doc)} {reason_html(reason)}</li>" for doc, reason in listing.failed)
    return f'<h3>{both(text.NOT_INDEXED)}</h3><ul class="rw-failures">{rows}</ul>'


def _time(when: datetime | None) -> str:
    if when is None:
        return "–"
    return f'<time datetime="{when.isoformat()}" dir="ltr">{when:%Y-%m-%d %H:%M} UTC</time>'
