"""Rawi as a llama-index ``BaseQueryEngine``: answers whose source nodes are the cited sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from rag.engine import Answer
from rag.grounding import Citation

if TYPE_CHECKING:
    from rag.library import Rawi


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
