"""Train the reader of the built-in embedder: ``python -m eval.training.train_reader --help``.

The upper layers of the embedder's encoder learn to read a question with passages, and to give each
sentence a logit. A step's loss is the cross-entropy of one softmax over all sentences of a group of
passages and a null answer of logit 0 (shared normalisation: Clark & Gardner 2018, arXiv:1710.10723;
``reader_groups.py`` makes the groups).

About an hour on one core with AVX-512. Needs SQuAD files in both languages and FreeDict's
English–Arabic dictionary (Debian's dict-freedict-eng-ara, GPL-2+), of which nothing is shipped;
takes questions in the other language and abstention sets besides. What the shipped reader was
trained on stands in rag/multilingual-e5-small.reader.md.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import track
from safetensors import safe_open
from safetensors.torch import save_file

from eval.training import reader_sets, reader_written
from eval.training.codeswitch import CodeSwitcher
from eval.training.reader_groups import Group, Groups
from eval.training.reader_written import Order, Written
from rag import config
from rag.embedding import Embedder, PassageInput, load_embedder
from rag.reader import BUILT_IN, Reader, pooled, tokenized

FIRST_LAYER = 4  # those below, and the embeddings, stay the embedder's own
WARM_UP = 0.06  # of the steps; then the rate falls to nothing
CLIP = 1.0
AT_ONCE = 14  # pairs of question and passage: sorted by length, so that little is padding
MEASURED_EVERY = 50  # steps
HELD = 240  # groups that are held out
REPORTED_EVERY = 25  # steps


class Model(torch.nn.Module):
    """An encoder with the reader's head."""

    def __init__(self, reader: Reader, tokenizer: Any, share: float = 1.0) -> None:
        """Begin with a reader.

        :param share: Of what is learnt in its mean with what it began with, which forgets less of
            what that could do (Wortsman et al. 2021, arXiv:2109.01903).
        """
        super().__init__()
        hidden = reader.encoder.config.hidden_size
        self.encoder = reader.encoder
        self.head = torch.nn.Linear(2 * hidden, 1)
        self.head.weight.data.copy_(reader.weight)
        self.head.bias.data.copy_(reader.bias)
        self._tokenizer = tokenizer
        self.encoder.requires_grad_(False).eval()  # without dropout
        for layer in self.encoder.encoder.layer[FIRST_LAYER:]:
            layer.requires_grad_(True)
        self._share = share
        self._begun = {
            name: p.detach().clone() for name, p in self.named_parameters() if p.requires_grad
        }

    def learnt(self) -> dict[str, torch.Tensor]:
        """Return what is kept of it, by the names of a reader's file."""
        return {
            name.removeprefix("encoder."): self._begun[name].lerp(p.data, self._share)
            for name, p in self.named_parameters()
            if p.requires_grad
        }

    def forward(self, pairs: Sequence[tuple[str, PassageInput]], fast: bool) -> list[torch.Tensor]:
        """Return the logits ``(sentences,)`` of pairs of question and passage.

        They are -inf for what was cut off.
        """
        questions, passages = [question for question, _ in pairs], [p for _, p in pairs]
        inputs, inside = tokenized(self._tokenizer, questions, passages)
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            states = self.encoder(**inputs).last_hidden_state.float()
        return [
            torch.cat([self.head(pooled(state[r])) if r.any() else _NOTHING for r in rows])
            for state, rows in zip(states, inside, strict=True)
        ]


_NOTHING = torch.tensor([-torch.inf])


def main(
    squad: Annotated[list[Path], typer.Argument(help="SQuAD v1.1 files, some in each language.")],
    dictionary: Annotated[Path, typer.Option(help="FreeDict's eng-ara, .dict.dz.")],
    out: Annotated[Path, typer.Option(help="The reader file.")] = BUILT_IN,
    across: Annotated[
        list[Path] | None,
        typer.Option(help="SQuAD files asked in the other language; see --asked."),
    ] = None,
    asked: Annotated[
        list[Path] | None, typer.Option(help="One with the questions for each of --across.")
    ] = None,
    judged: Annotated[
        list[Path] | None, typer.Option(help="Abstention sets: rawi eval abstain --help.")
    ] = None,
    written: Annotated[
        Path | None, typer.Option(help="The folder of written questions: eval/training.")
    ] = None,
    start: Annotated[Path | None, typer.Option(help="A reader file to go on from.")] = None,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Of the new weights in their mean with --start's.")
    ] = 1.0,
    steps: Annotated[int, typer.Option(min=1)] = 700,
    batch: Annotated[int, typer.Option(min=1, help="Questions in a step.")] = 10,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1.2e-4,
    seed: Annotated[int, typer.Option(help="Of all choices.")] = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="Questions of each file.")] = None,
) -> None:
    """Train a reader for the embedder of config.yaml."""
    if len(across or []) != len(asked or []):
        raise typer.BadParameter("there is one --asked for each --across")
    rng = random.Random(seed)  # noqa: S311
    torch.manual_seed(seed)
    settings = config.load()
    max_chars = settings.passages.max_chars
    examples = [e for path in squad for e in reader_sets.read_examples(path, max_chars)[:limit]]
    for path, other in zip(across or [], asked or [], strict=True):
        examples += reader_sets.read_examples(path, max_chars, other)[:limit]
    plain = load_embedder(settings)
    examples = reader_sets.with_nearest(examples, plain)
    english = [e.passage.text for e in examples if e.language == "en"]
    sets = [item for path in judged or [] for item in reader_sets.read_judged(path, max_chars)]
    switcher = CodeSwitcher(dictionary, english, rng)
    asks, ordering, held = list[Written](), list[Order](), list[Group]()
    if written:
        ordering = reader_written.read_orders(written / "orders.jsonl")
        asks = reader_written.beside_others(_written(written, max_chars), plain)
        kept = reader_written.beside_others(_written(written, max_chars, held=True), plain)
        drawn = Groups(examples, switcher, random.Random(seed), (), kept, ordering)  # noqa: S311
        held = [drawn.of_written(rng.choice(kept)) for _ in range(HELD)]
    groups = Groups(examples, switcher, rng, sets, asks, ordering)
    embedder = load_embedder(settings, dtype="float32")
    model = Model(_begun(embedder, start), embedder.tokenizer, share)
    about = {"steps": steps, "batch": batch, "rate": rate, "seed": seed, "share": share}
    if start:
        about["start"] = _about(start)
    train(model, groups, held, steps=steps, batch=batch, rate=rate, out=out, about=about)


def _written(folder: Path, max_chars: int, *, held: bool = False) -> list[Written]:
    """Return the written questions to train on, or those that are held out."""
    found = reader_written.read_written(folder / "answers", max_chars, held=held)
    # There are few files, and many layouts: they are asked about more often.
    found += 2 * reader_written.read_files(folder / "files", max_chars, held=held)
    return found if held else found + reader_written.read_plain(folder / "plain.jsonl")


def train(
    model: Model,
    groups: Groups,
    held: Sequence[Group] = (),
    *,
    steps: int,
    batch: int,
    rate: float,
    out: Path,
    about: dict[str, Any],
) -> None:
    """Take the steps, and save the reader where it does best on what is held out.

    :param held: Without any, it is saved at the end.
    :param about: How it is trained, for the file.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    warm = max(1, int(WARM_UP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, (steps - step) / max(1, steps - warm))
    )
    fast = torch.cpu.get_capabilities().get("avx512_bf16", False)
    console, least, seen = Console(highlight=False), math.inf, list[tuple[float, float]]()
    for step in track(range(1, steps + 1), "training", console=console):
        loss, right = learn(model, [groups.draw() for _ in range(batch)], fast)
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        seen.append((loss, right))
        if step % REPORTED_EVERY == 0 or step == steps:
            mean_loss, mean_right = torch.tensor(seen).mean(0).tolist()
            console.print(f"step {step}: loss {mean_loss:.3f}, right {mean_right:.3f}")
            seen.clear()
        if held and (step % MEASURED_EVERY == 0 or step == steps):
            loss, right = measured(model, held, fast)
            console.print(f"step {step}: held out, loss {loss:.3f}, right {right:.3f}")
            if loss < least:
                least = loss
                save(model, out, about | {"step": step})
    if not held:
        save(model, out, about | {"step": steps})


def measured(model: Model, groups: Sequence[Group], fast: bool) -> tuple[float, float]:
    """Return the mean loss and the share that is right; see ``learn``."""
    with torch.no_grad():
        seen = [_losses(model, groups[n : n + 10], fast) for n in range(0, len(groups), 10)]
    losses = torch.cat([losses for losses, _ in seen])
    return losses.mean().item(), sum(right for _, right in seen) / len(groups)


def learn(model: Model, groups: Sequence[Group], fast: bool) -> tuple[float, float]:
    """Add the gradients of some groups.

    :param fast: Compute in bfloat16.
    :return: Their mean loss, and the share whose best sentence, or null, is right.
    """
    losses, right = _losses(model, groups, fast)
    loss = losses.mean()
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.item(), right / len(groups)


def _losses(model: Model, groups: Sequence[Group], fast: bool) -> tuple[torch.Tensor, int]:
    """Return the losses of groups, and how many are right."""
    pairs = [(group.question, passage) for group in groups for passage in group.passages]
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + len(pairs[i][1].text))
    read: dict[int, torch.Tensor] = {}
    for begin in range(0, len(order), AT_ONCE):
        some = order[begin : begin + AT_ONCE]
        read |= zip(some, model([pairs[i] for i in some], fast), strict=True)
    losses, right, first = [], 0, 0
    for group in groups:
        after = first + len(group.passages)
        logits = torch.cat([*(read[n] for n in range(first, after)), torch.zeros(1)])
        first, null = after, len(logits) - 1
        targets = list(group.answers) or [null]
        losses.append(logits.logsumexp(0) - logits[targets].logsumexp(0))
        right += int(logits.argmax()) in targets
    return torch.stack(losses), right


def save(model: Model, out: Path, about: dict[str, Any]) -> None:
    """Write what the reader doesn't share with the embedder: weights as int8, a scale a row."""
    tensors = {}
    for name, rows in model.learnt().items():
        tensors[name] = rows.half()
        if rows.dim() == 2 and not name.startswith("head."):
            scale = (rows.abs().amax(1).clamp(min=1e-6) / 127).half()
            tensors[name] = (rows / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
            tensors[f"{name}.scale"] = scale
    scratch = out.with_name(f".{out.name}.new")
    save_file(tensors, scratch, metadata={"rawi": json.dumps(about)})
    scratch.chmod(0o644)  # safetensors keeps it to its owner; the package is for everybody
    scratch.replace(out)


def _begun(embedder: Embedder, start: Path | None) -> Reader:
    """Return the reader to go on from, or the embedder with a head of small random weights."""
    if start is not None:
        return Reader.load(embedder, start)
    hidden = embedder.encoder.config.hidden_size
    weight = 0.02 * torch.randn(1, 2 * hidden)
    return Reader(embedder.encoder, embedder.tokenizer, weight, torch.zeros(1))


def _about(path: Path) -> Any:
    with safe_open(path, framework="pt") as file:
        return json.loads((file.metadata() or {}).get("rawi", "{}"))


if __name__ == "__main__":
    typer.run(main)
