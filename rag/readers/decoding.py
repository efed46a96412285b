"""Bytes → text: strictly, since a wrong guess poisons every answer silently.

A text that is not Unicode is read where nothing is left to guess: its file names the encoding, or
all that come into question make the same of it, or one alone makes Arabic words of it.
"""

from __future__ import annotations

import re

from rag.errors import DocumentError
from rag.readers import arabic

_BYTE_ORDER = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# Shares of a file's characters that no text in Arabic or English comes near.
_CONTROLS = 0.25
_FOREIGN = 0.4
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
# What bytes of Arabic letters become that are read as Western European: ãÐßÑÉ, Ø§ÙØ.
_WESTERN = re.compile(r"[\x80-\xffŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]")
# Encodings of a byte a letter, by the names that files give them; of the Western ones, browsers
# take the first two for the third.
_NAMED = {
    "iso-8859-1": "cp1252",
    "us-ascii": "cp1252",
    "windows-1252": "cp1252",
    "windows-1256": "cp1256",
    "iso-8859-6": "iso8859-6",
}
_ARABIC = ("cp1256", "iso8859-6", "mac_arabic")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_ARABIC_SIGN = re.compile(r"[\u060c-\u066c\xa0«»‘’“”–—…]")
_SURELY_ARABIC = 0.95
# How much more likely its words are in an encoding than in the next one.
_LEAD = 0.05


def decode(content: bytes, named: str = "") -> str:
    """Return the text that bytes hold.

    :param named: The encoding that the file says it has; Unicode's own marks come before it.
    :raises DocumentError: When the encoding can't be told, or was mistaken before.
    """
    encoding = _BYTE_ORDER.get(content[:2], "utf-8-sig")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as exc:
        legacy = _legacy(content, named) if encoding == "utf-8-sig" else None
        if legacy is None:
            name = encoding.removesuffix("-sig").upper()
            raise DocumentError(
                f"not {name} (byte {exc.object[exc.start]:#04x} at {exc.start:,}); save it as UTF-8"
            ) from exc
        text = legacy
    shown = "".join(text.split())
    if len(_CONTROL.findall(text)) > _CONTROLS * len(text):
        raise DocumentError(
            "looks like UTF-16 without its mark, or no text at all; save it as UTF-8"
        )
    if len(_WESTERN.findall(shown)) > _FOREIGN * len(shown):
        raise DocumentError(
            "its letters were read in a wrong encoding before it was saved; open the original with"
            " its own (Arabic is often Windows-1256) and save it as UTF-8"
        )
    return arabic.ordered(text)


def _legacy(content: bytes, named: str) -> str | None:
    """Return a text of a byte a letter; None when it isn't sure which encoding it has."""
    if named.lower() in _NAMED:
        return _decoded(content, _NAMED[named.lower()])
    western, eastern = (_decoded(content, encoding) for encoding in ("cp1252", "cp1256"))
    if western is not None and western == eastern:
        return western
    likely = dict[str, arabic.Likelihood]()
    for text in filter(None, (_decoded(content, encoding) for encoding in _ARABIC)):
        others = _NOT_ASCII.findall(text)
        signs = sum(bool(_ARABIC_SIGN.match(char)) for char in others)
        if signs >= _SURELY_ARABIC * len(others):
            likely[text] = arabic.likelihood(text)
    best = sorted(likely, key=lambda text: likely[text].forward, reverse=True)
    if len(best) > 1:
        lead = likely[best[0]].forward - likely[best[1]].forward
        if lead < _LEAD or lead * likely[best[0]].pairs < arabic.CERTAIN:
            return None
    return best[0] if best and arabic.order(best[0]) == "forward" else None


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None
