"""What the API takes and returns: OpenAI's chat format, with what Rawi knows more beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rag.engine import Answer
from rag.language import clean, detect
from rag.retrieval import Found

MODEL = "rawi"

MOST_DOCS = 1_000

Text = Annotated[str, Field(max_length=20_000)]
Doc = Annotated[str, Field(min_length=1, max_length=4_096)]
Docs = Annotated[
    list[Doc] | None,
    Field(
        max_length=MOST_DOCS,
        description="Names of the documents to ask, as citations have them in doc; without it, all"
        " are. A name that no document has is an error, and so is an empty list.",
    ),
]


class _Part(BaseModel):
    """A part of a message; text alone is read, images and files are not."""

    type: str
    text: str | dict[str, Any] | None = None


def _said(content: object) -> str:
    """Return what a message says as one text, however a client writes it."""
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    # As OpenAI's assistants write it: {"text": {"value": "…"}}.
    texts = [text.get("value") if isinstance(text, dict) else text for text in texts]
    return " ".join(text for text in texts if isinstance(text, str))


class ChatMessage(BaseModel):
    """One message; the last is the question, which has a bound of its own, ``question.max_chars``.

    Roles other than ``user`` and ``assistant`` are taken, so that clients which always send them
    work, and never read: what Rawi says and how is its operator's business. Without a role, a
    message is of whose turn it is.
    """

    role: str | None = None
    content: Annotated[
        str, BeforeValidator(_said, json_schema_input_type=list[_Part] | str | None)
    ] = ""


class StreamOptions(BaseModel):
    """Options of a stream; the usage comes with the last chunk in any case."""

    include_usage: bool | None = False


class ChatRequest(BaseModel):
    """A question with what was said before it.

    ``docs`` is Rawi's own. Other fields of OpenAI's (``temperature``, ``max_tokens``, ``tools``,
    ``seed``, …) are taken and have no effect: prompt, model and retrieval are not to be set from
    outside.
    """

    model_config = ConfigDict(extra="ignore")

    model: str = Field(description="Always rawi.", examples=[MODEL])
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    stream: bool | None = False
    n: Literal[1] | None = None
    stream_options: StreamOptions | None = None
    docs: Docs = None


class SearchRequest(BaseModel):
    """A question, and how many passages to find."""

    model_config = ConfigDict(extra="forbid")

    question: Text
    k: Annotated[int, Field(ge=1, le=50)] = 5
    docs: Docs = None


class TranslationRequest(BaseModel):
    """A sentence of a document, or a part of it, by its place."""

    model_config = ConfigDict(extra="forbid")

    doc: Doc
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=1)]


class Translation(BaseModel):
    """A machine's translation; empty where what the LLM said doesn't hold in the sentence."""

    text: str
    machine: Literal[True] = True


class Sentence(BaseModel):
    """A passage or sentence: ``text == document[start:end]``, counted in characters."""

    doc: str
    start: int
    end: int
    text: str
    score: float
    language: Literal["ar", "en"]


class Quoted(BaseModel):
    """A verbatim sentence; ``marker`` is the ``[n]`` that stands in the answer.

    ``marks`` are the places, in the document, of the words that carry the answer; ``page`` is the
    number of the page that it begins on, where the document has pages. ``title``, ``author`` and
    ``date`` are the document's; what isn't known is empty, and a date that can be told is ISO 8601.
    """

    marker: int
    doc: str
    start: int
    end: int
    quote: str
    language: Literal["ar", "en"]
    marks: list[tuple[int, int]]
    page: int | None = None
    title: str = ""
    author: str = ""
    date: str = ""


class SearchResponse(BaseModel):
    """The passages nearest to the question, best first."""

    question: str
    language: Literal["ar", "en"]
    results: list[Sentence]


class Checked(BaseModel):
    """What Rawi knows about a checked answer, beside OpenAI's fields.

    ``answer`` is the checked text. ``short_answer`` is what of it is in Rawi's own words, without
    markers; it is empty where the answer is a quote or a refusal. ``failure`` says why the LLM did
    not answer, and the answer is a quote.
    """

    answer: str
    short_answer: str
    language: Literal["ar", "en"]
    abstained: bool
    how: str
    failure: str
    confidence: float
    citations: list[Quoted]
    evidence: list[Sentence]
    timings: dict[str, float]


class ReplyMessage(BaseModel):
    """The answer, with ``[n]`` where a citation stands."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The only choice."""

    index: Literal[0] = 0
    message: ReplyMessage
    finish_reason: Literal["stop"] = "stop"


class UsageCounts(BaseModel):
    """Tokens of the LLM; 0 where the answer is a quote."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatResponse(Checked):
    """OpenAI's chat completion, and the fields of ``Checked`` beside its own."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: Literal["rawi"] = "rawi"
    choices: list[Choice]
    usage: UsageCounts


class Model(BaseModel):
    """The one model."""

    id: Literal["rawi"] = "rawi"
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: Literal["rawi"] = "rawi"


class Models(BaseModel):
    """All models, of which there is one."""

    object: Literal["list"] = "list"
    data: list[Model] = [Model()]


class Problem(BaseModel):
    """What went wrong, as OpenAI says it."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorResponse(BaseModel):
    """An error."""

    error: Problem


def sentence(found: Found) -> Sentence:
    """Return what was found as the API says it."""
    return Sentence.model_validate(vars(found))


def found(question: str, passages: Sequence[Found]) -> SearchResponse:
    """Return the passages found for a question as the API says them."""
    question = clean(question).strip()
    results = [sentence(passage) for passage in passages]
    return SearchResponse(question=question, language=detect(question), results=results)


def checked(answer: Answer) -> Checked:
    """Return a checked answer as the API says it."""
    said = {
        "citations": [{**vars(c), "language": detect(c.quote)} for c in answer.citations],
        "evidence": [sentence(found) for found in answer.evidence],
        "timings": {k: v for k, v in vars(answer.timings).items() if k.endswith("_s")},
    }
    return Checked.model_validate({**vars(answer), **said})


def usage(answer: Answer) -> UsageCounts:
    """Return what an answer cost."""
    read, wrote = answer.timings.prompt_tokens, answer.timings.completion_tokens
    return UsageCounts(prompt_tokens=read, completion_tokens=wrote, total_tokens=read + wrote)


def error(
    message: str, kind: str, code: str | None = None, param: str | None = None
) -> dict[str, Any]:
    """Return an error in OpenAI's form."""
    problem = Problem(message=message, type=kind, code=code, param=param)
    return ErrorResponse(error=problem).model_dump()
