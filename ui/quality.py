"""The Quality tab: tables and plots of the last eval run, and where it was measured."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from eval import page, results
from eval.figures import Figure
from eval.page import Section
from eval.tables import Table
from rag.errors import EvalError
from ui import text
from ui.markup import both


def quality_html(folder: Path) -> str:
    """Return the run in ``folder`` as HTML; without one, how to make it."""
    try:
        report = page.page([results.read(folder)])
    except EvalError:
        return f'<p class="rw-quiet">{both(text.NO_REPORT)}</p>'
    return "".join(map(_section, report.sections))


def _section(section: Section) -> str:
    facts = dict(section.facts)
    measured = " · ".join((facts["date"][:10], facts["machine"], facts["set"]))
    return (
        f'<p class="rw-quiet">{both(text.MEASURED_ON)}: <bdi dir="ltr">{escape(measured)}</bdi></p>'
        f'<div dir="ltr" lang="en">{"".join(map(_table, section.tables))}'
        f"{_figures(section.figures)}</div>"
    )


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.head)
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f'<td class="rw-figure">{escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in table.rows
    )
    note = f'<p class="rw-quiet">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<div class="rw-scroll" tabindex="0" role="region" aria-label="{escape(table.caption)}">'
        f'<table class="rw-table"><caption>{escape(table.caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{note}"
    )


def _figures(figures: Sequence[Figure]) -> str:
    """Return the plots; their SVG is made by eval.plots, which escapes what it labels."""
    plots = "".join(
        f'<figure role="group" aria-label="{escape(figure.title)}"><figcaption>'
        f"<strong>{escape(figure.title)}</strong> {escape(figure.note)}</figcaption>"
        f"{figure.svg}</figure>"
        for figure in figures
    )
    return f'<div class="rw-plots">{plots}</div>'
