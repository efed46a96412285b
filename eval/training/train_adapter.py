"""Train the adapter of the built-in embedder: ``python -m eval.training.train_adapter --help``.

Contrastive (InfoNCE) training of low-rank updates to the attention weights, on questions and
passages of which one, most often, is code-switched (``codeswitch.py``), with a neighbouring passage
of the same text in the question's language as the hard negative: just what a mixed folder asks for.
The updates are then added at ``STRENGTH`` of what was learned, which keeps what the model knew
(Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", arXiv:2109.01903).

Some ten minutes on two cores. Needs SQuAD files in both languages (the shipped adapter: TyDi QA's
gold passages, Apache-2.0, and MLQA's Arabic development part, CC BY-SA 3.0) and FreeDict's
English–Arabic dictionary (Debian's dict-freedict-eng-ara, GPL-2+), of which nothing is shipped.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.progress import track
from safetensors.torch import save_file
from torch.nn import functional

from eval.training.codeswitch import CodeSwitcher
from eval.training.lora import SCALE, Lora
from eval.training.reader_sets import Example, read_examples
from rag import adapter, config
from rag.embedding import Embedder, load_embedder
from rag.language import LANGUAGES

RANK = 8
STRENGTH = 0.6
STEPS = 100
BATCH = 24  # questions, half in each language; each brings one or two passages
LEARNING_RATE = 4e-4
TEMPERATURE = 0.02
PASSAGE_CHARS = 280  # shorter than in use: training time goes with it
MAX_TOKENS = 112
MEAN_OF = 800  # questions, and passages, of each language
_LAYERS = ("query", "key", "value", "attention.output.dense")


def main(
    squad: Annotated[list[Path], typer.Argument(help="SQuAD v1.1 files, some in each language.")],
    dictionary: Annotated[Path, typer.Option(help="FreeDict's eng-ara, .dict.dz.")],
    out: Annotated[Path, typer.Option(help="The adapter file.")] = adapter.BUILT_IN,
) -> None:
    """Train an adapter for the embedder of config.yaml."""
    rng = random.Random(1)  # noqa: S311
    torch.manual_seed(0)
    examples = [e for path in squad for e in read_examples(path, PASSAGE_CHARS)]
    english = [e.passage.text for e in examples if e.language == "en"]
    switcher = CodeSwitcher(dictionary, english, rng)
    settings = config.load()
    embedder = load_embedder(settings, adapter="none", dtype="float32")
    updates = _train(embedder, examples, switcher, rng)
    tensors = {}
    for name, layer in updates.items():
        tensors[f"{name}.down"] = layer.a.data.half().contiguous()
        tensors[f"{name}.up"] = (SCALE * STRENGTH * layer.b.data).half().contiguous()
    # Through the file, so that the means are those of the weights as they will be used.
    dimensions = embedder.encoder.config.hidden_size
    no_means = {
        f"mean.{role}.{language}": torch.zeros(dimensions)
        for role in ("query", "passage")
        for language in LANGUAGES
    }
    _save(tensors | no_means, out)
    adapted = load_embedder(settings, adapter=str(out), dtype="float32")
    _save(tensors | _means(adapted, examples, rng), out)


def _train(
    embedder: Embedder, examples: list[Example], switcher: CodeSwitcher, rng: random.Random
) -> dict[str, Lora]:
    encoder = embedder.encoder
    encoder.requires_grad_(False).eval()
    updates = {}
    for name, module in list(encoder.named_modules()):
        if isinstance(module, torch.nn.Linear) and name.endswith(_LAYERS):
            updates[name] = Lora(module, RANK)
            parent, _, child = name.rpartition(".")
            setattr(encoder.get_submodule(parent), child, updates[name])
    parameters = [p for u in updates.values() for p in (u.a, u.b)]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=0.01)
    # Warms up over 20 steps, then falls as if it were to reach nothing after 2.4 times the steps.
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 20) * max(0.05, 1 - step / (2.4 * STEPS))
    )
    by_language = {
        language: [e for e in examples if e.language == language] for language in LANGUAGES
    }
    for _ in track(range(STEPS), "training"):
        batch = [rng.choice(some) for some in by_language.values() for _ in range(BATCH // 2)]
        loss = _loss(embedder, batch, switcher, rng)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return updates


def _loss(
    embedder: Embedder, batch: list[Example], switcher: CodeSwitcher, rng: random.Random
) -> torch.Tensor:
    """Return the InfoNCE loss of a batch of questions over the passages of all of them."""
    questions: list[str] = []
    texts: list[str] = []
    owners: list[str] = []
    targets: list[int] = []

    def put(text: str, example: Example, switched: bool) -> str:
        return switcher.switch(text, example.language) if switched else text

    def passage(example: Example, text: str, switched: bool) -> str:
        title = ""
        if rng.random() < 0.4:  # a document may have no title, or one in the other language
            title = put(example.title, example, switched and rng.random() < 0.7) + "\n"
        return embedder.passage_prompt + title + put(text, example, switched)

    for example in batch:
        chance = rng.random()
        question_switched, passage_switched = chance < 0.4, 0.4 <= chance < 0.8
        questions.append(embedder.query_prompt + put(example.question, example, question_switched))
        targets.append(len(texts))
        owners.append(example.passage.text)
        texts.append(passage(example, example.passage.text, passage_switched))
        if example.near:
            # In the question's language three times of four, whatever that of the right passage.
            switched = question_switched if rng.random() < 0.75 else passage_switched
            owners.append("")
            texts.append(passage(example, rng.choice(example.near).text, switched))
    scores = _embed(embedder, questions) @ _embed(embedder, texts).T / TEMPERATURE
    again = [
        [owner == owners[target] and i != target for i, owner in enumerate(owners)]
        for target in targets
    ]  # the same passage brought by another question is not wrong
    scores = scores.masked_fill(torch.tensor(again), -1e4)
    return functional.cross_entropy(scores, torch.tensor(targets))


def _embed(embedder: Embedder, texts: list[str]) -> torch.Tensor:
    """Return unit vectors ``(n, d)`` with their gradients; mean pooling, as e5 was trained."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    half = (len(order) + 1) // 2
    vectors = torch.cat(
        [_pooled(embedder, [texts[i] for i in part]) for part in (order[:half], order[half:])]
    )  # less padding
    return vectors[torch.argsort(torch.tensor(order))]


def _pooled(embedder: Embedder, texts: list[str]) -> torch.Tensor:
    inputs: Any = embedder.tokenizer(
        texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
    )
    with torch.autocast("cpu", torch.bfloat16):
        states = embedder.encoder(**inputs).last_hidden_state.float()
    mask = inputs["attention_mask"][..., None].float()
    return functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)


def _means(
    embedder: Embedder, examples: list[Example], rng: random.Random
) -> dict[str, torch.Tensor]:
    means = {}
    for language in LANGUAGES:
        some = [e for e in examples if e.language == language]
        some = rng.sample(some, min(MEAN_OF, len(some)))
        for role, prompt, texts in (
            ("query", embedder.query_prompt, [e.question for e in some]),
            ("passage", embedder.passage_prompt, [f"{e.title}\n{e.passage.text}" for e in some]),
        ):
            vectors = embedder.encode([prompt + text for text in texts])
            means[f"mean.{role}.{language}"] = torch.from_numpy(np.mean(vectors, axis=0))
    return means


def _save(tensors: dict[str, torch.Tensor], out: Path) -> None:
    about = {"rank": RANK, "steps": STEPS, "strength": STRENGTH}
    save_file(tensors, out, metadata={"rawi": json.dumps(about)})


if __name__ == "__main__":
    typer.run(main)
