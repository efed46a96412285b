"""Which of the documents a conversation asks: the choice beside the question, and its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from rag.engine import Engine
from ui.components import Chat, carried, given_number
from ui.conversations import MOST_DOCS, Conversations
from ui.loading import Loader
from ui.panels import picker_html, scope_html, titles_of

Update = dict[Any, Any]


@dataclass(frozen=True)
class Among:
    """The documents that a question is asked of, where not all are.

    :ivar docs: Without those that are no longer there; none of them asks all.
    :ivar of: How many there are.
    """

    docs: tuple[str, ...]
    of: int

    @classmethod
    def chosen(cls, engine: Engine, docs: Sequence[str]) -> Among:
        """Return what is left of a choice.

        :raises IndexStorageError: When the index can't be read.
        """
        titles = engine.retriever.titles()
        return cls(tuple(doc for doc in docs if doc in titles), len(titles))


class ScopeEvents:
    """Shows the documents to choose from, and keeps the choice with the conversation."""

    def __init__(self, loader: Loader, chat: Chat) -> None:
        """Choose from what the loader has."""
        self._loader = loader
        self._chat = chat

    def choose(self, kept: Any, editing: str) -> str:
        """Show the documents."""
        return picker_html(titles_of(self._loader.engine), Conversations.read(kept).current.docs)

    def chosen(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Keep which documents are ticked."""
        docs = carried(event).get("docs")
        rows = docs if isinstance(docs, list) else []
        ticked = dict.fromkeys(str(one.get("doc")) for one in rows if isinstance(one, dict))
        titles = titles_of(self._loader.engine)
        known = [doc for doc in ticked if doc in titles]
        nth = given_number(event, "nth") or 0
        return self._kept(Conversations.read(kept).asking(known[:MOST_DOCS]), nth)

    def all(self, kept: Any, editing: str) -> Update:
        """Ask all documents again."""
        return {**self._kept(Conversations.read(kept).asking(())), self._chat.picker: ""}

    def refresh(self, kept: Any, editing: str) -> str:
        """Say which documents are asked, after they may have changed."""
        return scope_html(self._loader.engine, Conversations.read(kept).current.docs)

    def close(self) -> str:
        """Close the list of documents."""
        return ""

    def _kept(self, kept: Conversations, nth: int = 0) -> Update:
        said = scope_html(self._loader.engine, kept.current.docs, nth)
        return {self._chat.kept: kept.dump(), self._chat.scope: said}
