"""What is taken away is there, and takes away what it says."""

from __future__ import annotations

import pkgutil

import pytest

from eval.training.ablation import changed
from eval.training.answer_ablation import PARTS, Part
from rag.config import Settings

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_each_part_names_what_is_there_and_is_another_thing(part: Part) -> None:
    for name, new in part.replaced.items():
        assert pkgutil.resolve_name(name) != new
    settings = changed(Settings(), part.settings)
    assert (settings != Settings()) == bool(part.settings)
    assert Settings.model_validate(settings.model_dump()) == settings
