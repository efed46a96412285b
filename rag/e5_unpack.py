"""multilingual-e5-small: the registry's 4-bit file → a folder that SentenceTransformer loads.

The file ("E5S1") is read straight through, little-endian: magic and version, sizes, a tokenizer
(skipped: the model's own tokenizer.json is used), then a table of named tensors that are either
plain float32 or 4-bit blocks. The safetensors file is written here, byte for byte the same on every
machine and with every library version, so that its SHA-256 can be pinned.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

BLOCK_WEIGHTS: Final = 32
BLOCK_BYTES: Final = 2 + BLOCK_WEIGHTS // 2
BLOCKS_AT_ONCE: Final = 1 << 16  # bounds memory: 2 million weights are 8 MB of float32

MAGIC: Final = b"E5S1\x01\x00\x00\x00"
FOUR_BIT: Final = 1

# The file's names → BertModel's, and the sizes (fields of Header) that make up the shape.
EMBEDDING_TENSORS: Final = {
    "emb.word": ("embeddings.word_embeddings.weight", ("vocabulary", "hidden")),
    "emb.pos": ("embeddings.position_embeddings.weight", ("positions", "hidden")),
    "emb.type": ("embeddings.token_type_embeddings.weight", ("types", "hidden")),
    "emb.ln.w": ("embeddings.LayerNorm.weight", ("hidden",)),
    "emb.ln.b": ("embeddings.LayerNorm.bias", ("hidden",)),
}
LAYER_MODULES: Final = {
    "q": ("attention.self.query", ("hidden", "hidden")),
    "k": ("attention.self.key", ("hidden", "hidden")),
    "v": ("attention.self.value", ("hidden", "hidden")),
    "ao": ("attention.output.dense", ("hidden", "hidden")),
    "aln": ("attention.output.LayerNorm", ("hidden",)),
    "fi": ("intermediate.dense", ("feed_forward", "hidden")),
    "fo": ("output.dense", ("hidden", "feed_forward")),
    "oln": ("output.LayerNorm", ("hidden",)),
}

# What the publisher's folder says, in the words of sentence-transformers 6 and transformers 5: with
# the length at which texts are cut, and a tokenizer class that takes tokenizer.json as it is.
_CONFIG: Final = Path(__file__).with_name("multilingual-e5-small.config")
CONFIG_FILES: Final[Mapping[str, bytes]] = {
    path.relative_to(_CONFIG).as_posix(): path.read_bytes()
    for path in sorted(_CONFIG.rglob("*.json"))
}


def write_config(folder: Path) -> None:
    """Write the files that make a folder with weights and tokenizer a SentenceTransformer."""
    for name, content in CONFIG_FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


@dataclass(frozen=True)
class Header:
    """Sizes of the model, in the file's order."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int


@dataclass(frozen=True)
class Tensor:
    """Where one tensor lies in the file; ``offset`` and ``size`` are bytes from its start."""

    kind: int
    count: int
    offset: int
    size: int


def unpack(packed: Path, target: Path) -> None:
    """Write the 4-bit file's weights as float32 safetensors that BertModel loads key for key.

    :param packed: The "E5S1" file; its SHA-256 has been checked, so it is what it should be.
    :param target: The safetensors file to write; about eight times as large.
    """
    with packed.open("rb") as source, target.open("wb") as sink:
        header, tensors = _read_table(source)
        names = _bert_names(header)
        # The packed file has no pooler: mean pooling never reads it. BertModel has one, and every
        # loader warns of made-up weights when it is missing, so it gets zeros.
        hidden = header.hidden
        pooler = {"pooler.dense.weight": (hidden, hidden), "pooler.dense.bias": (hidden,)}
        sink.write(safetensors_header(dict(names.values()) | pooler))
        for key in names:
            for floats in _decode(source, tensors[key]):
                sink.write(floats.tobytes())
        sink.write(bytes(4 * (hidden * hidden + hidden)))


def decode_blocks(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn 4-bit blocks into weights.

    A block is one float16 scale and 16 bytes; byte j holds weight j in its low and weight j + 16 in
    its high nibble, both plus 8. A float16 times a 4-bit integer is exact in float32, so the result
    is the same on every machine.

    :param packed: Bytes of shape (n_blocks, 18).
    :returns: Weights of shape (n_blocks * 32,), little-endian.
    """
    scales = np.ascontiguousarray(packed[:, :2]).view("<f2").astype("<f4")
    nibbles = packed[:, 2:]
    weights = np.concatenate([nibbles & 0x0F, nibbles >> 4], axis=1).astype("<f4") - np.float32(8)
    floats: NDArray[np.float32] = (weights * scales).astype("<f4", copy=False).ravel()
    return floats


def safetensors_header(shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """Build the beginning of a safetensors file of float32 tensors that follow in this order."""
    table: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 4 * math.prod(shape)
        table[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(table, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the format asks that the data begin at a multiple of 8
    return struct.pack("<Q", len(text)) + text


def _read_table(source: BinaryIO) -> tuple[Header, dict[str, Tensor]]:
    """Read sizes and tensor table, skipping the tokenizer between them."""
    source.seek(len(MAGIC))
    header = Header(*_fields(source, "<7i"))
    _fields(source, "<fi")  # layer-norm epsilon and block size: the pinned file's are known
    pieces, *_, text_bytes = _fields(source, "<5iQ")
    source.seek(4 * (pieces + 1) + 4 * pieces + text_bytes, 1)
    _, map_bytes = _fields(source, "<iI")
    source.seek(map_bytes, 1)
    tensors = {}
    for _ in range(*_fields(source, "<i")):
        name = source.read(*_fields(source, "<H")).decode()
        tensors[name] = Tensor(*_fields(source, "<BIQQ"))
    return header, tensors


def _fields(source: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, source.read(struct.calcsize(layout)))


def _bert_names(header: Header) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Map every name in the file to BertModel's name and shape."""

    def shape(sizes: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(getattr(header, size) for size in sizes)

    names = {key: (name, shape(sizes)) for key, (name, sizes) in EMBEDDING_TENSORS.items()}
    for layer in range(header.layers):
        for key, (module, sizes) in LAYER_MODULES.items():
            name = f"encoder.layer.{layer}.{module}"
            names[f"l{layer}.{key}.w"] = (f"{name}.weight", shape(sizes))
            names[f"l{layer}.{key}.b"] = (f"{name}.bias", shape(sizes)[:1])
    return names


def _decode(source: BinaryIO, tensor: Tensor) -> Iterator[NDArray[np.float32]]:
    """Read one tensor's weights, a few megabytes at a time."""
    source.seek(tensor.offset)
    if tensor.kind != FOUR_BIT:
        yield np.frombuffer(source.read(tensor.size), "<f4")
        return
    for start in range(0, tensor.size, BLOCKS_AT_ONCE * BLOCK_BYTES):
        raw = source.read(min(BLOCKS_AT_ONCE * BLOCK_BYTES, tensor.size - start))
        yield decode_blocks(np.frombuffer(raw, np.uint8).reshape(-1, BLOCK_BYTES))
