"""The adapter: what it adds, what it takes away, and which files are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from rag import adapter
from rag.adapter import Adapter
from rag.config import EmbeddingSettings
from rag.embedding import adapter_path
from rag.errors import ModelError

MEANS = {
    f"mean.{role}.{language}": torch.tensor([0.6, 0.0])
    for role in ("query", "passage")
    for language in ("ar", "en")
}
UPDATE = {
    "layer.down": torch.tensor([[1.0, 2.0]]),  # rank 1, two inputs
    "layer.up": torch.tensor([[3.0], [4.0], [5.0]]),  # three outputs
}


def write(path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    save_file(tensors, path)
    return path


def test_an_update_is_added_to_its_layer(tmp_path: Path) -> None:
    path = write(tmp_path / "a.safetensors", MEANS | UPDATE)
    encoder = torch.nn.Module()
    encoder.layer = torch.nn.Linear(2, 3)
    before = encoder.layer.weight.detach().clone()
    adapter.add_to(encoder, adapter.read(path), path)
    added = encoder.layer.weight.detach() - before
    assert added.tolist() == pytest.approx(np.array([[3, 6], [4, 8], [5, 10]]), abs=1e-6)


def test_a_part_of_the_mean_is_taken_away() -> None:
    mean = np.array([0.6, 0.0], dtype=np.float32)
    some = Adapter({}, {("query", "ar"): mean})
    # (.6, .8) - ½ (.6, 0) = (.3, .8), of length √.73.
    centred = some.centred(np.array([[0.6, 0.8]], dtype=np.float32), "query", "ar", share=0.5)
    assert centred[0].tolist() == pytest.approx([0.3 / 0.73**0.5, 0.8 / 0.73**0.5])


@pytest.mark.parametrize("layer", ["other", "layer"])
def test_an_adapter_for_another_model_is_refused(tmp_path: Path, layer: str) -> None:
    path = write(tmp_path / "a.safetensors", MEANS | UPDATE)
    encoder = torch.nn.Module()
    encoder.add_module(layer, torch.nn.Linear(7, 7))
    with pytest.raises(ModelError, match=r"a\.safetensors: is for another model"):
        adapter.add_to(encoder, adapter.read(path), path)


@pytest.mark.parametrize("content", [b"", b"not tensors", None])
def test_what_is_no_adapter_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"a\.safetensors: is not an adapter file"):
        adapter.read(path)


def test_an_adapter_without_means_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"mean\.query\.ar"):
        adapter.read(write(tmp_path / "a.safetensors", UPDATE))


def test_the_built_in_adapter_belongs_to_the_built_in_model() -> None:
    assert adapter_path(EmbeddingSettings()) == adapter.BUILT_IN
    assert adapter_path(EmbeddingSettings(model="owner/other")) is None
    assert adapter_path(EmbeddingSettings(adapter="none")) is None
    assert adapter_path(EmbeddingSettings(adapter="/a/b")) == Path("/a/b")


def test_the_built_in_adapter_can_be_read() -> None:
    built_in = adapter.read(adapter.BUILT_IN)
    assert len(built_in.updates) == 12 * 4
    assert {mean.shape for mean in built_in.means.values()} == {(384,)}
