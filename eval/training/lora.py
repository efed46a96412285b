"""A low-rank update of a frozen linear layer (arXiv:2106.09685)."""

from __future__ import annotations

import math

import torch

SCALE = 2  # alpha by rank


class Lora(torch.nn.Module):
    """A frozen linear layer and what is added to it: ``x W + SCALE x aᵀ bᵀ``."""

    def __init__(self, base: torch.nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base
        bound = 1 / math.sqrt(base.in_features)
        self.a = torch.nn.Parameter(torch.randn(rank, base.in_features) * bound)
        self.b = torch.nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(…, out)`` for ``(…, in)``."""
        low = x @ self.a.to(x.dtype).T
        whole: torch.Tensor = self.base(x) + (low @ self.b.to(x.dtype).T) * SCALE
        return whole
