"""What a PDF says of itself: title, author and date."""

from __future__ import annotations

import re

import pypdfium2 as pdfium
from lxml import etree

_JUNK_TITLE = re.compile(r"untitled|microsoft \w+ - .*|.*\.\w{3,4}|about:blank", re.IGNORECASE)
_DATE = re.compile(r"(?:D:)?(\d{4})-?(\d\d)?-?(\d\d)?")
# Pictures within have such packets as well; the file's own speaks of PDF.
_PACKET = re.compile(rb"<x:xmpmeta\b.{0,100000}?</x:xmpmeta>", re.DOTALL)
_OF_PDF = b"http://ns.adobe.com/pdf/"
_DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"


def properties(file: pdfium.PdfDocument, content: bytes) -> tuple[str, str, str]:
    """Return title, author and date: of the document's information, else of its XMP packet."""
    said = file.get_metadata_dict()
    packet = _packet(content)
    title = said.get("Title", "").strip() or _first(packet, f"{_DUBLIN_CORE}title")
    author = said.get("Author", "").strip() or _first(packet, f"{_DUBLIN_CORE}creator")
    date = said.get("CreationDate", "").strip() or _first(packet, f"{_XMP}CreateDate")
    return "" if _JUNK_TITLE.fullmatch(title) else title, author, _day(date)


def _packet(content: bytes) -> etree._Element | None:
    packets = [found for found in _PACKET.findall(content) if _OF_PDF in found]
    if not packets:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    packet: etree._Element | None = etree.fromstring(packets[-1], parser)
    return packet


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
