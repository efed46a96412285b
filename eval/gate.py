"""Numbers that may not fall: ``floor.json`` says how low, a test in CI compares.

::

    {"retrieval": {"retrieval_only": true, "limit": null, "floor": {"ar": {"evidence_hit": 0.6}}}}

Each entry is a run of the project's own question set. Its floors stand below the measured values by
about what chance moves them; they are raised by hand when something gets better for good.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import EvalError

FLOOR = Path(__file__).with_name("floor.json")


@dataclass(frozen=True)
class Gate:
    """A run and the least that its measures may be.

    :ivar limit: Only the first so many questions; None for all.
    :ivar floor: Group, as in summary.json ("all", "ar", "en"), to measure to its least value.
    """

    name: str
    retrieval_only: bool
    limit: int | None
    floor: Mapping[str, Mapping[str, float]]


def read_gates(path: Path = FLOOR) -> list[Gate]:
    """Read the floors.

    :raises EvalError: When the file isn't what the module describes.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [Gate(name=name, **entry) for name, entry in entries.items()]
    except (OSError, ValueError, TypeError, AttributeError) as exc:
        raise EvalError(f"{path}: is not a file of floors ({exc}); see eval/gate.py") from exc


def fallen(summary: Mapping[str, Any], gate: Gate) -> list[str]:
    """Return a line for each measure below its floor; a measure that is not there is one too.

    :param summary: What ``rawi eval qa`` wrote to summary.json.
    """
    lines = []
    for group, floors in gate.floor.items():
        measures = summary["metrics"].get(group, {})
        for measure, least in floors.items():
            mean = measures.get(measure, {}).get("mean")
            if mean is None or mean < least:
                shown = "missing" if mean is None else f"{mean:.3f}"
                lines.append(f"{gate.name}: {measure} ({group}) is {shown}, the floor is {least}")
    return lines
