"""Train the checker of the built-in embedder: ``python -m eval.train_checker --help``.

The upper layers of the reader's encoder learn to read a claim with its source, and to give each
token of the answer a logit, and the whole one more. A step's loss is the binary cross-entropy of
their soft minimum (``checker_data.py`` makes the claims), of the whole alone besides, and of the
marks on the source's words. A killed training goes on from its checkpoint. An hour on two cores.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import track
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from eval.checker_data import Claims, Labelled, read_passages
from rag import config, models, own_layers
from rag.checking import BUILT_IN, pooled, tokenized
from rag.embedding import Embedder
from rag.reader import Reader

FIRST_LAYER = 4  # those below, and the embeddings, stay the embedder's own
WARM_UP = 0.06  # of the steps; then the rate falls to nothing
CLIP = 1.0
WHOLE_WEIGHT = MARKS_WEIGHT = 0.3
AT_ONCE = 16  # claims: sorted by length, so that little is padding
SAVED_EVERY = 100  # steps
REPORTED_EVERY = 20


class Model(torch.nn.Module):
    """The reader's encoder with the checker's heads."""

    def __init__(self, reader: Reader, tokenizer: Any) -> None:
        super().__init__()
        hidden = reader.encoder.config.hidden_size
        self.encoder = reader.encoder
        self.token = torch.nn.Linear(hidden, 1)
        self.whole = torch.nn.Linear(3 * hidden, 1)
        self.mark = torch.nn.Linear(hidden, 1)
        self._tokenizer = tokenizer
        self.encoder.requires_grad_(False)
        for layer in self.encoder.encoder.layer[FIRST_LAYER:]:
            layer.requires_grad_(True)
        for module in self.encoder.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0

    @property
    def heads(self) -> dict[str, torch.nn.Linear]:
        """The heads by their names in the file."""
        return {"token": self.token, "whole": self.whole, "mark": self.mark}

    def forward(self, items: Sequence[Labelled]) -> torch.Tensor:
        """Return the sum of the losses of some claims."""
        inputs, parts = tokenized(self._tokenizer, [item.claim for item in items])
        states = self.encoder(**inputs).last_hidden_state.float()
        losses = [torch.zeros(())]
        for state, part, item in zip(states, parts, items, strict=True):
            if item.marks:
                spans = torch.tensor([tuple(span) for span in item.marks])
                starts, ends = part.places[:, :1], part.places[:, 1:]
                marked = ((starts < spans[:, 1]) & (ends > spans[:, 0])).any(1).float()
                logits = self.mark(state[part.source])[:, 0]
                losses.append(MARKS_WEIGHT * cross_entropy(logits, marked))
            if part.answer.any():
                tokens = -torch.logsumexp(-self.token(state[part.answer])[:, 0], 0)
                whole = self.whole(pooled(state, part))[0]
                held = -torch.logsumexp(-torch.stack([tokens, whole]), 0)
                right = torch.tensor(float(item.right))
                losses.append(cross_entropy(held, right))
                losses.append(WHOLE_WEIGHT * cross_entropy(whole, right))
        return torch.stack(losses).sum()


def main(
    answers: Annotated[Path, typer.Argument(help="Folder of written answers.")],
    pairs: Annotated[list[Path], typer.Argument(help="Sentences that say the same: {ar, en}.")],
    out: Annotated[Path, typer.Option(help="The checker file.")] = BUILT_IN,
    steps: Annotated[int, typer.Option(min=1)] = 600,
    batch: Annotated[int, typer.Option(min=1, help="Claims in a step.")] = 48,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1.5e-4,
    seed: Annotated[int, typer.Option(help="Of all choices.")] = 1,
) -> None:
    """Train a checker for the embedder of config.yaml; every ninth passage is held out."""
    torch.manual_seed(seed)
    settings = config.load()
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    exact = settings.embedding.model_copy(update={"dtype": "float32"})
    embedder = Embedder.load(exact, weights)
    sentences = [json.loads(line) for path in pairs for line in path.read_text().splitlines()]
    claims = Claims(read_passages(answers)[0], sentences)
    model = Model(Reader.load(embedder), embedder.tokenizer)
    about = {"steps": steps, "batch": batch, "rate": rate, "seed": seed}
    train(model, claims, steps=steps, batch=batch, rate=rate, seed=seed, out=out, about=about)


def train(
    model: Model,
    claims: Claims,
    *,
    steps: int,
    batch: int,
    rate: float,
    seed: int,
    out: Path,
    about: dict[str, Any],
) -> None:
    """Take the steps, and save the checker at the end.

    :param about: How it is trained, for the file.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    warm = max(1, int(WARM_UP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, (steps - step) / max(1, steps - warm))
    )
    parts: dict[str, Any] = {"optimizer": optimizer, "schedule": schedule}
    checkpoint, begun = out.with_suffix(".checkpoint"), 0
    if checkpoint.exists():
        kept = torch.load(checkpoint)
        begun = kept["step"]
        model.load_state_dict(kept["model"], strict=False)
        for name, part in parts.items():
            part.load_state_dict(kept[name])
    console, seen = Console(highlight=False), list[float]()
    for step in track(range(begun, steps), "training", console=console):
        rng = random.Random(f"{seed} {step}")  # noqa: S311
        drawn = sorted((claims.draw(rng) for _ in range(batch)), key=_length)
        loss = 0.0
        for start in range(0, batch, AT_ONCE):
            part = model(drawn[start : start + AT_ONCE]) / batch
            part.backward()
            loss += part.item()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        seen.append(loss)
        if (step + 1) % REPORTED_EVERY == 0:
            console.print(f"step {step + 1}: loss {sum(seen) / len(seen):.3f}")
            seen.clear()
        if (step + 1) % SAVED_EVERY == 0:
            states = {name: part.state_dict() for name, part in parts.items()}
            learned = {name: p for name, p in model.named_parameters() if p.requires_grad}
            torch.save({**states, "model": learned, "step": step + 1}, checkpoint)
    own_layers.save(out, model.encoder, model.heads, about)
    checkpoint.unlink(missing_ok=True)


def _length(item: Labelled) -> int:
    return len(item.claim.question) + len(item.claim.answer) + len(item.claim.source)


if __name__ == "__main__":
    typer.run(main)
