"""A folder of documents, opened to be asked by a Python program: what ``rag.open`` returns.

And that as a llama-index ``BaseQueryEngine``, whose source nodes are the cited sentences.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from os import PathLike
from pathlib import Path
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from rag import config, engine
from rag import index as indexing
from rag.config import Settings
from rag.embedding import load_embedder
from rag.engine import Answer, Engine, Evidence, Token, Turn
from rag.errors import NoIndexError, RawiError, StaleIndexError
from rag.grounding import Citation
from rag.index import IndexReport
from rag.retrieval import Found, Retriever


def settings_for(
    folder: str | PathLike[str],
    storage: str | PathLike[str] | None,
    file: str | PathLike[str] | None,
    values: dict[str, Any],
) -> Settings:
    """Return the settings for a folder, whose index stands beside it unless they say otherwise.

    :param file: None reads no file, not even ``./config.yaml``.
    :raises ConfigError: See ``config.read``.
    """
    corpus = Path(folder).expanduser().resolve()
    return config.read(
        None if file is None else Path(file),
        defaults={"storage": corpus.parent / f"{corpus.name}.index"},
        corpus=corpus,
        storage=None if storage is None else Path(storage).expanduser(),
        **values,
    )


class Rawi:
    """A folder that can be asked, until it is closed; use as a context manager.

    Questions may come from several threads; they wait for each other where they must.

    :ivar settings: As they were read.
    """

    def __init__(self, settings: Settings, *, index: bool = True) -> None:
        """Load the models and open the index.

        :param index: Whether to index the folder if that hasn't been done with these settings.
        :raises RawiError: When weights are missing, or the index with ``index=False``; see
            ``rag.errors``.
        """
        self.settings = settings
        self._engine: Engine | None = None
        self._opened = ExitStack()
        # Side by side: the embedder's imports and the LLM's file take seconds each.
        with ThreadPoolExecutor(1) as pool:
            llm = pool.submit(engine.load_llm, settings)
            self._embedder = load_embedder(settings)
            self._llm = llm.result()
        try:
            self._open()
        except (NoIndexError, StaleIndexError):
            if not index:
                raise
            self.index()

    def ask(
        self, question: str, history: Sequence[Turn] = (), *, docs: Collection[str] | None = None
    ) -> Answer:
        """Return the answer, with its citations and evidence.

        :param history: Earlier messages, oldest first.
        :param docs: The documents to ask, by the names that citations have as ``doc``; None asks
            all.
        :raises QuestionError: When the question is empty, too long or in a third language, or one
            of the documents isn't there.
        """
        return self._asked(question, history, docs, threading.Event())

    async def aask(
        self, question: str, history: Sequence[Turn] = (), *, docs: Collection[str] | None = None
    ) -> Answer:
        """Do what ``ask`` does in another thread; cancelling it stops the LLM."""
        gone = threading.Event()
        try:
            return await asyncio.to_thread(self._asked, question, history, docs, gone)
        finally:
            gone.set()

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, docs: Collection[str] | None = None
    ) -> Generator[Evidence | Token | Answer, None, None]:
        """Yield the evidence at once, then the answer as it is written, then all about it.

        Closing the iterator stops the LLM.

        :raises QuestionError: As ``ask`` does.
        """
        return self._ready().asked_of(docs).answer(question, history)

    def search(
        self, question: str, k: int = 5, *, docs: Collection[str] | None = None
    ) -> list[Found]:
        """Return the ``k`` passages nearest to a question, best first, without the LLM.

        :raises QuestionError: As ``ask`` does.
        """
        asked = engine.check_question(question, self.settings.question)
        return self._ready().asked_of(docs).retriever.passages(asked, k)

    def index(self) -> IndexReport:
        """Make the index equal to the folder; only what changed is read again.

        Nothing may be asked meanwhile.

        :raises DocumentError: When the folder isn't there or holds nothing that can be read.
        :raises IndexStorageError: When the index can't be written.
        """
        report = indexing.update(self.settings, self._embedder)
        self.close()
        self._open()
        return report

    def as_retriever(self) -> Retriever:
        """Return a llama-index ``BaseRetriever``; it holds until ``index`` or ``close``."""
        return self._ready().retriever

    def as_query_engine(self) -> RawiQueryEngine:
        """Return a llama-index ``BaseQueryEngine``."""
        return RawiQueryEngine(self)

    def close(self) -> None:
        """Close the index; closing twice does nothing."""
        self._engine = None
        self._opened.close()

    def __enter__(self) -> Rawi:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _open(self) -> None:
        with ExitStack() as opened:
            found = opened.enter_context(engine.open_retriever(self.settings, self._embedder))
            self._engine = engine.make_engine(self.settings, found, self._llm)
            self._opened = opened.pop_all()

    def _ready(self) -> Engine:
        if self._engine is None:
            raise RawiError(f"{self.settings.corpus}: was closed; open it again")
        return self._engine

    def _asked(
        self,
        question: str,
        history: Sequence[Turn],
        docs: Collection[str] | None,
        gone: threading.Event,
    ) -> Answer:
        """Return the answer; leave at the next token once the asker has gone."""
        with closing(self.stream(question, history, docs=docs)) as events:
            for event in events:
                if isinstance(event, Answer):
                    return event
                if gone.is_set():
                    break
        raise RawiError("the question was left before its answer")


class RawiQueryEngine(BaseQueryEngine):
    """Answers queries; ``Response.source_nodes`` are the citations, in the order of their markers.

    ``Response.metadata`` holds ``abstained``, ``language``, ``short_answer`` and ``confidence``.
    The prompts are Rawi's own and can't be replaced here.
    """

    def __init__(self, rawi: Rawi) -> None:
        super().__init__(callback_manager=CallbackManager([]))
        self._rawi = rawi

    def _query(self, query_bundle: QueryBundle) -> Response:
        return _response(self._rawi.ask(query_bundle.query_str))

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return _response(await self._rawi.aask(query_bundle.query_str))

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


def _response(answer: Answer) -> Response:
    return Response(
        response=answer.text,
        source_nodes=[_node(citation, answer) for citation in answer.citations],
        metadata={
            "abstained": answer.abstained,
            "language": answer.language,
            "short_answer": answer.short_answer,
            "confidence": answer.confidence,
        },
    )


def _node(citation: Citation, answer: Answer) -> NodeWithScore:
    """Return a citation as a node; one that isn't among the evidence has no score."""
    scores = {(found.doc, found.start): found.score for found in answer.evidence}
    node = TextNode(
        id_=f"{citation.doc}:{citation.start}-{citation.end}",
        text=citation.quote,
        start_char_idx=citation.start,
        end_char_idx=citation.end,
        metadata={
            "doc": citation.doc,
            "start": citation.start,
            "end": citation.end,
            "marker": citation.marker,
        },
    )
    return NodeWithScore(node=node, score=scores.get((citation.doc, citation.start)))
