"""HTML made of templates: all text in it is escaped, and both languages stand side by side.

A string of the page is written in Arabic and in English, and a template that names it shows both;
the stylesheet shows the one that ``<html lang>`` names, so switching the language needs no word
from the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

import jinja2
from markupsafe import Markup

from rag.language import LANGUAGES, Language, clean, detect, direction
from ui import reasons, text
from ui.bidi import isolated_html
from ui.text import Phrase

# A line break of a template is none of the page: beside a tag it is nothing, within one a space.
_BREAK = re.compile(r"(?<=[>}])\n\s*|\n\s*(?=[<{])|\s*\Z")


def both(phrase: Phrase) -> Markup:
    """Return a phrase in both languages; what was filled in is escaped like the rest."""
    return Markup("").join(
        Markup('<span class="rw-{0}" lang="{0}" dir="{1}">{2}</span>').format(
            language, direction(language), phrase[language]
        )
        for language in LANGUAGES
    )


def in_language(language: Language) -> Markup:
    """Return the attributes of an element that holds text of one language."""
    return Markup('dir="{}" lang="{}"').format(direction(language), language)


def shown(name: str) -> Markup:
    """Return a file's name or title escaped, in one line, without characters that reorder it.

    Its direction is that of its language, not of its first letter.
    """
    line = " ".join(clean(name).split())
    language = detect(line)
    said = isolated_html(line, language)
    return Markup('<bdi dir="{}">{}</bdi>').format(direction(language), said)


class Macros(Protocol):
    """The macros of a template, as functions that return HTML."""

    def __getattr__(self, name: str) -> Callable[..., Markup]:
        """Return one of them."""


def macros(name: str, **given: object) -> Macros:
    """Return the macros of a template.

    :param given: What they may use beside what all may.
    """
    return cast("Macros", _ENVIRONMENT.get_template(f"{name}.html", globals=given).module)


class _Loader(jinja2.FileSystemLoader):
    """Reads templates as they are written for people."""

    def get_source(self, environment: jinja2.Environment, template: str) -> Any:
        source, *rest = super().get_source(environment, template)
        return _BREAK.sub("", source).replace("\n", " "), *rest


_ENVIRONMENT = jinja2.Environment(
    loader=_Loader(Path(__file__).parent / "templates"),
    undefined=jinja2.StrictUndefined,
    autoescape=True,
    finalize=lambda value: both(value) if isinstance(value, Phrase) else value,
)
_ENVIRONMENT.globals.update(
    t=text, shown=shown, in_language=in_language, direction=direction, detect=detect,
    isolated=isolated_html, reason_phrase=reasons.phrase,
)  # fmt: skip
_PARTS = macros("parts")
_ENVIRONMENT.globals.update({k: v for k, v in vars(_PARTS).items() if not k.startswith("_")})
button, heading, problem_html = _PARTS.button, _PARTS.heading, _PARTS.problem
