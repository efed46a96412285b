"""What makes text of files, by the suffixes of their names.

A reader is a function ``(bytes) -> Reading`` that says what it finds to a ``Writer``, and raises
``DocumentError`` with the reason rather than guess. It runs in the process of ``sandbox``, where it
may stumble over a file as it likes. Other packages add theirs as entry points of the group
``rawi.readers``, named by the suffix: ``odt = "their.module:read"``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from rag.readers.writing import Reading, Writer

__all__ = ["GROUP", "OCR", "TEXTS", "Reading", "Writer", "load", "suffixes", "version"]

GROUP = "rawi.readers"
OCR = "RAWI_OCR"  # in the environment of a process that reads: Tesseract's languages, such as ara

# These hold a text as it is: decoded here, and what they are made of is told by its own signs.
TEXTS = (".txt", ".md", ".markdown")
# Rawi's own stand here and not among its entry points, so that a checkout reads what its code can.
_OWN = {
    "csv": "delimited:read",
    "docx": "docx:read",
    "epub": "epub:read",
    "htm": "html:read",
    "html": "html:read",
    "jsonl": "jsonl:read",
    "ods": "opendocument:sheets",
    "odt": "opendocument:text",
    "pdf": "pdf:read",
    "pptx": "pptx:read",
    "rtf": "rtf:read",
    "tsv": "delimited:read",
    "xhtml": "html:read",
    "xlsx": "xlsx:read",
}
# Raised by one when a reader makes another text of the same file, or refuses another one; of those
# that aren't named it is 1.
_VERSIONS = MappingProxyType({"epub:read": 2, "pdf:read": 4})


@cache
def _found() -> dict[str, EntryPoint]:
    own = {name: EntryPoint(name, f"{__name__}.{at}", GROUP) for name, at in _OWN.items()}
    others = {entry.name.lower(): entry for entry in entry_points(group=GROUP)}
    return {f".{name}": entry for name, entry in (own | others).items()}


def suffixes() -> list[str]:
    """Return the suffixes of the files that are read, sorted."""
    return sorted({*TEXTS, *_found()})


def version(suffix: str) -> str:
    """Return the version of a suffix's reader: what another one has read is read anew."""
    entry = _found().get(suffix)
    if entry is not None and entry.dist is not None:
        return f"{entry.dist.name} {entry.dist.version}"
    module = entry.value.removeprefix(f"{__name__}.") if entry else ""
    return str(_VERSIONS.get(module, 1))


def load(suffix: str) -> Callable[[bytes], Reading]:
    """Return the reader of a suffix, which is one of ``suffixes`` and none of ``TEXTS``."""
    reader: Callable[[bytes], Reading] = _found()[suffix].load()
    return reader
