"""Who may import whom: rag neither of the others, eval rag alone, ui both at its edges."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("rag", "eval", "ui")
# Files of ui that may import eval: the whole command, and the tab that shows a measured run.
EDGES = {"ui/cli.py", "ui/quality.py"}


def imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports anywhere, for type checkers too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).glob("*.py"))


def offenders(package: str, forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files(package)
        for module in imported(path)
        if module.split(".")[0] in forbidden
    ]


def test_rag_imports_neither_of_the_others() -> None:
    assert offenders("rag", {"eval", "ui"}) == []


def test_eval_imports_rag_alone() -> None:
    assert offenders("eval", {"ui"}) == []


def test_ui_imports_eval_at_its_edges() -> None:
    assert {line.split()[0] for line in offenders("ui", {"eval"})} <= EDGES


def test_none_imports_the_tests() -> None:
    assert [line for package in PACKAGES for line in offenders(package, {"tests"})] == []
