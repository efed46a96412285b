"""Numbers that may not fall: ``floor.json`` says how low.

Each entry is a run over the project's own question set: without the LLM or with it, over the first
so many questions, and for each group of summary.json ("all", "ar", "en") the least of some
measures. The floors stand below the measured values by about what chance moves them; they are
raised by hand when something gets better for good.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.run_qa import open_rawi, run_qa
from rag.config import Settings
from tests.conftest import ROOT

FLOORS: dict[str, dict[str, Any]] = json.loads((ROOT / "eval" / "floor.json").read_text("utf-8"))


@pytest.mark.weights
@pytest.mark.parametrize("name", FLOORS)
def test_no_number_has_fallen(name: str, tmp_path: Path, indexed_seeds: Settings) -> None:
    run = FLOORS[name]
    with open_rawi(indexed_seeds, retrieval_only=run["retrieval_only"]) as system:
        questions = ROOT / "eval" / "questions.jsonl"
        measured = run_qa(questions, tmp_path / "run", system, limit=run["limit"])["metrics"]
    fallen = [
        f"{measure} ({group}) is {measured[group][measure]['mean']:.3f}, the floor is {least}"
        for group, floors in run["floor"].items()
        for measure, least in floors.items()
        if measured[group][measure]["mean"] < least
    ]
    assert fallen == []
