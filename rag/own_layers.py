"""A model of our own on the embedder's encoder: some layers and heads in a file, the rest shared.

Weights are stored as int8 with a scale for each row: ``weight = q · scale``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from rag.embedding import Embedder
from rag.errors import ModelError


@dataclass(frozen=True)
class OwnLayers:
    """What a file holds, put onto an embedder.

    :ivar encoder: The transformers model, some of its layers shared with the embedder's.
    :ivar heads: By name: weight ``(1, inputs)`` and bias ``(1,)``.
    """

    encoder: Any
    heads: dict[str, tuple[Any, Any]]


def load(path: Path, base: Embedder, heads: Mapping[str, int]) -> OwnLayers:
    """Read a file for the layers that it holds; the rest is shared with ``base``.

    :param base: The embedder that the file was trained from.
    :param heads: The names of its heads, and how many inputs each has.
    :raises ModelError: When the file is none of this kind, or one of another embedder.
    """
    from rag.prepacked import prepack

    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        read = {}
        for name, inputs in heads.items():
            weight, bias = (tensors.pop(f"{name}.{part}").float() for part in ("weight", "bias"))
            if weight.shape != (1, inputs):
                raise ValueError(f"its {name} is {tuple(weight.shape)}")
            read[name] = (weight, bias)
        encoder = _with(base.encoder, tensors)
    except (
        *(OSError, SafetensorError, AttributeError),
        *(LookupError, ValueError, RuntimeError),
    ) as exc:
        raise ModelError(f"{path}: does not fit this embedder ({exc})") from exc
    encoder.to(next(base.encoder.parameters()).dtype)
    prepack(encoder)
    return OwnLayers(encoder, read)


def save(path: Path, encoder: Any, heads: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Write the parameters of an encoder that are trained, and heads, in place of a file.

    :param heads: Linear layers by name.
    :param about: How they were trained.
    """
    import torch
    from safetensors.torch import save_file

    tensors = {
        f"{head}.{name}": parameter.data.half()
        for head, layer in heads.items()
        for name, parameter in layer.named_parameters()
    }
    for name, parameter in encoder.named_parameters():
        if not parameter.requires_grad:
            continue
        tensors[name] = parameter.data.half()
        if parameter.dim() == 2:
            scale = (parameter.data.abs().amax(1).clamp(min=1e-6) / 127).half()
            rows = parameter.data / scale.float()[:, None]
            tensors[name] = rows.round().clamp(-127, 127).to(torch.int8)
            tensors[f"{name}.scale"] = scale
    scratch = path.with_name(f".{path.name}.new")
    save_file(tensors, scratch, metadata={"rawi": json.dumps(about)})
    scratch.chmod(0o644)  # safetensors keeps it to its owner; the package is for everybody
    scratch.replace(path)


def _with(encoder: Any, tensors: dict[str, Any]) -> Any:
    """Return the encoder with the layers that ``tensors`` hold replaced, the others shared."""
    import torch

    values = {
        name: tensor.float() * tensors[f"{name}.scale"].float()[:, None]
        if tensor.dtype == torch.int8
        else tensor.float()
        for name, tensor in tensors.items()
        if not name.endswith(".scale")
    }
    own = {int(name.split(".")[2]) for name in values}
    layers = encoder.encoder.layer
    replaced = copy.copy(encoder)
    replaced._modules = dict(encoder._modules)
    replaced.encoder = copy.copy(encoder.encoder)
    replaced.encoder._modules = dict(encoder.encoder._modules)
    replaced.encoder.layer = torch.nn.ModuleList(
        copy.deepcopy(layer).float() if n in own else layer for n, layer in enumerate(layers)
    )
    parameters = dict(replaced.named_parameters())
    with torch.no_grad():
        for name, value in values.items():
            parameters[name].copy_(value)
    return replaced
