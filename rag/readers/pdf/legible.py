"""Whether the letters of a PDF are those that its pages show.

What is drawn and what is meant are two things in a PDF: fonts name their letters, or don't, or name
them wrongly. Pages whose letters can't be told look as any others to a reader, and make nonsense.
"""

from __future__ import annotations

import re

from rag.errors import DocumentError
from rag.readers import arabic
from rag.readers.pdf.glyphs import UNNAMED

_ARABIC = "\u0621-\u063a\u0641-\u064a"
_MARKS = "\u064b-\u0655\u0670\u0640"
_OFTEN = r"\s«»\"“”()\[\]{}/\\\-–—.,:;،؛؟?!…_*|#~`"  # among Arabic letters, without a space
_NO_LETTER = re.compile(f"[{UNNAMED}\ue000-\uf8ff]")
_SIGN = re.compile(rf"[^\w\s{_MARKS}.·…_\-–—]")  # but for those that lead to page numbers
_WORD = re.compile(f"[{_ARABIC}]+")
_STRANGE = re.compile(
    rf"[{_ARABIC}][{_MARKS}]*[^{_OFTEN}{_MARKS}\u0600-\u06ff](?=[{_ARABIC}])"
    rf"|(?![\u0600-\u06ff])[^\W\d_](?=[{_ARABIC}])"
)
# Measured on 366 texts of seeds/ and eval/ and what was read of 170 PDFs by 40 programs and fonts:
# of letters, the share without a name; of all signs, that of those which are no letters: .24 in
# texts, .7 and more where a font lacks the letters; of Arabic words, those with strange signs
# within: none of a thousand in texts, .04 at the most in PDFs of which nine words of ten are right.
_UNNAMED = 0.1
_SIGNS = 0.5
_STRANGE_WORDS, _FEWEST = 0.04, 3


def is_backward(text: str) -> bool:
    """Tell whether the letters of Arabic were drawn from left to right, by mistake.

    :raises DocumentError: When that can't be told, or what the letters are.
    """
    order = arabic.order(text)
    if order == "neither" or not _are_told(text):
        raise DocumentError(
            "its letters can't be told: its fonts don't name them, or not in their order; make the"
            " PDF anew, run text recognition (OCR) on it, or set documents.ocr"
        )
    return order == "backward"


def _are_told(text: str) -> bool:
    """Tell whether letters are named, and as they look."""
    shown = len("".join(text.split()))
    strange = len(_STRANGE.findall(text))
    return (
        len(_NO_LETTER.findall(text)) <= _UNNAMED * shown
        and len(_SIGN.findall(text)) <= _SIGNS * shown
        and (strange < _FEWEST or strange <= _STRANGE_WORDS * len(_WORD.findall(text)))
    )
