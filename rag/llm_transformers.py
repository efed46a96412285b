"""The ``transformers`` backend: any hub model or GGUF file, on whatever device torch has.

llama-index's own HuggingFaceLLM streams from a thread without a time limit, so that a failure there
hangs its reader for good, and it can't be cancelled; this one can.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from queue import Empty
from threading import Event, Thread
from typing import Any, cast

import torch
from llama_index.core.base.llms.generic_utils import stream_chat_to_completion_decorator
from llama_index.core.llms import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    CustomLLM,
    LLMMetadata,
)
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    StoppingCriteria,
    StoppingCriteriaList,
    TextIteratorStreamer,
)

from rag.config import LLMSettings
from rag.errors import DeadlineError, GenerationError, ModelError

# The name of the thread that decodes one answer.
DECODING = "rawi-decoding"


class _Cancelled(StoppingCriteria):
    """Stops decoding at the next token once the reader is gone."""

    def __init__(self, event: Event) -> None:
        self.event = event

    def __call__(
        self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: Any
    ) -> torch.BoolTensor:
        state = torch.full((input_ids.shape[0],), self.event.is_set(), device=input_ids.device)
        return cast("torch.BoolTensor", state)


class Transformers(CustomLLM):
    """A causal language model of the transformers library, decoding greedily."""

    name: str
    context_tokens: int
    max_tokens: int
    timeout_s: float
    # Any: transformers' own annotations of generate, to and __call__ don't hold up to mypy.
    _model: Any
    _tokenizer: Any

    @classmethod
    def load(cls, settings: LLMSettings, weights: Path) -> Transformers:
        """Load a GGUF file or a model folder.

        :raises ModelError: When transformers can't load it.
        """
        where, options = _source(weights)
        try:
            tokenizer = AutoTokenizer.from_pretrained(where, **options)
            model: Any = AutoModelForCausalLM.from_pretrained(
                where,
                dtype=torch.bfloat16,
                trust_remote_code=False,
                use_safetensors=None if options else True,
                **options,
            )
        except (OSError, ValueError, RuntimeError, struct.error) as exc:
            raise ModelError(
                f"llm.model = {weights}: can't be loaded ({exc}); run: rawi models verify"
            ) from exc
        if torch.cuda.is_available():
            model = model.to("cuda")
        llm = cls(
            name=str(weights),
            context_tokens=settings.context_tokens,
            max_tokens=settings.max_tokens,
            timeout_s=settings.timeout_s,
        )
        llm._model, llm._tokenizer = model.eval(), tokenizer
        return llm

    @property
    def metadata(self) -> LLMMetadata:
        """Describe the model to llama-index."""
        return LLMMetadata(
            context_window=self.context_tokens,
            num_output=self.max_tokens,
            is_chat_model=True,
            model_name=self.name,
        )

    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Answer a prompt as the only message of a chat, which llama-index asks of every LLM."""
        return stream_chat_to_completion_decorator(self.stream_chat)(prompt, **kwargs)

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a prompt likewise, and return it whole."""
        *_, last = self.stream_complete(prompt, **kwargs)
        return last

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Yield the answer piece by piece; closing the generator stops the decoding thread.

        The queue between gives up after ``timeout_s``.
        """
        cancelled, failures = Event(), list[BaseException]()
        streamer: Any = TextIteratorStreamer(
            self._tokenizer, skip_prompt=True, skip_special_tokens=True, timeout=self.timeout_s
        )
        inputs = self._tokenizer.apply_chat_template(
            [{"role": m.role.value, "content": m.content or ""} for m in messages],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        ).to(self._model.device)
        arguments = {
            **inputs,
            "streamer": streamer,
            "max_new_tokens": self.max_tokens,
            "do_sample": False,
            "stopping_criteria": StoppingCriteriaList([_Cancelled(cancelled)]),
        }

        def generate() -> None:
            try:
                with torch.inference_mode():
                    self._model.generate(**arguments)
            except Exception as exc:  # noqa: BLE001 - whatever it is, the reader must hear of it
                failures.append(exc)
            finally:
                streamer.end()

        thread = Thread(target=generate, name=DECODING, daemon=True)
        thread.start()
        text = ""
        try:
            for delta in streamer:
                text += delta
                yield self._response(text, delta, inputs)
        except Empty as exc:
            raise DeadlineError(f"the LLM was silent for {self.timeout_s:g} seconds") from exc
        finally:
            cancelled.set()
        if failures:
            raise GenerationError(f"the LLM failed while it answered: {failures[0]}")

    def _response(self, text: str, delta: str, inputs: Any) -> ChatResponse:
        return ChatResponse(
            message=ChatMessage(role="assistant", content=text),
            delta=delta,
            additional_kwargs={
                "prompt_tokens": int(inputs["input_ids"].shape[1]),
                "completion_tokens": len(self._tokenizer(text)["input_ids"]),
            },
        )


def _source(weights: Path) -> tuple[str, dict[str, str]]:
    """Return what ``from_pretrained`` wants: a folder, and a GGUF file's own name."""
    if weights.is_file():
        return str(weights.parent), {"gguf_file": weights.name}
    return str(weights), {}
