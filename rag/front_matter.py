"""What programs that keep notes write before a text: fields between two rules, in YAML or TOML."""

from __future__ import annotations

import re

# A line is of one kind, and what has no end is left at once: a hostile text takes no longer.
_YAML = re.compile(
    r"---[ \t]*\n((?:(?:\w[\w-]*[ \t]*:|[ \t#-]).*\n|\n)+)(?:---|\.\.\.)[ \t]*(?:\n|$)"
)
_TOML = re.compile(
    r"\+\+\+[ \t]*\n((?:(?:\w[\w.-]*[ \t]*=|[ \t#\[\]\"']).*\n|\n)+)\+\+\+[ \t]*(?:\n|$)"
)
# A title on its own line, or, after a sign, on those below.
_TITLE = re.compile(
    r"^title[ \t]*[:=][ \t]*"
    r"(?:[>|][+-]?[ \t]*\n(?P<below>(?:[ \t]+\S.*\n)+)|(?P<beside>.+))",
    re.MULTILINE | re.IGNORECASE,
)
_QUOTES = "\"'“”‘’ "


def read(text: str) -> tuple[int, str]:
    """Return where a text begins after its front matter, 0 without one, and the title in that."""
    found = _YAML.match(text) or _TOML.match(text)
    if found is None:
        return 0, ""
    title = _TITLE.search(found[1])
    said = (title["below"] or title["beside"]) if title else ""
    return found.end(), " ".join(said.strip(_QUOTES).split())
