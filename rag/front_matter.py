"""What programs that keep notes write before a text: fields between two rules, in YAML or TOML."""

from __future__ import annotations

import re

import yaml

_YAML = re.compile(r"---[ \t]*\n((?:.*\n)+?)(?:---|\.\.\.)[ \t]*(?:\n|$)")
# What people write is often no YAML: "title: Cats: a rise". A line is of one kind, and what has no
# end is left at once: a hostile text takes no longer.
_FIELDS = re.compile(
    r"(?=(?:#.*\n|\n)*\w)(?:(?:\w[\w-]*(?:[ \t]+[\w-]+){0,3}[ \t]*:|[ \t#-]).*\n|\n)+"
)
_KEY_WORDS = 4
# Of what is nested deep, a YAML parser takes longer than in proportion.
_YAML_CHARS = 8_000
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
    found = _YAML.match(text)
    if found and not (_FIELDS.fullmatch(found[1]) or _is_mapping(found[1][:_YAML_CHARS])):
        return 0, ""
    found = found or _TOML.match(text)
    if found is None:
        return 0, ""
    title = _TITLE.search(found[1])
    said = (title["below"] or title["beside"]) if title else ""
    return found.end(), " ".join(said.strip(_QUOTES).split())


def _is_mapping(text: str) -> bool:
    """Tell whether a text is fields by short names to YAML; nothing that it describes is made."""
    depth = nodes = 0  # of the outermost mapping, every second node is a name
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.NodeEvent):
                if depth == 0 and not isinstance(event, yaml.MappingStartEvent):
                    return False
                named = isinstance(event, yaml.ScalarEvent) and event.value.split()
                if depth == 1 and nodes % 2 == 0 and not (named and len(named) <= _KEY_WORDS):
                    return False
                nodes += depth == 1
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
    except yaml.YAMLError:
        return False
    return nodes > 0
