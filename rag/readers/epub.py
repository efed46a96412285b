"""A book: an archive of XHTML files, in the order of its spine."""

from __future__ import annotations

import posixpath
import zipfile
from urllib.parse import unquote

from rag.errors import DocumentError
from rag.readers import archives, html
from rag.readers.decoding import decode
from rag.readers.writing import Reading, Writer

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html")


def read(content: bytes) -> Reading:
    """Read a book's chapters.

    :raises DocumentError: When it is no whole book, or encrypted.
    """
    writer = Writer()
    with archives.opened(content) as archive:
        names = set(archive.namelist())
        package = archives.xml(archive.read(_CONTAINER)).find(".//{*}rootfile").get("full-path")
        book = archives.xml(archive.read(package))
        locked = _locked(archive) if _ENCRYPTION in names else frozenset()
        folder = posixpath.dirname(package)
        files = {
            item.get("id"): posixpath.normpath(posixpath.join(folder, unquote(item.get("href"))))
            for item in book.iterfind(".//{*}manifest/{*}item")
            if item.get("media-type") in _PAGES
        }
        for entry in book.iterfind(".//{*}spine/{*}itemref"):
            name = files.get(entry.get("idref"))
            if name in locked:
                raise DocumentError("is protected by a password; save it without one")
            if name in names:
                html.write(decode(archive.read(name)), writer)
            names.discard(name)  # a spine names each chapter once; what doesn't would never end
    fields = (f".//{archives.DUBLIN_CORE}{name}" for name in ("title", "creator", "date"))
    return writer.reading(*(book.findtext(name) or "" for name in fields))


def _locked(archive: zipfile.ZipFile) -> frozenset[str]:
    """Return the members that are encrypted; fonts often are, and nothing is lost with them."""
    found = archives.xml(archive.read(_ENCRYPTION)).iterfind(".//{*}CipherReference")
    return frozenset(unquote(reference.get("URI", "")) for reference in found)
