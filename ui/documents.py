"""The folder of documents, as the Documents tab shows and changes it.

Names come from anybody: a file is only ever written within the corpus folder, under a plain name of
a type that Rawi reads, below folders of plain names that lead nowhere else, and only removed when
the index or the listing names it.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.types import Scope

from rag import current, documents, readers, storage
from rag.config import Settings
from rag.errors import DocumentError, RawiError
from rag.language import Language, clean
from rag.readers.sandbox import Sandbox
from ui import address, reasons, text
from ui.text import Phrase, isolated

logger = logging.getLogger(__name__)

_NAME_CHARS = 120
_MOST_PARTS = 8
_BAD = frozenset('/\\:*?"<>|')


@dataclass(frozen=True)
class Listed:
    """A document of the index.

    :ivar size: Bytes of its file; 0 when that is gone.
    :ivar when: The file's date, in UTC; None when it is gone.
    """

    doc: str
    title: str
    language: Language
    passages: int
    size: int
    when: datetime | None


@dataclass(frozen=True)
class Listing:
    """What is indexed, and what is not and why."""

    documents: tuple[Listed, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    indexed: datetime | None = None


class RefusedError(RawiError):
    """A file can't be added or removed.

    :ivar reason: Why, in both languages.
    :ivar status: As HTTP says it.
    :ivar retry_s: When to try again; None where that is of no use.
    """

    def __init__(self, reason: Phrase, status: int = 409, retry_s: int | None = None) -> None:
        super().__init__(reason.en)
        self.reason = reason
        self.status = status
        self.retry_s = retry_s


def may_change(settings: Settings, scope: Scope) -> bool:
    """Tell whether whoever sends a request may change the folder."""
    if settings.page.documents_tab != "local":
        return settings.page.documents_tab == "on"
    return address.is_this_machine(scope, settings.server)


def listing(settings: Settings) -> Listing:
    """Return what the index holds; it need not be open for answering.

    :raises IndexStorageError: When it can't be read.
    """
    found = current.read_current(settings.storage)
    if found is None:
        return Listing()
    path = found.folder / storage.DATABASE
    with storage.translated(settings.storage), closing(_opened(path)) as db:
        rows = db.execute(
            "SELECT id, title, language, (SELECT count(*) FROM passages WHERE doc = documents.id)"
            " FROM documents ORDER BY id"
        ).fetchall()
        failed = db.execute("SELECT doc, reason FROM failures ORDER BY doc").fetchall()
    return Listing(
        tuple(_listed(settings.corpus, *row) for row in rows),
        tuple((doc, reason) for doc, reason in failed),
        _date(settings.storage / "CURRENT"),
    )


def checked_name(settings: Settings, name: str) -> str:
    """Return the id that a file of this name gets in the folder.

    :raises RefusedError: When its name or type won't do, or a file of that name is there.
    """
    parts = [" ".join(clean(part).split()) for part in name.split("/")]
    plain = all(
        part and not part.startswith(".") and len(part) <= _NAME_CHARS and not _BAD & set(part)
        for part in parts
    )
    if not plain or len(parts) > _MOST_PARTS or _leads_elsewhere(settings, parts):
        raise RefusedError(text.REFUSED_NAME, 400)
    name = "/".join(parts)
    if not documents.is_readable(name):
        types = isolated(", ".join(readers.suffixes()))
        raise RefusedError(text.REFUSED_TYPE.format(types=types), 415)
    if (settings.corpus / name).exists():
        raise RefusedError(text.REFUSED_EXISTS)
    return name


def _leads_elsewhere(settings: Settings, parts: Sequence[str]) -> bool:
    """Tell whether a path below the corpus follows a link, or is the index's own."""
    folders = (settings.corpus.joinpath(*parts[:n]) for n in range(1, len(parts)))
    corpus, own = settings.corpus.resolve(), settings.storage.resolve()
    is_own = corpus in own.parents and corpus.joinpath(*parts).is_relative_to(own)
    return is_own or any(folder.is_symlink() for folder in folders)


def add(settings: Settings, name: str, content: bytes) -> str:
    """Put a file into the folder, whole or not at all, and return its id.

    :raises RefusedError: When its name, type, size or content won't do, a file of that name is
        there, or the folder can't take it.
    """
    name = checked_name(settings, name)
    most = upload_limit(settings)
    if len(content) > most:
        raise RefusedError(text.REFUSED_SIZE.format(most=size_text(most)), 413)
    try:
        with Sandbox(settings.documents) as sandbox:
            documents.parse(name, content, sandbox)
        # The first document may be there before its folder is.
        (settings.corpus / name).parent.mkdir(parents=True, exist_ok=True)
        _write_whole(settings.corpus / name, content)
    except FileExistsError as exc:
        raise RefusedError(text.REFUSED_EXISTS) from exc
    except DocumentError as exc:
        why = reasons.phrase(str(exc)) or Phrase(isolated(str(exc)), str(exc))
        unread = text.REFUSED_UNREAD
        said = Phrase(unread.ar.format(why=why.ar), unread.en.format(why=why.en))
        raise RefusedError(said, 422) from exc
    except OSError as exc:
        logger.warning("%s: %s", settings.corpus / name, exc)
        raise unwritten(exc) from exc
    return name


def unwritten(error: OSError) -> RefusedError:
    """Return what to tell whoever sent a file that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RefusedError(text.REFUSED_FULL, 507)
    return RefusedError(text.REFUSED_WRITE, 500)


def _write_whole(path: Path, content: bytes) -> None:
    """Make a file at once: who looks sees all of it or nothing, and none is written over.

    :raises OSError: As the file system; ``FileExistsError`` when there is one.
    """
    # A name that begins with a dot is no document; should a kill leave one, it stays unread.
    scratch = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with scratch.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(scratch, path)
        except OSError as exc:
            if exc.errno not in (errno.EPERM, errno.EOPNOTSUPP):
                raise
            # A file system without links: the name is taken first, so that none is written over.
            path.touch(exist_ok=False)
            try:
                scratch.replace(path)
            except OSError:
                path.unlink()
                raise
    finally:
        scratch.unlink(missing_ok=True)


def remove(settings: Settings, doc: str) -> None:
    """Delete a file of the folder, and the folders within that held nothing else.

    :raises RefusedError: When it is not one or can't be deleted.
    """
    files = [file for file in documents.list_files(settings.corpus) if not file.endswith("/")]
    if doc not in files:
        raise RefusedError(text.REFUSED_GONE)
    try:
        (settings.corpus / doc).unlink()
    except OSError as exc:
        logger.warning("%s: %s", settings.corpus / doc, exc)
        raise RefusedError(text.REFUSED_WRITE) from exc
    with suppress(OSError):  # not empty: it stays
        for folder in list((settings.corpus / doc).parents)[: doc.count("/")]:
            folder.rmdir()


def upload_limit(settings: Settings) -> int:
    """Return how many bytes a file may have."""
    return min(settings.page.upload_max_bytes, settings.documents.max_bytes)


def size_text(count: int) -> str:
    """Write a number of bytes for people: ``1.2 MB``."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} B"


def _opened(path: Path) -> sqlite3.Connection:
    # Where nothing can be written, SQLite can't either keep what it needs beside an open database.
    mode = "mode=ro" if os.access(path.parent, os.W_OK) else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)


def _listed(corpus: Path, doc: str, title: str, language: Language, passages: int) -> Listed:
    try:
        size = (corpus / doc).stat().st_size
    except OSError:
        size = 0
    return Listed(doc, title, language, passages, size, _date(corpus / doc))


def _date(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None
