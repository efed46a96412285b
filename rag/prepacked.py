"""Linear layers whose weights lie in memory as the processor multiplies them.

Torch lays bfloat16 weights out anew at every call, which for a single question is a fifth of the
encoder's time. The two operators here are those that ``torch.compile`` puts in for frozen weights;
called by themselves they need no compiler and no warming up. They are no public interface: the
version of torch is pinned, and a test compares the results.
"""

from __future__ import annotations

import copy
from typing import Any

import torch


class Prepacked(torch.nn.Module):
    """Stands for a linear layer; changing its parameters afterwards changes nothing.

    :ivar weight: As it was, for whoever wants to read or copy it.
    """

    def __init__(self, linear: torch.nn.Linear) -> None:
        """Take over the parameters of a linear layer."""
        super().__init__()
        self.weight = linear.weight
        self.bias = linear.bias
        self._packed = torch.ops.mkldnn._reorder_linear_weight(self.weight.detach(), None)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Return what the linear layer would."""
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            states, self._packed, self.bias, "none", [], ""
        )
        return product

    def __deepcopy__(self, memo: dict[int, Any]) -> torch.nn.Linear:
        """Return a plain layer: torch can't copy packed weights, and copies are there to change."""
        rows, columns = self.weight.shape
        linear = torch.nn.Linear(columns, rows, bias=self.bias is not None, device="meta")
        linear.weight = copy.deepcopy(self.weight, memo)
        linear.bias = copy.deepcopy(self.bias, memo)
        return linear


def prepack(encoder: torch.nn.Module) -> None:
    """Replace the linear layers within, where that helps: in bfloat16 on a CPU."""
    weight = next(encoder.parameters())
    if weight.dtype != torch.bfloat16 or weight.device.type != "cpu":
        return
    # A build without oneDNN has no such operators.
    if not (torch._C._has_mkldnn and torch.ops.mkldnn._is_mkldnn_bf16_supported()):
        return
    for module in list(encoder.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.Linear):
                setattr(module, name, Prepacked(child))
