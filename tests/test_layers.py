"""Who may import whom: rag neither of the others, eval rag alone, ui both at its edges.

And of libraries, what is installed with each: rag the core's alone, see rag/extras.py.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from rag import extras
from rag.errors import RawiError
from rag.extras import Extra

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
    return sorted((ROOT / package).rglob("*.py"))


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


def test_what_is_shipped_does_without_the_trainings() -> None:
    shipped = [path for package in PACKAGES for path in (ROOT / package).glob("*.py")]
    modules = {module for path in shipped for module in imported(path)}
    assert {module for module in modules if module.startswith("eval.training")} == set()


def test_none_imports_the_tests() -> None:
    assert [line for package in PACKAGES for line in offenders(package, {"tests"})] == []


# What each package may import of pyproject.toml's lists; "" is the core.
ALLOWED = {
    "rag": ("", "ocr", "transformers"),
    "eval": ("", "eval", "train"),
    "ui": ("", "serve"),
}
# Imported by name, though another's dependency brings them and has the say over their version.
BROUGHT = {
    "pydantic": "pydantic-settings",
    "yaml": "pydantic-settings",
    "starlette": "fastapi",
    "openai": "llama-index-llms-openai-like",
}


@pytest.fixture(scope="module")
def listed() -> dict[str, set[str]]:
    """The names of the distributions in pyproject.toml, by extra."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    return {
        extra: {re.split(r"[\[<>=]", line)[0] for line in lines} for extra, lines in lists.items()
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_every_library_is_listed_where_it_is_used(
    package: str, listed: dict[str, set[str]]
) -> None:
    allowed = {name for extra in ALLOWED[package] for name in listed[extra]}
    providers = packages_distributions()
    missing = set()
    for path in files(package):
        for module in imported(path):
            top = module.split(".")[0]
            if top in sys.stdlib_module_names or top in PACKAGES or top == "__future__":
                continue
            names = {name.lower().replace("_", "-") for name in providers[top]}
            if not (names | {BROUGHT.get(top, "")}) & allowed:
                missing.add(f"{path.relative_to(ROOT)}: {top}")
    assert missing == set()


def test_the_extras_are_those_of_the_project(listed: dict[str, set[str]]) -> None:
    providers = packages_distributions()
    for extra, modules in extras.MODULES.items():
        names = {name.lower() for module in modules for name in providers[module]}
        assert {name.replace("_", "-") for name in names} >= listed[extra]
        assert len(modules) == len(listed[extra])


def test_the_lock_holds_all_of_them(listed: dict[str, set[str]]) -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    locked = {re.split(r"[=\[]", line)[0] for line in lines}
    assert set().union(*listed.values()) - locked == set()


@pytest.mark.parametrize("extra", extras.MODULES)
def test_what_is_not_installed_is_named(extra: Extra, monkeypatch: pytest.MonkeyPatch) -> None:
    extras.require(extra, "all of it")
    gone = extras.MODULES[extra][0]
    monkeypatch.setitem(sys.modules, gone, None)
    with pytest.raises(RawiError, match=rf"^rawi x needs {gone}; .*'rawi\[{extra}\]'"):
        extras.require(extra, "rawi x")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["serve", "feedback", "eval bench --out x"])
def test_a_command_without_its_libraries_ends_with_one_line(command: str, tmp_path: Path) -> None:
    gone = [module for modules in extras.MODULES.values() for module in modules]
    program = f"import sys; sys.modules.update(dict.fromkeys({gone})); import ui.cli; ui.cli.main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *command.split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"rawi: rawi {command.split()[0]} needs ")
    assert "pip install" in line
