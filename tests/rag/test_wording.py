from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save_file

from rag import wording
from rag.errors import ModelError
from rag.wording import Linear
from tests.conftest import VOCABULARY, WordEmbedder

WIDTH = len(VOCABULARY) + 1 + wording.PIECES
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


def written(path, weight, bias):
    save_file({"weight": np.array(weight, np.float16), "bias": np.array(bias, np.float32)}, path)
    return path


def test_logits_are_read_and_worked_out(tmp_path):
    weight = np.zeros((2, WIDTH))
    weight[1, 0] = np.sqrt(2)  # "cat" is (1, 1) / √2
    linear = Linear.load(WordEmbedder(), written(tmp_path / "a", weight, [0.5, 1.0]), 2)
    assert linear.logits("cat") == pytest.approx([0.5, 2.0], abs=1e-3)


@pytest.mark.parametrize(("outputs", "width"), [(1, WIDTH), (2, WIDTH + 1)])
def test_other_weights_are_refused(tmp_path, outputs, width):
    path = written(tmp_path / "a", np.zeros((2, width)), [0.0, 0.0])
    with pytest.raises(ModelError, match="can't be used"):
        Linear.load(WordEmbedder(), path, outputs)
    with pytest.raises(ModelError, match="can't be used"):
        Linear.load(WordEmbedder(), tmp_path / "none", outputs)
