"""Check the files that were written, and what is asked about them.

Run from the repository's root: ``python -m eval.training.validate_files``. It prints every mistake,
and ends with 1 if there is one.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from eval.training.written_passages import LANGUAGES
from rag import documents
from rag.documents import Document
from rag.language import clean, detect

FILES = Path(__file__).parent / "files"
_ID = re.compile(r"[a-z]-\d{3}-\d{2}")


def main() -> None:
    """Print what is wrong, and end with 1 if anything is."""
    found = list(problems(FILES))
    Console(highlight=False).print(*found, sep="\n", markup=False)
    sys.exit(bool(found))


def problems(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the questions of a folder."""
    seen, parsed = Counter[str](), dict[str, Document]()
    for path in sorted(folder.glob("questions-*.jsonl")):
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            seen[row["id"]] += 1
            doc: str = row["doc"]
            if doc not in parsed:
                parsed[doc] = documents.parse(doc, (folder / "corpus" / doc).read_bytes())
            yield from (f"{row['id']}: {said}" for said in _problems(row, parsed[doc]))
    yield from (f"{id_}: stands {n} times" for id_, n in seen.items() if n > 1)


def _problems(row: Mapping[str, Any], document: Document) -> Iterator[str]:
    if not _ID.fullmatch(row["id"]):
        yield "is no id"
    for language in LANGUAGES:
        if detect(row["question"][language]) != language:
            yield f"its question isn't in {language}"
    answered = row["type"] != "none"
    if answered != bool(row["gold"]) or answered != bool(row["answer"]):
        yield "has an answer or what answers without the other"
    for gold in row["gold"]:
        times = document.text.count(clean(gold))
        if times != 1:
            yield f"what answers stands {times} times: {gold[:50]}"


if __name__ == "__main__":
    main()
