"""The Quality tab: tables and plots of the last eval run, and where it was measured."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import EvalError
from rag.phrase import Phrase
from ui import text
from ui.markup import both, shown

if TYPE_CHECKING:  # eval draws, which takes a second to import and an extra to install
    from eval.figures import Figure
    from eval.page import Section
    from eval.results import Results
    from eval.tables import Table
    from eval.words import Words


def quality_html(folder: Path) -> str:
    """Return the run in ``folder`` as HTML; without one, how to make it."""
    try:
        from eval import results

        run = results.read(folder)
        from eval import page

        report = page.page([run])
    except (EvalError, ModuleNotFoundError):
        return f'<p class="rw-quiet">{both(text.NO_REPORT)}</p>'
    return _measured(run) + "".join(map(_section, report.sections))


def _measured(run: Results) -> str:
    """Say when, where and on how many questions it was measured."""
    environment, asked = run.summary["environment"], run.summary["set"]
    when = f"{str(environment['date'])[:10]} · {environment['machine']}"
    count = text.QUESTIONS_ASKED.format(asked=asked["questions"], of=asked["of"])
    return (
        f'<p class="rw-quiet">{both(text.MEASURED_ON)}: <bdi dir="ltr">{escape(when)}</bdi>'
        f'<br>{both(count)}</p><p class="rw-quiet">{both(text.INTERVALS)}</p>'
    )


def _section(section: Section) -> str:
    tables = "".join(_table(table, f"rawi-table-{n}") for n, table in enumerate(section.tables))
    return tables + _figures(section.figures)


def _table(table: Table, name: str) -> str:
    """Return a table; the caption of this id names the part that scrolls."""
    head = "".join(f'<th scope="col">{_said(cell)}</th>' for cell in table.head)
    rows = "".join(
        f'<tr><th scope="row">{_said(row[0])}</th>'
        + "".join(f'<td class="rw-figure"><bdi dir="ltr">{_said(c)}</bdi></td>' for c in row[1:])
        + "</tr>"
        for row in table.rows
    )
    note = f'<p class="rw-quiet">{both(table.note)}</p>' if table.note else ""
    return (
        f'<div class="rw-scroll" tabindex="0" role="region" aria-labelledby="{name}">'
        f'<table class="rw-table"><caption id="{name}">{both(table.caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{note}"
    )


def _said(said: Words) -> str:
    return both(said) if isinstance(said, Phrase) else shown(said)


def _figures(figures: Sequence[Figure]) -> str:
    """Return the plots; their SVG is made by eval.figures, which escapes what it labels.

    What is written within them is English and runs from left to right.
    """
    from eval import words

    key = "".join(
        f'<span class="rw-key-{system.en.lower()}">{sign} {both(system)}</span> '
        for sign, system in zip("●◆", words.SYSTEMS, strict=True)
    )
    plots = "".join(
        f'<figure role="group" aria-labelledby="rawi-figure-{n}"><figcaption>'
        f'<strong id="rawi-figure-{n}">{both(figure.title)}</strong>'
        f'<p class="rw-quiet">{key if figure.paired else ""}{both(figure.note)}</p></figcaption>'
        f'<div dir="ltr" lang="en">{figure.svg}</div></figure>'
        for n, figure in enumerate(figures)
    )
    return f'<div class="rw-plots">{plots}</div>'
