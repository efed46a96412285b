from __future__ import annotations

import numpy as np
import pytest

from rag import wording
from rag.errors import ModelError

VECTOR = np.array([0.6, 0.8], dtype=np.float32)


def pieces(text: str) -> np.ndarray:
    return wording.features(text, VECTOR)[2:]


def test_the_vector_comes_first_and_both_parts_have_length_one():
    row = wording.features("hello there", VECTOR)
    assert row.shape == (2 + wording.PIECES,)
    assert row[:2].tolist() == VECTOR.tolist()
    assert np.linalg.norm(row[2:]) == pytest.approx(1)


def test_spelling_that_means_nothing_changes_nothing():
    assert np.array_equal(pieces("Helloooo"), pieces("hellooo"))
    assert np.array_equal(pieces("أَهْلًا"), pieces("اهلا"))


def test_what_is_written_alike_is_near():
    assert pieces("summarise it") @ pieces("sumarise it") > 0.6
    assert pieces("summarise it") @ pieces("who paid?") < 0.2


def test_nothing_has_no_pieces_but_its_ends():
    assert np.count_nonzero(pieces("")) == 1


def test_other_weights_are_refused(tmp_path):
    with pytest.raises(ModelError, match="can't be used"):
        wording.read(tmp_path / "none.safetensors", {"weight": (1,)})
