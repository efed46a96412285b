"""Teach the built-in LLM its jobs: ``python -m eval.training.train_llm --help``.

A LoRA adapter of the linear layers learns from the trees of ``llm_trees.py``, each read in one pass
under a mask that lets every branch see what it follows and nothing else. The base is the GGUF file
that is served, dequantised, so that what is learnt fits the weights it is used with.
A killed training goes on from its checkpoint. 12 GB; half a minute a step on two cores that know
bfloat16, two minutes on older ones.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import gguf
import torch
import typer
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from eval.training.llm_trees import Node, tree
from eval.training.lora import SCALE, Lora
from eval.training.written_passages import Passage, read_files, read_passages
from rag import config, models
from rag.llm import ADAPTER

RANK = 16
FIRST_LAYER = 6  # those below stay as they are, and no gradient has to reach them
WARM_UP = 0.05  # of the steps; then the rate falls to a twentieth
CLIP = 1.0
FILES = 0.6  # of the trees
SAVED_EVERY = 20
REPORTED_EVERY = 5


def with_lora(model: Any) -> dict[str, torch.nn.Parameter]:
    """Freeze a model, give its linear layers adapters, and return their parameters by name."""
    model.requires_grad_(False)
    for module in [m for layer in model.model.layers[FIRST_LAYER:] for m in layer.modules()]:
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.Linear):
                setattr(module, name, Lora(child, RANK))
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def precision() -> torch.dtype:
    """Return what the base is computed in: bfloat16, but where that is emulated at a fifth."""
    known = torch.backends.cpu.get_cpu_capability()
    return torch.float32 if known in ("DEFAULT", "AVX2") else torch.bfloat16


def flattened(
    node: Node, tokenizer: Any
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return ids, positions and mask of a tree, and what predicts what: from, token, weight."""
    ids: list[int] = []
    positions: list[int] = []
    seen: list[list[int]] = []
    predicted: list[tuple[int, int, float]] = []

    def add(node: Node, before: list[int]) -> None:
        path = list(before)
        for token in tokenizer(node.text, add_special_tokens=False).input_ids:
            if node.weight:
                predicted.append((path[-1], token, node.weight))
            positions.append(len(path))
            path.append(len(ids))
            ids.append(token)
            seen.append(list(path))
        for child in node.follow:
            add(child, path)

    add(node, [])
    mask = torch.full((len(ids), len(ids)), torch.finfo(torch.bfloat16).min, dtype=torch.bfloat16)
    for row, columns in enumerate(seen):
        mask[row, columns] = 0.0
    places, tokens, weights = zip(*predicted, strict=True)
    return (
        torch.tensor(ids)[None], torch.tensor(positions)[None], mask[None, None],
        torch.tensor(places), torch.tensor(tokens), torch.tensor(weights),
    )  # fmt: skip


def losses(model: Any, tokenizer: Any, node: Node) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss of each token that a tree teaches, and its weight."""
    ids, positions, mask, places, tokens, weights = flattened(node, tokenizer)
    states = model.model(input_ids=ids, position_ids=positions, attention_mask=mask)
    logits = model.lm_head(states.last_hidden_state[0, places]).float()
    loss = torch.nn.functional.cross_entropy(logits, tokens, reduction="none")
    return loss, weights


def save(parameters: Mapping[str, torch.Tensor], out: Path, *, layers: int) -> None:
    """Write an adapter as llama.cpp reads it.

    :param layers: Of the model.
    """
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, layers)
    writer = gguf.GGUFWriter(out, "qwen2")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, SCALE * RANK)
    for name, tensor in parameters.items():
        module, part = name.rsplit(".", 1)
        known = names.get_name(module)
        writer.add_tensor(f"{known}.weight.lora_{part}", tensor.detach().half().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def load(parameters: Mapping[str, torch.nn.Parameter], start: Path, *, layers: int) -> None:
    """Set parameters to what ``save`` wrote."""
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, layers)
    kept = {tensor.name: tensor.data for tensor in gguf.GGUFReader(start).tensors}
    for name, parameter in parameters.items():
        module, part = name.rsplit(".", 1)
        data = torch.tensor(kept[f"{names.get_name(module)}.weight.lora_{part}"])
        parameter.data.copy_(data.reshape(parameter.shape).float())


def main(
    written: Annotated[Path, typer.Argument(help="With the folders answers/ and files/.")],
    out: Annotated[Path, typer.Option(help="The adapter, as GGUF.")] = ADAPTER,
    start: Annotated[Path | None, typer.Option(help="An adapter to go on from.")] = None,
    steps: Annotated[int, typer.Option(min=1)] = 250,
    batch: Annotated[int, typer.Option(min=1, help="Trees in a step.")] = 2,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-4,
    seed: Annotated[int, typer.Option(help="Of all choices.")] = 1,
) -> None:
    """Train an adapter for the built-in LLM; every ninth passage is held out."""
    torch.manual_seed(seed)
    settings = config.load()
    weights = models.resolve(settings.llm.model, kind="llm", settings=settings.models)
    source: dict[str, Any] = {
        "pretrained_model_name_or_path": weights.parent, "gguf_file": weights.name,
    }  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(**source)
    model = AutoModelForCausalLM.from_pretrained(
        **source,
        dtype=precision(),
        quantization_config=GgufConfig(dequantize=True),
        attn_implementation="eager",  # with a dense mask no slower than the others
    )
    model.config.use_cache = False
    parameters = with_lora(model)
    if start is not None:
        load(parameters, start, layers=model.config.num_hidden_layers)
    optimizer = torch.optim.AdamW(list(parameters.values()), lr=rate, weight_decay=0.0)
    warm = max(1, int(WARM_UP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda s: min((s + 1) / warm, max(0.05, (steps - s) / max(1, steps - warm))),
    )
    parts: dict[str, Any] = {"optimizer": optimizer, "schedule": schedule}
    checkpoint, begun = out.with_suffix(".checkpoint"), 0
    if checkpoint.exists():
        kept = torch.load(checkpoint)
        begun = kept["step"]
        model.load_state_dict(kept["lora"], strict=False)
        for name, part in parts.items():
            part.load_state_dict(kept[name])
    passages = read_passages(written / "answers")[0]
    files = read_files(written / "files", settings.passages.max_chars)
    running, count = 0.0, 0
    for step in range(begun, steps):
        rng = random.Random(f"{seed} {step}")  # noqa: S311
        for _ in range(batch):
            some: list[Passage] = files if rng.random() < FILES else passages
            node = tree(rng, rng.choice(some), passages)
            loss, weight = losses(model, tokenizer, node)
            mean = (loss * weight).sum() / weight.sum() / batch
            mean.backward()  # type: ignore[no-untyped-call]
            running, count = running + mean.item() * batch, count + 1
        torch.nn.utils.clip_grad_norm_(list(parameters.values()), CLIP)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % REPORTED_EVERY == REPORTED_EVERY - 1:
            typer.echo(json.dumps({"step": step + 1, "loss": round(running / count, 4)}))
            running, count = 0.0, 0
        if step % SAVED_EVERY == SAVED_EVERY - 1:
            saved = {name: part.state_dict() for name, part in parts.items()}
            partial = checkpoint.with_suffix(".partial")
            torch.save({"step": step + 1, "lora": parameters, **saved}, partial)
            partial.replace(checkpoint)
    save(parameters, out, layers=model.config.num_hidden_layers)
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    typer.run(main)
