"""The corpus: a folder → ``Document``s; what makes text of a file stands in ``rag.readers``.

Files are untrusted, and none is guessed at, because a wrong guess poisons every answer silently; a
file that can't be read is reported with its reason and the rest is indexed.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from rag import readers, sentences
from rag.blocks import Layout, is_value, spoken
from rag.config import DocumentsSettings
from rag.errors import DocumentError, UnreachableError
from rag.language import Language, clean, detect, fold
from rag.readers.decoding import decode
from rag.readers.sandbox import Sandbox
from rag.readers.writing import Reading
from rag.sentences import Unit

TITLE_MAX_CHARS = 150
# Between a title and the words of the file's path.
PATH_MARK = " · "
_BETWEEN_WORDS = re.compile(r"[\W_]+")
# A word, a year or a number, "note1", "2nd"; what has more figures or mixes them is a code.
_PATH_WORD = re.compile(r"[^\W\d_]*\d{0,4}|\d{1,4}[^\W\d_]+")
_MARKDOWN = frozenset({".md", ".markdown"})
# A line such as «المصدر: ...» says where an article is from, not what it is called.
_BYLINE = re.compile(r"(المصدر|الكاتب|بقلم|التاريخ|source|author|by|date)\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class Document:
    """One file of the corpus.

    :ivar id: The path relative to the corpus, with ``/`` between folders.
    :ivar text: The cleaned text; every offset anywhere in Rawi counts its characters.
    :ivar sha256: See ``digest``.
    :ivar author: As the file names it; may be empty, as ``date`` may.
    :ivar pages: Where each of its pages begins; empty for a file without pages.
    """

    id: str
    title: str
    language: Language
    text: str
    sha256: str
    author: str = ""
    date: str = ""
    pages: tuple[int, ...] = ()

    @cached_property
    def layout(self) -> Layout:
        """What it is made of."""
        return sentences.layout(self.text, is_markdown=_suffix(self.id) in _MARKDOWN)

    @cached_property
    def units(self) -> list[list[Unit]]:
        """Its units, block by block; see ``rag.sentences``."""
        return sentences.units(self.layout, self.text, self.title)

    @property
    def heading(self) -> str:
        """What models read before its passages."""
        return heading(self.id, self.title)


def heading(doc: str, title: str) -> str:
    """Return a document's title and the words of its path that aren't in it.

    "people/Salem.md" is about Salem, whatever it says. A path without words tells nothing.
    """
    words = _BETWEEN_WORDS.split(clean(doc.removesuffix(PurePosixPath(doc).suffix)))
    words = [word for word in words if word and _PATH_WORD.fullmatch(word)]
    if not any(len(word) > 1 and word.isalpha() for word in words):
        return title
    known = set(fold(title).split())
    told = dict.fromkeys(word for word in words if fold(word) not in known)
    return PATH_MARK.join(filter(None, (title, " ".join(told))))


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
        found += [path.relative_to(corpus).as_posix() for path in paths if is_inside(path, corpus)]
    for exc in closed:
        if isinstance(exc, FileNotFoundError):
            continue  # it left meanwhile
        if Path(exc.filename) == corpus:
            raise DocumentError(f"{corpus}: can't be listed ({exc.strerror})")
        found.append(Path(exc.filename).relative_to(corpus).as_posix() + "/")
    return sorted(found)


def is_inside(path: Path, corpus: Path) -> bool:
    """Tell whether a path, with its links followed, is a file of the corpus."""
    try:
        return path.is_file() and path.resolve().is_relative_to(corpus.resolve())
    except OSError:  # read_bytes says so
        return True


def is_readable(doc: str) -> bool:
    """Tell whether a file is of a type that is read, by its name."""
    return _suffix(doc) in readers.suffixes()


def read_bytes(corpus: Path, doc: str, settings: DocumentsSettings) -> bytes:
    """Return a file's content.

    :raises DocumentError: For a type without a reader, a file that is too large or has left.
    :raises UnreachableError: For what can't be read, and may be as it was.
    """
    if doc.endswith("/"):
        raise UnreachableError("this folder can't be listed; check its permissions")
    try:
        doc.encode()
    except UnicodeEncodeError as exc:
        raise DocumentError("the file's name is not UTF-8; rename it") from exc
    if not is_readable(doc):
        raise DocumentError(f"not a file type that Rawi reads ({', '.join(readers.suffixes())})")
    path = corpus / doc
    try:
        size = path.stat().st_size
        if size > settings.max_bytes:
            raise DocumentError(
                f"{size:,} bytes, more than documents.max_bytes ({settings.max_bytes:,})"
            )
        return path.read_bytes()
    except OSError as exc:
        gone = isinstance(exc, FileNotFoundError)
        kind = DocumentError if gone else UnreachableError
        raise kind(f"can't be read ({exc.strerror})") from exc


def digest(doc: str, content: bytes, settings: DocumentsSettings) -> str:
    """Return the SHA-256 of all that decides what is read of a file, in hexadecimal.

    That is its content, its reader's version and what that may take.
    """
    suffix = _suffix(doc)
    bounds = (settings.max_chars, settings.max_seconds, settings.max_memory_bytes)
    how: tuple[object, ...] = (suffix, readers.version(suffix))
    how += (() if suffix in readers.TEXTS else bounds,)
    if settings.ocr and suffix == ".pdf":
        how += (settings.ocr,)
    return hashlib.sha256(repr(how).encode() + content).hexdigest()


def parse(doc: str, content: bytes, sandbox: Sandbox | None = None) -> Document:
    """Make a document of a file's content.

    :param sandbox: Reads what is more than plain text; one of its own, when there is none.
    :raises DocumentError: When the content is not what the file type promises, or holds no text.
    """
    suffix = _suffix(doc)
    settings = DocumentsSettings() if sandbox is None else sandbox.settings
    if suffix in readers.TEXTS:
        reading = Reading(clean(decode(content)).strip(), ())
        layout = sentences.layout(reading.text, is_markdown=suffix in _MARKDOWN)
    else:
        with Sandbox(settings) if sandbox is None else nullcontext(sandbox) as process:
            reading = process.read(suffix, content)
        layout = sentences.asked(Layout(reading.blocks, reading.text, reading.title))
    said = " ".join(layout.masked[block.start : block.end] for block in layout.blocks)
    if not any(map(str.isalnum, said)):
        raise DocumentError("holds no text")
    title = layout.title if len(layout.title) <= TITLE_MAX_CHARS else ""
    document = Document(
        id=doc,
        title=title or _title(layout) or file_title(doc),
        language=detect(said),
        text=reading.text,
        sha256=digest(doc, content, settings),
        author=reading.author,
        date=reading.date,
        pages=reading.pages,
    )
    document.__dict__["layout"] = layout  # it is there already
    return document


def file_title(doc: str) -> str:
    """Return the title of a document that has none of its own: its file's name."""
    return " ".join(clean(PurePosixPath(doc).stem).split()) or doc


def _title(layout: Layout) -> str:
    """Return the first heading or line that reads like a title, or nothing."""
    for block in layout.blocks[:5]:
        if block.kind == "question":
            break
        first = layout.masked[block.start : block.end].split("\n")[0]
        line = block.said or spoken(first)
        if block.kind == "heading" or (block.kind == "text" and not is_value(line)):
            if _BYLINE.match(line):
                continue
            named = len(line) <= TITLE_MAX_CHARS and not line.endswith((":", ",", "،", ";", "؛"))
            return line if named else ""
    return ""


def _suffix(doc: str) -> str:
    return PurePosixPath(doc).suffix.lower()
