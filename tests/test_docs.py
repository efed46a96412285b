"""README.md, docs/ and their like: short, linked to what is there, and their code runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

TEXTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
NOTEBOOK = ROOT / "docs" / "first-steps.ipynb"
README_MOST_WORDS = 900
PICTURE_MOST_BYTES = 200_000


def python(path: Path) -> str:
    """Return the Python that a text shows, as one program; without what asks a server."""
    blocks = re.findall(r"^```python\n(.*?)^```$", path.read_text(encoding="utf-8"), re.M | re.S)
    return "\n".join(block for block in blocks if "http://" not in block)


def cells(kind: str) -> list[str]:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def run(program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=500, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= README_MOST_WORDS


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    local = [target for target in targets if not target.startswith("http")]
    assert [target for target in local if not (path.parent / target).exists()] == []


def test_each_state_that_a_test_pictures_is_shown_in_both_languages() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/ui").glob("*.py"))
    named = re.findall(r'picture\([\w.]+, "([\w-]+)", \w+\)', tests)
    kept = {f"pictures/{state}-{locale}.png" for state in named for locale in ("ar", "en")}
    text = (ROOT / "docs" / "page.md").read_text(encoding="utf-8")
    assert {*re.findall(r"\]\((pictures/[^)]+)\)", text)} == kept
    pictures = [*(ROOT / "docs/pictures").iterdir()]
    assert {f"pictures/{path.name}" for path in pictures} == kept
    assert max(path.stat().st_size for path in pictures) < PICTURE_MOST_BYTES


def test_files_that_are_named_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:rag|ui|eval|tests|docs)/[\w/.-]+)(?:::(\w+))?`", text)
    assert named
    for path, test in named:
        assert (ROOT / path).exists(), path
        assert not test or test in (ROOT / path).read_text(encoding="utf-8"), test


def test_the_newest_version_is_the_projects() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (newest, *_) = re.findall(r"^## \[(\d[\w.]*)\]", changes, re.M)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{newest}"' in project


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    codes = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in codes)


@pytest.mark.weights
def test_the_librarys_code_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "seeds", tmp_path / "articles")
    program = python(ROOT / "docs" / "library.md")
    assert python(ROOT / "README.md").strip() in program
    assert "30 مليار" in run(program, tmp_path)


@pytest.mark.weights
def test_the_notebook_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    (tmp_path / "docs").mkdir()
    said = run("\n".join(cells("code")), tmp_path / "docs")
    assert "30 مليار" in said
    assert "True" in said  # of the question that has no answer
