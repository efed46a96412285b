"""``rawi eval report``: the results of runs as a page, report.html.

::

    results      folder → Results
    statistics   two Results → differences, flips
    tables       Results → Table
    figures      Results → Figure
    page         all of these → Page
    write        Page → the template → the file

Nothing is measured here: numbers are those of summary.json and scores.jsonl, and the same files
give the same bytes. All texts of documents and answers are escaped: they are anybody's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from eval import page, results, words
from rag.errors import EvalError
from rag.language import clean, detect, direction
from rag.phrase import Phrase

_NUMBER = re.compile(r"[\d\s.,%()–−+<>=kMGBms·]*")


def write(folders: Sequence[Path]) -> Path:
    """Write report.html into the first folder.

    Runs that share questions are compared with the first of them; the others get their own section.

    :param folders: Of ``rawi eval qa``, ``squad``, ``abstain`` or ``injection``, the newest first.
    :return: The file.
    :raises EvalError: When a file is missing or damaged, or can't be written.
    """
    runs = [results.read(folder) for folder in folders]
    if not runs:
        raise EvalError("there is no run to report; give the folders of one or more runs")
    template = _environment().get_template("report.html.jinja")
    text = template.render(page=page.page(runs))
    path = folders[0] / "report.html"
    try:
        path.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    except OSError as exc:
        raise EvalError(f"{path}: can't be written ({exc.strerror})") from exc
    return path


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=_visible,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["direction"] = _direction
    environment.tests["number_like"] = lambda text: _NUMBER.fullmatch(text) is not None
    return environment


def _visible(value: object) -> object:
    """Say the report's own words in English; drop what HTML can't hold or a reader can't see."""
    value = words.english(value) if isinstance(value, Phrase) else value
    return clean(value) if type(value) is str else value


def _direction(text: str) -> Markup:
    """Return the attributes of an element that holds Arabic; the page itself is English."""
    return Markup("") if direction(detect(text)) == "ltr" else Markup(' dir="rtl" lang="ar"')
