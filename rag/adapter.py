"""What Rawi adds to an embedder so that either language finds either language.

Two things, in one safetensors file of under a megabyte. *Updates* of low rank (LoRA, Hu et al.
2021, arXiv:2106.09685) to the attention weights, trained on text in which the words of one language
stand for those of the other; they are added to the weights once, so they cost nothing afterwards.
*Language means*: an embedder puts the texts of a language into a cone of their own, so that in a
mixed folder a wrong text in the question's language outranks the right one in the other; taking
most of each language's mean vector away, by role, moves the cones together.

``eval/training/train_adapter.py`` makes the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from rag.errors import ModelError
from rag.language import Language

Role = Literal["query", "passage"]
Vector = npt.NDArray[np.float32]

# For multilingual-e5-small, whichever way its weights came.
BUILT_IN = Path(__file__).with_name("multilingual-e5-small.adapter.safetensors")


@dataclass(frozen=True)
class Adapter:
    """The content of an adapter file.

    :ivar updates: By the name of a linear layer: ``down`` of shape ``(rank, in)`` and ``up`` of
        shape ``(out, rank)``; ``up @ down`` is what is added to its weights.
    :ivar means: Mean vector of unit vectors by role and language.
    """

    updates: Mapping[str, tuple[Any, Any]]
    means: Mapping[tuple[Role, Language], Vector]

    def centred(self, vectors: Vector, role: Role, language: Language, share: float) -> Vector:
        """Return unit vectors ``(…, d)`` moved to where those of the other language are.

        :param share: How much of the mean is taken away, 0 to 1.
        """
        moved = vectors - share * self.means[role, language]
        unit: Vector = moved / np.linalg.norm(moved, axis=-1, keepdims=True)
        return unit


def read(path: Path) -> Adapter:
    """Read an adapter file.

    :raises ModelError: When it isn't one.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        names = {name.rpartition(".")[0] for name in tensors if name.endswith(".down")}
        roles: tuple[Role, ...] = ("query", "passage")
        languages: tuple[Language, ...] = ("ar", "en")
        return Adapter(
            updates={name: (tensors[f"{name}.down"], tensors[f"{name}.up"]) for name in names},
            means={
                (role, language): tensors[f"mean.{role}.{language}"].numpy()
                for role in roles
                for language in languages
            },
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as exc:
        raise ModelError(f"embedding.adapter = {path}: is not an adapter file ({exc})") from exc


def add_to(encoder: Any, adapter: Adapter, path: Path) -> None:
    """Add the updates to the weights of a transformers encoder, in place.

    :raises ModelError: When the encoder hasn't the layers that the adapter was made for.
    """
    import torch

    try:
        with torch.no_grad():
            for name, (down, up) in adapter.updates.items():
                weight = encoder.get_submodule(name).weight
                weight += (up @ down).to(weight)
    except (AttributeError, RuntimeError) as exc:
        raise ModelError(f"embedding.adapter = {path}: is for another model ({exc})") from exc
