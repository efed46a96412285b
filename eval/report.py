"""``rawi eval report``: the results of runs as a page, report.html, and as text, report.md.

::

    results      folder → Results
    statistics   two Results → differences, flips
    tables       Results → Table
    figures      Results → Figure
    page         all of these → Page
    write        Page → the two templates → files

Nothing is measured here: numbers are those of summary.json and scores.jsonl, and the same files
give the same bytes. All texts of documents and answers are escaped: they are anybody's.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from eval import files, page, results, words
from rag.errors import EvalError
from rag.language import clean, detect, direction
from rag.phrase import Phrase

_NUMBER = re.compile(r"[\d\s.,%()–−+<>=kMGBms·]*")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]#|~!])")


def write(folders: Sequence[Path], limit: int | None = None) -> Path:
    """Write report.md and report.html into the first folder.

    Runs that share questions are compared with the first of them; the others get their own section.

    :param folders: Of ``rawi eval qa``, ``squad``, ``abstain`` or ``injection``, the newest first.
    :param limit: List only so many questions of each run.
    :return: The HTML file.
    :raises EvalError: When a file is missing or damaged, or can't be written.
    """
    runs = [results.read(folder) for folder in folders]
    if not runs:
        raise EvalError("there is no run to report; give the folders of one or more runs")
    content = page.page(runs, limit or page.MOST_LISTED)
    for name in ("report.md", "report.html"):
        template = _environment(name).get_template(f"{name}.jinja")
        files.write(folders[0] / name, template.render(page=content))
    return folders[0] / name


def _environment(name: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=_markdown if name.endswith(".md") else _visible,
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


def _markdown(value: object) -> object:
    """Make a text fit one cell of a table, where it is nothing but text; Arabic runs leftwards."""
    value = _visible(value)
    if type(value) is not str:
        return value
    text = " ".join(value.split())
    escaped = _MARKDOWN.sub(r"\\\1", html.escape(text, quote=False)).replace("://", ":&#47;/")
    cell = f"<span{_direction(text)}>{escaped}</span>" if _direction(text) else escaped
    return Markup(cell)  # noqa: S704 - escaped above


def _direction(text: str) -> Markup:
    """Return the attributes of an element that holds Arabic; the page itself is English."""
    return Markup("") if direction(detect(text)) == "ltr" else Markup(' dir="rtl" lang="ar"')
