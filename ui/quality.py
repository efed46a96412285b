"""The Quality tab: tables and plots of the last eval run, and where it was measured."""

from __future__ import annotations

from pathlib import Path

from rag.errors import EvalError
from ui.markup import macros

_HTML = macros("quality")


def quality_html(folder: Path) -> str:
    """Return the run in ``folder`` as HTML; without one, how to make it."""
    try:  # eval draws, which takes a second to import and an extra to install
        from eval import results

        run = results.read(folder)
        from eval import page, words

        report = page.page([run])
    except (EvalError, ModuleNotFoundError):
        return _HTML.unmeasured()
    asked, where = run.summary["set"], run.summary["environment"]
    return _HTML.report(where, asked, report.sections, words.SYSTEMS)
