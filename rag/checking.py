"""Whether an answer holds in the sentences that it was written from, in either language.

The checker is the embedder's encoder with upper layers of its own (``eval/train_checker.py``). It
reads question, answer and source together and gives each token of the answer a logit, and the whole
of it one more; what counts is their soft minimum, since one false word makes an answer false. A
third head marks the words of the source that carry the answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag import models, own_layers
from rag.config import Settings
from rag.embedding import BUILT_IN_MODEL, TOKENS_AT_ONCE, Embedder
from rag.language import Span

# For multilingual-e5-small with the built-in adapter.
BUILT_IN = Path(__file__).with_name("multilingual-e5-small.checker.safetensors")
MAX_TOKENS = 320
# Between a question and its answer. The answer to nothing is looked for by its marks alone.
SEPARATOR = " = "

# With the marks on its letters, which are no word characters by themselves.
WORD = re.compile("[\\w\u064b-\u065f\u0670]+")


@dataclass(frozen=True)
class Claim:
    """An answer, and what it should hold in.

    :ivar question: Empty where ``answer`` is a translation of ``source``.
    """

    question: str
    answer: str
    source: str


@dataclass(frozen=True)
class Support:
    """How well a claim holds.

    :ivar logit: Soft minimum over the answer's words and the whole; above 0 more likely than not,
        infinite where no answer was given.
    :ivar marks: Places of the source's words that carry the answer, in order.
    """

    logit: float
    marks: tuple[Span, ...]


class Checker:
    """Reads claims.

    :ivar encoder: The transformers model, some of its layers shared with the embedder's.
    """

    def __init__(self, own: own_layers.OwnLayers, tokenizer: Any) -> None:
        """Put the heads ``token``, ``whole`` and ``mark`` onto an encoder."""
        self.encoder = own.encoder
        self._heads = own.heads
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, base: Embedder, path: Path = BUILT_IN) -> Checker:
        """Read a checker file.

        :param base: The embedder that the checker was trained from.
        :raises ModelError: When the file is no checker or one of another embedder.
        """
        hidden = base.encoder.config.hidden_size
        own = own_layers.load(path, base, {"token": hidden, "whole": 3 * hidden, "mark": hidden})
        return cls(own, base.tokenizer)

    def check(self, claims: Sequence[Claim]) -> list[Support]:
        """Return how well each claim holds, in their order."""
        import torch

        if not claims:
            return []
        inputs, parts = tokenized(self._tokenizer, claims)
        device = next(self.encoder.parameters()).device
        with torch.inference_mode():
            states = self.encoder(**inputs.to(device)).last_hidden_state.float().cpu()
            found = []
            for state, part, claim in zip(states, parts, claims, strict=True):
                marked = self._linear("mark", state[part.source]).sigmoid() >= 0.5
                marks = part.places[marked].tolist()
                found.append(
                    Support(
                        self._logit(state, part) if part.answer.any() else math.inf,
                        tuple(
                            Span(*word.span())
                            for word in WORD.finditer(claim.source)
                            if _touches(word.span(), marks)
                        ),
                    )
                )
        return found

    def _logit(self, state: Any, part: Part) -> float:
        import torch

        tokens = self._linear("token", state[part.answer])
        # The soft minimum over the tokens is one more logit beside the whole's.
        few = -torch.logsumexp(-tokens, 0)
        whole = self._linear("whole", pooled(state, part))[0]
        return -float(torch.logsumexp(-torch.stack([few, whole]), 0))

    def _linear(self, head: str, states: Any) -> Any:
        weight, bias = self._heads[head]
        return states @ weight[0] + bias


@dataclass(frozen=True)
class Part:
    """Where the parts of a claim are among the tokens that are read.

    :ivar answer: Boolean, ``(tokens,)``.
    :ivar source: Boolean, ``(tokens,)``.
    :ivar places: Of the source's tokens in its text, ``(source tokens, 2)``.
    """

    answer: Any
    source: Any
    places: Any


def tokenized(tokenizer: Any, claims: Sequence[Claim]) -> tuple[Any, list[Part]]:
    """Return what the encoder reads of claims, and where their parts are."""
    import torch

    asked = [f"{claim.question}{SEPARATOR}" if claim.question else "" for claim in claims]
    inputs = tokenizer(
        [(before + claim.answer).strip() for before, claim in zip(asked, claims, strict=True)],
        [claim.source for claim in claims],
        padding=True,
        pad_to_multiple_of=TOKENS_AT_ONCE,
        truncation="longest_first",
        max_length=MAX_TOKENS,
        return_offsets_mapping=True,
        return_tensors="pt",
    )
    offsets = inputs.pop("offset_mapping")
    parts = []
    for n, before in enumerate(asked):
        sequence = torch.tensor([-1 if part is None else part for part in inputs.sequence_ids(n)])
        # A token's place begins at the blank before its word.
        answer = (sequence == 0) & (offsets[n][:, 1] > len(before))
        source = sequence == 1
        parts.append(Part(answer, source, offsets[n][source]))
    return inputs, parts


def pooled(state: Any, part: Part) -> Any:
    """Return what the whole is judged by, ``(3 · hidden,)``, of token states ``(tokens, hidden)``.

    The mean and maximum of the answer's states, and the mean of the source's.
    """
    import torch

    answer = state[part.answer]
    return torch.cat([answer.mean(0), answer.max(0).values, state[part.source].mean(0)])


class Unchecked:
    """Holds nothing for or against a claim, and marks nothing."""

    def check(self, claims: Sequence[Claim]) -> list[Support]:
        """Return a logit of 0 for each claim."""
        return [Support(0.0, ()) for _ in claims]


def load(settings: Settings, embedder: Embedder) -> Checker | Unchecked:
    """Load the checker that ``answer.checker`` names.

    :param embedder: The embedder in use; the built-in one is loaded when it is another.
    :raises ModelError: When it can't be loaded.
    """
    wanted = settings.answer.checker
    if wanted == "none":
        return Unchecked()
    own = settings.embedding.model_copy(update={"model": BUILT_IN_MODEL, "adapter": "auto"})
    if settings.embedding.model != BUILT_IN_MODEL or settings.embedding.adapter != "auto":
        weights = models.resolve(own.model, kind="embedder", settings=settings.models)
        embedder = Embedder.load(own, weights)
    return Checker.load(embedder, BUILT_IN if wanted == "auto" else Path(wanted))


def _touches(span: tuple[int, int], places: Sequence[Sequence[int]]) -> bool:
    return any(start < span[1] and end > span[0] for start, end in places)
