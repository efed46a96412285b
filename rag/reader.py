"""Which sentences of the found passages answer the question: a small cross-encoder of our own.

Vectors compare a question with a sentence without either having read the other. The reader is the
embedder's encoder, its upper layers trained on (``eval/training/train_reader.py``), and reads
question and passage together in milliseconds: one logit a sentence, on a scale where 0 is "nothing
here answers" (shared normalisation with a null answer: Clark & Gardner 2018, arXiv:1710.10723).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from rag.config import Settings
from rag.embedding import BUILT_IN_MODEL, TOKENS_AT_ONCE, Embedder, PassageInput, load_embedder
from rag.errors import ModelError
from rag.language import bare

Logits = npt.NDArray[np.float32]

# For multilingual-e5-small with the built-in adapter.
BUILT_IN = Path(__file__).with_name("multilingual-e5-small.reader.safetensors")
# Tokens of question and passage together; passages of 400 characters take about 130.
MAX_TOKENS = 384
# Logits further from 0 say no more; a sentence that was cut off counts as read and found wanting.
_LIMIT = 8.0
# Passages read at once, sorted by length: all that a question is asked of by default, since a pass
# has a fixed cost that is more than what padding costs.
BATCH = 10


@dataclass(frozen=True)
class Scale:
    """Logit of the reader and score of retrieval → log-odds against "none of these answers".

    ::

        log-odds = read · logit + found · score + bias
    """

    read: float
    found: float
    bias: float

    def odds(self, logits: Logits, scores: Sequence[float]) -> npt.NDArray[np.float64]:
        """Return the log-odds of sentences; both arguments are ``(sentences,)``."""
        logits = np.clip(logits, -_LIMIT, _LIMIT)
        log_odds: npt.NDArray[np.float64] = self.read * logits + self.found * np.asarray(scores)
        return log_odds + self.bias


# Fitted by maximum likelihood: ``python -m eval.training.calibrate --set eval/tuning``.
SCALE = Scale(read=1.013, found=9.61, bias=-5.21)


class Reader:
    """Reads passages for a question.

    :ivar encoder: The transformers model, some of its layers shared with the embedder's.
    :ivar weight: Of the head, ``(1, 2 · hidden)``.
    :ivar bias: Of the head, ``(1,)``.
    :ivar base: The embedder that it was trained from.
    :ivar adds_up: Whether ``judged`` gives probabilities, which may be added up.
    """

    adds_up = True

    def __init__(
        self,
        encoder: Any,
        tokenizer: Any,
        weight: Any,
        bias: Any,
        base: Embedder | None = None,
    ) -> None:
        """Put a head onto an encoder.

        :param weight: ``(1, 2 · hidden)``, for the mean and the maximum of a sentence's states.
        :param bias: ``(1,)``.
        """
        self.encoder = encoder
        self.weight = weight
        self.bias = bias
        self.base = base
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, base: Embedder, path: Path = BUILT_IN) -> Reader:
        """Read a reader file, for the layers that it holds; the rest is shared with ``base``.

        :param base: The embedder that the reader was trained from.
        :raises ModelError: When the file is no reader or one of another embedder.
        """
        from rag.prepacked import prepack

        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            weight, bias = (tensors.pop(f"head.{part}").float() for part in ("weight", "bias"))
            if weight.shape != (1, 2 * base.encoder.config.hidden_size):
                raise ValueError(f"its head is {tuple(weight.shape)}")
            encoder = _with_own_layers(base.encoder, tensors)
        except (
            *(OSError, SafetensorError, AttributeError),
            *(LookupError, ValueError, RuntimeError),
        ) as exc:
            raise ModelError(f"{path}: is not a reader of this embedder ({exc})") from exc
        dtype = next(base.encoder.parameters()).dtype
        encoder.to(dtype)
        prepack(encoder)
        return cls(encoder, base.tokenizer, weight, bias, base)

    def read(self, question: str, passages: Sequence[PassageInput]) -> list[Logits]:
        """Return the logits ``(sentences,)`` of each passage, in their order.

        Above 0 is more likely than "none of these answers". A sentence beyond what is read gets
        -inf.
        """
        found: dict[int, Logits] = {}
        order = sorted(range(len(passages)), key=lambda i: len(passages[i].text))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            found |= zip(batch, self._logits(question, [passages[i] for i in batch]), strict=True)
        return [found[i] for i in range(len(passages))]

    def judged(
        self,
        question: str,
        passages: Sequence[PassageInput],
        scores: Sequence[Sequence[float]],
    ) -> list[list[float]]:
        """Return the probability that a sentence is the one that answers, the whole in view.

        :param scores: What retrieval made of each sentence; the two are added up, weighted.
        :return: As ``scores``; together they are at most 1, the rest being that none of them
            answers.
        """
        read = self.read(question, passages)
        return shares([SCALE.odds(*pair) for pair in zip(read, scores, strict=True)])

    def _logits(self, question: str, passages: Sequence[PassageInput]) -> Iterator[Logits]:
        import torch

        inputs, inside = tokenized(self._tokenizer, [question] * len(passages), passages)
        device = next(self.encoder.parameters()).device
        with torch.inference_mode():
            states = self.encoder(**inputs.to(device)).last_hidden_state.float().cpu()
            for state, rows in zip(states, inside, strict=True):
                logits = [self._logit(state[tokens]) for tokens in rows]
                yield np.array(logits, dtype=np.float32)

    def _logit(self, states: Any) -> float:
        if not len(states):
            return -np.inf
        return float(self.weight[0] @ pooled(states) + self.bias[0])


def shares(log_odds: Sequence[npt.NDArray[np.float64]]) -> list[list[float]]:
    """Return the softmax over all rows and a null answer of log-odds 0, without that answer."""
    highest = max([0.0, *(float(row.max()) for row in log_odds if row.size)])
    powers = [np.exp(row - highest) for row in log_odds]
    whole = np.exp(-highest) + sum(float(row.sum()) for row in powers)
    return [[float(p) / float(whole) for p in row] for row in powers]


def tokenized(
    tokenizer: Any,
    questions: Sequence[str],
    passages: Sequence[PassageInput],
) -> tuple[Any, list[Any]]:
    """Return what the encoder reads of pairs of question and passage.

    :return: The tokenizer's tensors, and for each pair a boolean tensor ``(sentences, tokens)``
        that says which tokens lie in which, none where the passage was cut off before it.
    """
    import torch

    texts = [f"{p.heading}\n{p.text}" if p.heading else p.text for p in passages]
    inputs = tokenizer(
        [bare(question) for question in questions],
        texts,
        padding=True,
        pad_to_multiple_of=TOKENS_AT_ONCE,
        truncation="longest_first",
        max_length=MAX_TOKENS,
        return_offsets_mapping=True,
        return_tensors="pt",
    )
    offsets = inputs.pop("offset_mapping")
    inside = []
    for i, passage in enumerate(passages):
        second = torch.tensor([part == 1 for part in inputs.sequence_ids(i)])
        starts, ends = (offsets[i] - (len(texts[i]) - len(passage.text))).T
        bounds = torch.tensor([tuple(span) for span in passage.sentences]).reshape(-1, 2)
        inside.append(second & (ends > starts) & (starts < bounds[:, 1:]) & (ends > bounds[:, :1]))
    return inputs, inside


def pooled(states: Any) -> Any:
    """Return the mean and the maximum ``(2 · hidden,)`` of token states ``(tokens, hidden)``."""
    import torch

    return torch.cat([states.mean(0), states.max(0).values])


def load(settings: Settings, embedder: Embedder) -> Reader | None:
    """Load the reader that ``retrieval.reader`` names: ours, one given, or None.

    :param embedder: The embedder in use; another is loaded when the reader wasn't trained from it.
    :raises ModelError: When it can't be loaded.
    """
    wanted = settings.retrieval.reader
    if wanted == "none":
        return None
    own = built_in(settings, embedder, None)
    if own is None:
        own = load_embedder(settings, model=BUILT_IN_MODEL, adapter="auto")
    return Reader.load(own, BUILT_IN if wanted == "auto" else Path(wanted))


def built_in(settings: Settings, embedder: Embedder, reader: Reader | None) -> Embedder | None:
    """Return the embedder that what Rawi ships was trained with; None where it isn't loaded.

    :param embedder: The one in use.
    :param reader: The one in use, which may have brought it along.
    """
    if settings.embedding.model == BUILT_IN_MODEL and settings.embedding.adapter == "auto":
        return embedder
    return None if reader is None else reader.base


def _with_own_layers(encoder: Any, tensors: dict[str, Any]) -> Any:
    """Return the encoder with the layers that ``tensors`` hold replaced, the others shared.

    Weights are stored as int8 with a scale for each row: ``weight = q · scale``.
    """
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
