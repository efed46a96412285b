"""The plain llama-index starter on the same weights: "what you would have had".

What its documentation's first example does, and nothing more::

    documents = SimpleDirectoryReader(folder).load_data()
    index = VectorStoreIndex.from_documents(documents, …Chroma…)
    index.as_query_engine(streaming=True).query(question)

``RULES`` says what stands at its default and what doesn't, and goes into its summary with the
versions of the libraries. Where the rules leave a choice, it is made in the starter's favour.
llama-index's global ``Settings`` is never set: everything is passed.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chromadb
import chromadb.config
from llama_index.core import SimpleDirectoryReader, StorageContext, VectorStoreIndex
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.llms import (
    LLM,
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    CustomLLM,
    LLMMetadata,
)
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.vector_stores.chroma import ChromaVectorStore
from pydantic import PrivateAttr

from eval.identity import fingerprint, of_system
from eval.run_qa import System
from rag import documents, llm
from rag.config import Settings
from rag.embedding import Embedder, load_embedder
from rag.engine import Answer, Timings, Turn, check_question, load_llm
from rag.errors import DocumentError, EvalError
from rag.language import clean, detect, fold
from rag.retrieval import Found

# Tokens of the splitter's own tokenizer (GPT-3.5's, which takes one for about every Arabic letter);
# its default is 1,024, of which a news article makes a handful.
CHUNK_TOKENS = 256
TOP_K = 2

RULES = (
    "SimpleDirectoryReader with its defaults, but recursive; the file's path goes into what is"
    " embedded and prompted, as it does by default",
    f"SentenceSplitter with its defaults (overlap 200), but chunk_size={CHUNK_TOKENS}, not 1024",
    "the same embedder without Rawi's adapter, with its own prompts: 'query: ' before questions,"
    " 'passage: ' before chunks",
    "VectorStoreIndex over an in-memory Chroma collection with its defaults (squared L2)",
    f"as_query_engine with its defaults: top {TOP_K}, response mode compact, the default English"
    " question-answering prompt for chat models; streaming",
    "the same LLM, served the same way, decoding greedily, with the same limit of tokens",
    "no memory: a follow-up is asked as it stands",
    "evidence: its source chunks, found again in the cleaned documents; it cites nothing",
    "a refusal: an answer whose first sentence says in one of some thirty wordings that the"
    " documents don't say",
    "time to evidence: when retrieval is done, though its user sees the sources with the answer",
)

# Folded. Generous: "is not specified in the context" counts, and so does "I don't know".
_REFUSAL = re.compile(
    r"empty response|no information|not enough information|insufficient information"
    r"|(does not|doesn't|do not|don't|did not|didn't|cannot|can't|can not|could not|unable to)"
    r" (\w+ )?(mention|provide|contain|specify|say|state|include|know|find|determine|answer|have)"
    r"|not (\w+ )?(mentioned|provided|specified|stated|available|given|included|disclosed|known)"
    r"|لا (يذكر|تذكر|يوجد|توجد|يوفر|توفر|يحتوي|تحتوي|يمكن|يمكنني|اعرف|اعلم|يحدد|تتوفر|يتضمن)"
    r"|لم (يذكر|تذكر|يتم|يرد|ترد|يحدد|تحدد|اجد)"
    r"|غير (مذكور|محدد|متوفر|معروف|متاح|موجود)"
    r"|ليس(ت)? (هناك|لدي|مذكور)"
)


class Metered(CustomLLM):
    """Passes everything on to an LLM, and counts its tokens.

    :ivar inner: An ``LLM`` that chats.
    :ivar timeout_s: Seconds for one answer.
    """

    inner: Any
    timeout_s: float
    _usage: llm.Usage = PrivateAttr(default=llm.Usage())

    @property
    def metadata(self) -> LLMMetadata:
        """Describe the inner LLM."""
        described: LLMMetadata = self.inner.metadata
        return described

    def take_usage(self) -> llm.Usage:
        """Return the tokens since this was last called."""
        usage, self._usage = self._usage, llm.Usage()
        return usage

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Stream, with errors and time limit as Rawi's own answers have them."""
        text = ""
        for piece in self._counted(messages):
            text += piece
            message = ChatMessage(role="assistant", content=text)
            yield ChatResponse(message=message, delta=piece)

    def _counted(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        reply = yield from llm.stream(self.inner, messages, self.timeout_s)
        self._usage += reply.usage

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Raise ``NotImplementedError``."""
        raise NotImplementedError

    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Raise ``NotImplementedError``."""
        raise NotImplementedError


@dataclass(frozen=True)
class Starter:
    """Answers questions as the starter does.

    :ivar texts: Document to its cleaned text.
    """

    settings: Settings
    query_engine: BaseQueryEngine
    metered: Metered
    texts: Mapping[str, str]

    def answer(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Answer]:
        """Yield the answer; ``history`` is not looked at.

        :raises QuestionError: When Rawi wouldn't take the question either.
        :raises GenerationError: When the LLM fails.
        """
        began = time.perf_counter()
        question = check_question(question, self.settings.question)
        query = QueryBundle(question)
        nodes = self.query_engine.retrieve(query)
        retrieved = time.perf_counter()
        evidence = tuple(found for node in nodes if (found := self._found(node)))
        text, first_token = "", 0.0
        response: Any = self.query_engine.synthesize(query, nodes)
        for piece in filter(None, response.response_gen):
            first_token = first_token or time.perf_counter()
            text += piece
        ended = time.perf_counter()
        usage = self.metered.take_usage()
        timings = Timings(
            retrieve_s=retrieved - began,
            first_token_s=(first_token or ended) - began,
            total_s=ended - began,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
        )
        text = text.strip()
        refused = is_refusal(text)
        yield Answer(question, detect(question), text, refused, (), evidence, timings)

    def _found(self, node: NodeWithScore) -> Found | None:
        """Find a chunk in its cleaned document, whatever white space stands between its words."""
        doc = os.path.relpath(node.node.metadata["file_path"], self.settings.corpus)
        words = clean(node.node.get_content()).split()
        place = re.search(r"\s+".join(map(re.escape, words)), self.texts.get(doc, ""))
        if place is None or not words:
            return None  # cleaning changed it beyond finding, or left nothing of it
        start, end = place.span()
        return Found(doc, start, end, place[0], node.score or 0.0, detect(place[0]))


@contextmanager
def open_starter(settings: Settings) -> Iterator[System]:
    """Load the weights that Rawi's are made from, as they come, and index the corpus.

    :raises RawiError: When weights are missing, or the corpus holds nothing that can be read.
    """
    plain = settings.llm.model_copy(update={"adapter": "none"})
    model = load_llm(settings.model_copy(update={"llm": plain}))
    embedder = load_embedder(settings, adapter="none", dtype="float32")
    with starter(settings, embedder, model) as system:
        yield system


@contextmanager
def starter(settings: Settings, embedder: Embedder, model: LLM | None) -> Iterator[System]:
    """Build the starter over ``settings.corpus``; its index is gone afterwards.

    :raises EvalError: When there is no LLM, or the corpus holds nothing that can be read.
    """
    if model is None:
        raise EvalError("the starter writes with an LLM: set llm.backend, which is none")
    texts = _cleaned(settings)
    if not texts:
        raise EvalError(f"{settings.corpus}: holds no document that can be read; set --corpus")
    metered = Metered(inner=model, timeout_s=settings.llm.timeout_s)
    client = chromadb.EphemeralClient(chromadb.config.Settings(anonymized_telemetry=False))
    code = fingerprint(Path(__file__).read_text(encoding="utf-8"))
    name = "starter"
    try:
        store = ChromaVectorStore(client.create_collection(name, embedding_function=None))
        index = VectorStoreIndex.from_documents(
            SimpleDirectoryReader(str(settings.corpus), recursive=True).load_data(),
            storage_context=StorageContext.from_defaults(vector_store=store),
            embed_model=embedder,
            transformations=[SentenceSplitter(chunk_size=CHUNK_TOKENS)],
        )
        query_engine = index.as_query_engine(llm=metered, similarity_top_k=TOP_K, streaming=True)
        yield System(
            name="llama-index starter",
            pipeline=Starter(settings, query_engine, metered, texts),
            texts=texts,
            identity=of_system(settings, embedder.fingerprint, model, code),
            rules=RULES,
        )
    finally:
        client.delete_collection(name)


def is_refusal(answer: str) -> bool:
    """Tell whether the first sentence of an answer says that there is none."""
    first = re.split(r"(?<=[.!?؟])\s|\n", answer.strip(), maxsplit=1)[0]
    return not first or bool(_REFUSAL.search(fold(first)))


def _cleaned(settings: Settings) -> dict[str, str]:
    texts = {}
    for doc in documents.list_files(settings.corpus):
        try:
            content = documents.read_bytes(settings.corpus, doc, settings.documents)
            texts[doc] = documents.parse(doc, content).text
        except DocumentError:
            continue  # Rawi can't read it either: no gold stands in it
    return texts
