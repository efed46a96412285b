"""Files that are ZIP archives of XML: opened without being unpacked to disk, and within bounds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from lxml import etree

from rag.errors import DocumentError

_MOST_BYTES = 300_000_000  # of all members together
_MOST_MEMBERS = 20_000
# Office's container of before 2007, and of files with a password.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = 0x1
# Where an XML file declares entities, in either width of its letters.
_ENTITIES = tuple("<!ENTITY".encode(width) for width in ("utf-8", "utf-16-le", "utf-16-be"))
_CORE = "docProps/core.xml"
DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
_TERMS = "{http://purl.org/dc/terms/}"


@contextmanager
def opened(content: bytes) -> Iterator[zipfile.ZipFile]:
    """Open an archive.

    :raises DocumentError: When it is none, is encrypted, or holds too much.
    """
    if content.startswith(_OLE):
        raise DocumentError("is protected by a password, or of an old format; save it anew without")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if any(member.flag_bits & _ENCRYPTED for member in members):
            raise DocumentError("is protected by a password; save it without one")
        size = sum(member.file_size for member in members)
        if size > _MOST_BYTES or len(members) > _MOST_MEMBERS:
            raise DocumentError(f"unpacks to more than {_MOST_BYTES // 1_000_000} MB")
        yield archive


def check(archive: zipfile.ZipFile) -> None:
    """See that an archive's XML is safe to be parsed.

    :raises DocumentError: When it isn't.
    """
    for name in archive.namelist():
        if name.endswith((".xml", ".rels", ".vml")):
            part = archive.read(name)
            # What zipfile reads is no longer than the archive says: it checks as it goes.
            if any(entity in part.upper() for entity in _ENTITIES):
                raise DocumentError("declares XML entities, as no program does; save it anew")


def office(content: bytes) -> tuple[str, str, str]:
    """Return title, author and date of a file of Office, once it is safe to be parsed.

    :raises DocumentError: When it isn't.
    """
    with opened(content) as archive:
        check(archive)
        if _CORE not in archive.namelist():
            return "", "", ""
        core = xml(archive.read(_CORE))
    date = core.findtext(f"{_TERMS}modified") or core.findtext(f"{_TERMS}created") or ""
    title, author = (core.findtext(f"{DUBLIN_CORE}{name}") or "" for name in ("title", "creator"))
    return title, author, date[:10]


def xml(content: bytes) -> etree._Element:
    """Return XML as a tree; entities stay unresolved, and nothing is fetched."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(content, parser)
