"""Prepacked layers: the same numbers, and only where they help."""

from __future__ import annotations

import copy

import pytest
import torch

from rag.prepacked import Prepacked, prepack


def layers(dtype: torch.dtype, *, bias: bool = True) -> torch.nn.Sequential:
    torch.manual_seed(0)
    first = torch.nn.Linear(64, 96, bias=bias)
    return torch.nn.Sequential(first, torch.nn.Sequential(torch.nn.Linear(96, 32))).to(dtype)


needs_bfloat16 = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="the CPU doesn't compute in bfloat16"
)


@needs_bfloat16
@pytest.mark.parametrize("bias", [True, False])
def test_a_prepacked_layer_gives_what_the_layer_gave(bias: bool) -> None:
    model = layers(torch.bfloat16, bias=bias)
    states = torch.randn(3, 5, 64, dtype=torch.bfloat16)
    with torch.inference_mode():
        before = model(states)
        prepack(model)
        assert sum(isinstance(module, Prepacked) for module in model.modules()) == 2
        torch.testing.assert_close(model(states), before)


@needs_bfloat16
def test_a_copy_can_be_changed_and_packed_again() -> None:
    model = layers(torch.bfloat16)
    prepack(model)
    changed = copy.deepcopy(model)
    assert not any(isinstance(module, Prepacked) for module in changed.modules())
    with torch.no_grad():
        changed.get_parameter("1.0.weight").zero_()
        changed.get_parameter("1.0.bias").fill_(2)
    prepack(changed)
    states = torch.randn(4, 64, dtype=torch.bfloat16)
    with torch.inference_mode():
        assert changed(states).tolist() == [[2.0] * 32] * 4
        assert model(states).tolist() != [[2.0] * 32] * 4


def test_full_precision_stays_as_it_is() -> None:
    model = layers(torch.float32)
    prepack(model)
    assert not any(isinstance(module, Prepacked) for module in model.modules())
