"""What a PDF says of itself: title, author and date."""

from __future__ import annotations

import re

import pypdfium2 as pdfium
from lxml import etree

from rag.readers.archives import DUBLIN_CORE

_JUNK_TITLE = re.compile(r"untitled|microsoft \w+ - .*|.*\.\w{3,4}|about:blank", re.IGNORECASE)
_NO_AUTHOR = re.compile(r"\W*(?:anonymous|unknown(?: author)?|unspecified)\W*", re.IGNORECASE)
_DATE = re.compile(r"(?:D:)?(\d{4})-?(\d\d)?-?(\d\d)?")
_BEGINS, _ENDS = b"<x:xmpmeta", b"</x:xmpmeta>"
_MOST_BYTES = 100_000
# Pictures within have such packets as well; the file's own speaks of PDF.
_OF_PDF = b"http://ns.adobe.com/pdf/"
_XMP = "{http://ns.adobe.com/xap/1.0/}"


def read(file: pdfium.PdfDocument, content: bytes) -> tuple[str, str, str]:
    """Return title, author and date: of the document's information, else of its XMP packet."""
    said = file.get_metadata_dict()
    found = packet(content)
    title = said.get("Title", "").strip() or _first(found, f"{DUBLIN_CORE}title")
    author = said.get("Author", "").strip() or _first(found, f"{DUBLIN_CORE}creator")
    date = said.get("CreationDate", "").strip() or _first(found, f"{_XMP}CreateDate")
    title = "" if _JUNK_TITLE.fullmatch(title) else title
    return title, "" if _NO_AUTHOR.fullmatch(author) else author, _day(date)


def packet(content: bytes) -> etree._Element | None:
    """Return the last XMP packet of a PDF's bytes that is about the file itself."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    for before in reversed(content.split(_ENDS)[:-1]):
        _, begins, said = before.rpartition(_BEGINS)
        if begins and _OF_PDF in said and len(said) <= _MOST_BYTES:
            found: etree._Element | None = etree.fromstring(begins + said + _ENDS, parser)
            return found
    return None


def _first(packet: etree._Element | None, name: str) -> str:
    """Return what an element or an attribute says, of several the first."""
    if packet is None:
        return ""
    for node in packet.iter():
        if node.tag == name:
            said = (text.strip() for text in node.itertext())
            return next(filter(None, said), "")
        if said := node.get(name):
            return str(said)
    return ""


def _day(said: str) -> str:
    """Return a date in ISO 8601, as far as it goes."""
    found = _DATE.match(said)
    return "-".join(filter(None, found.groups())) if found else ""
