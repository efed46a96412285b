from __future__ import annotations

from pathlib import Path

import pytest

from eval.gate import FLOOR, Gate, fallen, read_gates
from rag.errors import EvalError

GATE = Gate("answers", False, 24, {"ar": {"correct": 0.5}, "en": {"correct": 0.4}})


def summary(ar, en):
    return {"metrics": {"ar": {"correct": {"mean": ar}}, "en": {"correct": {"mean": en}}}}


def test_at_or_above_the_floor_is_well():
    assert fallen(summary(0.5, 0.9), GATE) == []


def test_below_the_floor_is_told():
    assert fallen(summary(0.499, 0.9), GATE) == ["answers: correct (ar) is 0.499, the floor is 0.5"]


def test_a_measure_that_is_gone_is_not_well():
    assert fallen({"metrics": {"ar": {"correct": {"mean": 1.0}}}}, GATE) == [
        "answers: correct (en) is missing, the floor is 0.4"
    ]


@pytest.mark.parametrize("content", ["{", "[]", '{"a": {"limit": 3}}', '{"a": {"lower": 1}}'])
def test_a_file_that_is_no_file_of_floors(tmp_path, content):
    path = tmp_path / "floor.json"
    path.write_text(content)
    with pytest.raises(EvalError, match=r"floor\.json"):
        read_gates(path)


@pytest.mark.weights
@pytest.mark.parametrize("gate", read_gates(), ids=lambda gate: gate.name)
def test_no_number_has_fallen(gate, tmp_path, indexed_seeds):
    from eval.run_qa import open_rawi, run_qa

    questions = Path(FLOOR).with_name("questions.jsonl")
    with open_rawi(indexed_seeds, retrieval_only=gate.retrieval_only) as system:
        measured = run_qa(questions, tmp_path / "run", system, limit=gate.limit)
    assert fallen(measured, gate) == []
