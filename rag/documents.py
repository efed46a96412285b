"""The corpus: a folder → ``Document``s; one reader per file type, none of them guessing.

Files are untrusted. Decoding is strict, because a wrong guess poisons every answer silently; a file
that can't be read is reported with its reason and the rest is indexed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rag.config import DocumentsSettings
from rag.errors import DocumentError
from rag.language import Language, clean, detect

TITLE_MAX_CHARS = 150
# A line such as «المصدر: ...» says where an article is from, not what it is called.
_BYLINE = re.compile(r"(المصدر|الكاتب|بقلم|التاريخ|source|author|by|date)\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class Document:
    """One file of the corpus.

    :ivar id: The path relative to the corpus, with ``/`` between folders.
    :ivar text: The cleaned text; every offset anywhere in Rawi counts its characters.
    :ivar sha256: Of the file's bytes, in hexadecimal.
    """

    id: str
    title: str
    language: Language
    text: str
    sha256: str


def list_files(corpus: Path) -> list[str]:
    """Return the ids of all visible files below ``corpus``, sorted; links that lead out are left.

    A folder within that can't be listed stands among them, with a ``/`` at its end.

    :raises DocumentError: When the corpus isn't there or can't be listed.
    """
    if not corpus.is_dir():
        raise DocumentError(f"{corpus}: no such folder; set corpus in config.yaml or give --corpus")
    closed: list[OSError] = []
    found: list[str] = []
    for folder, folders, names in os.walk(corpus, onerror=closed.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(folder, name) for name in names if not name.startswith(".")]
        found += [path.relative_to(corpus).as_posix() for path in paths if _is_inside(path, corpus)]
    for exc in closed:
        if Path(exc.filename) == corpus:
            raise DocumentError(f"{corpus}: can't be listed ({exc.strerror})")
        found.append(Path(exc.filename).relative_to(corpus).as_posix() + "/")
    return sorted(found)


def _is_inside(path: Path, corpus: Path) -> bool:
    """Tell whether a path, with its links followed, is a file of the corpus."""
    try:
        return path.is_file() and path.resolve().is_relative_to(corpus.resolve())
    except PermissionError:  # read_bytes says so
        return True


def read_bytes(corpus: Path, doc: str, settings: DocumentsSettings) -> bytes:
    """Return a file's content.

    :raises DocumentError: For a type without a reader, a file that is too large or can't be read.
    """
    if doc.endswith("/"):
        raise DocumentError("this folder can't be listed; check its permissions")
    if not _is_unicode(doc):
        raise DocumentError("the file's name is not UTF-8; rename it")
    if _suffix(doc) not in READERS:
        raise DocumentError(f"not a file type that Rawi reads ({', '.join(sorted(READERS))})")
    path = corpus / doc
    try:
        size = path.stat().st_size
        if size > settings.max_bytes:
            raise DocumentError(
                f"{size:,} bytes, more than documents.max_bytes ({settings.max_bytes:,})"
            )
        return path.read_bytes()
    except OSError as exc:
        raise DocumentError(f"can't be read ({exc.strerror})") from exc


def parse(doc: str, content: bytes) -> Document:
    """Make a document of a file's content.

    :raises DocumentError: When the content is not what the file type promises, or holds no text.
    """
    text = clean(READERS[_suffix(doc)](content)).strip()
    if not text:
        raise DocumentError("holds no text")
    return Document(
        id=doc,
        title=_title(text) or " ".join(clean(PurePosixPath(doc).stem).split()) or doc,
        language=detect(text),
        text=text,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _read_text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise DocumentError(
            f"not UTF-8 (byte {exc.object[exc.start]:#04x} at {exc.start:,}); save it as UTF-8"
        ) from exc


def _title(text: str) -> str:
    """Return the first line that reads like a title, without Markdown's marks, or nothing."""
    for line in text.split("\n")[:5]:
        line = line.strip().lstrip("#").strip()
        if line and not _BYLINE.match(line):
            return line if len(line) <= TITLE_MAX_CHARS else ""
    return ""


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _suffix(doc: str) -> str:
    return PurePosixPath(doc).suffix.lower()


READERS: dict[str, Callable[[bytes], str]] = {
    ".txt": _read_text,
    ".md": _read_text,
    ".markdown": _read_text,
}
