"""One text in every format: the tuning set's documents, converted, give the same units.

What is printed with ``-s`` stands in docs/formats.md.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from html import escape
from pathlib import Path

import pytest

from rag import documents
from rag.blocks import Block
from rag.config import DocumentsSettings
from rag.documents import Document
from rag.language import direction, fold
from rag.readers.sandbox import Sandbox
from rag.sentences import shown
from tests.rag import files

pytestmark = pytest.mark.long

CORPUS = Path(__file__).parents[2] / "eval" / "tuning" / "corpus"
# Of the units, in Arabic and in English.
LEAST = {
    "html": (0.99, 0.98),
    "docx": (0.97, 0.94),
    "epub": (0.97, 0.96),
    "odt": (0.98, 0.93),
    "rtf": (0.95, 0.91),
    "tagged.pdf": (0.93, 0.96),
    "untagged.pdf": (0.84, 0.86),
}


def page(document: Document) -> bytes:
    """A document's blocks as a page."""
    parts = list[str]()
    depth = 0
    for block, rows in gathered(document):
        level = block.level or 1
        if block.kind == "item":
            parts += ["<ul>"] * (level - depth) + ["</ul>"] * (depth - level)
            depth = level
        elif not block.group:
            parts += ["</ul>"] * depth
            depth = 0
        said = escape(" ".join(document.layout.masked[block.start : block.end].split()))
        tag = {"heading": f"h{level}", "item": "li", "code": "pre"}.get(block.kind, "p")
        said = escape(document.text[block.start : block.end]) if block.kind == "code" else said
        parts.append(table(rows) if rows else f"<{tag}>{said}</{tag}>")
    language = document.language
    head = f"<html lang={language} dir={direction(language)}><meta charset=utf-8>"
    return f"<!DOCTYPE html>{head}<body>{''.join(parts)}".encode()


def gathered(document: Document) -> Iterator[tuple[Block, list[Block]]]:
    """Yield blocks; of a table, its first row with all of them."""
    rows = list[Block]()
    for block in document.layout.blocks:
        if rows and block.kind != "row":
            yield rows[0], rows
            rows = []
        if block.kind == "row":
            rows.append(block)
        else:
            yield block, []
    if rows:
        yield rows[0], rows


def table(rows: list[Block]) -> str:
    pairs = [[pair.partition(": ") for pair in re.split("[;؛] ", row.said)] for row in rows]
    lines = [("th", [name for name, _, _ in pairs[0]])]
    lines += [("td", [cell for _, _, cell in row]) for row in pairs]
    made = ("".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) for tag, cells in lines)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in made)}</table>"


def converted(content: bytes, kind: str, folder: Path) -> bytes:
    if kind.endswith("pdf"):
        return files.printed(content, folder, tagged=kind == "tagged.pdf")
    if kind == "html":
        return content
    pandoc = shutil.which("pandoc")
    if pandoc is None:
        pytest.skip("no pandoc")
    (folder / "a.html").write_bytes(content)
    made = folder / f"a.{kind}"
    command = [pandoc, folder / "a.html", "--standalone", "-o", made]
    subprocess.run(command, check=True, capture_output=True)
    return made.read_bytes()


def units(document: Document) -> list[str]:
    every = (unit for block in document.units for unit in block)
    return [fold(shown(document.text[unit.start : unit.end], unit.said)) for unit in every]


@pytest.mark.parametrize("kind", LEAST)
def test_units_are_those_of_the_plain_text(kind: str, tmp_path: Path) -> None:
    equal, count = Counter[str](), Counter[str]()
    with Sandbox(DocumentsSettings()) as sandbox:
        for path in sorted(CORPUS.iterdir()):
            plain = documents.parse(path.name, path.read_bytes())
            content = converted(page(plain), kind, tmp_path)
            read = documents.parse(f"a.{kind}", content, sandbox)
            wanted, found = units(plain), units(read)
            alike = SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks()
            equal[plain.language] += sum(block.size for block in alike)
            count[plain.language] += max(len(wanted), len(found))
    shares = tuple(equal[language] / count[language] for language in ("ar", "en"))
    print(kind, *(f"{share:.3f}" for share in shares))
    assert all(share >= least for share, least in zip(shares, LEAST[kind], strict=True))
