"""Which of the documents a conversation asks: the choice beside the question, and its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from rag.engine import Engine
from rag.errors import RawiError
from rag.language import detect
from ui import text
from ui.components import Chat, carried, given_number
from ui.conversations import MOST_DOCS, Conversations, Message
from ui.loading import Loader
from ui.markup import both, button, hidden, in_language, shown

Update = dict[Any, Any]

_MOST_LISTED = 1_000
_SEARCHED_FROM = 8  # documents
_NAMED = 3  # beside an answer


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
        return picker_html(_titles(self._loader.engine), Conversations.read(kept).current.docs)

    def chosen(self, kept: Any, editing: str, event: gr.EventData) -> Update:
        """Keep which documents are ticked."""
        docs = carried(event).get("docs")
        rows = docs if isinstance(docs, list) else []
        ticked = dict.fromkeys(str(one.get("doc")) for one in rows if isinstance(one, dict))
        titles = _titles(self._loader.engine)
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


def scope_html(engine: Engine | None, docs: Sequence[str], nth: int = 0) -> str:
    """Say which documents are asked, and offer to choose; nothing where there is no choice.

    :param docs: What was chosen; none of them asks all.
    :param nth: Which of the page's changes this answers, from 1; 0 where it answers none.
    """
    titles = _titles(engine)
    if len(titles) < 2 and not (titles and docs):
        return ""
    there = [doc for doc in docs if doc in titles]
    gone = [doc for doc in docs if doc not in titles]
    asked = text.in_documents(len(there), len(titles)) if there else text.ALL_DOCUMENTS
    chip = (
        '<button type="button" class="rw-button rw-chip" data-act="choose" aria-expanded="false">'
        f"{hidden(text.SCOPE)} {both(asked)}</button>"
    )
    clear = button(text.ALL_DOCUMENTS, "all", glyph="close") if docs else ""
    note = f"{both(text.DOCUMENTS_GONE)} {_names(gone)}" if gone else ""
    said = f'{chip}{clear}<span class="rw-quiet">{note}</span>'
    return f'<div class="rw-scope" data-nth="{nth}">{said}</div>'


def picker_html(titles: dict[str, str], docs: Sequence[str]) -> str:
    """Return the documents as boxes to tick, those that are ticked first."""
    if not titles:
        return ""
    listed = list(dict.fromkeys([*(doc for doc in docs if doc in titles), *titles]))
    rows = "".join(_row(doc, titles[doc], doc in docs) for doc in listed[:_MOST_LISTED])
    find = (
        f'<label class="rw-finding">{both(text.FIND_DOCUMENT)} <input type="search"></label>'
        if len(listed) >= _SEARCHED_FROM
        else ""
    )
    bounds = [
        both(text.MOST_CHOSEN.format(most=MOST_DOCS)) if len(listed) > MOST_DOCS else "",
        both(text.FIRST_LISTED.format(most=_MOST_LISTED)) if len(listed) > _MOST_LISTED else "",
    ]
    return (
        f'<fieldset class="rw-picker" data-most="{MOST_DOCS}"><legend>{both(text.SCOPE)}</legend>'
        f'{find}<ul>{rows}</ul><p class="rw-quiet" role="status">'
        f"<span hidden>{both(text.NONE_NAMED_SO)}</span></p>"
        f'<p class="rw-quiet">{" ".join(bounds)}</p>{button(text.DONE, "close")}</fieldset>'
    )


def asked_html(message: Message) -> str:
    """Say which documents an answer was asked of, where not all were."""
    if not message.docs:
        return ""
    said = both(text.in_documents(len(message.docs), message.of))
    return f'<p class="rw-quiet rw-asked">{said}: {_names(message.docs)}</p>'


def _row(doc: str, title: str, ticked: bool) -> str:
    name = f'<span class="rw-from">{shown(doc)}</span>' if title != doc else ""
    return (
        f'<li><label><input type="checkbox" data-act="chosen" data-doc="{escape(doc)}"'
        f"{' checked' if ticked else ''}><span {in_language(detect(title))}>{shown(title)}{name}"
        "</span></label></li>"
    )


def _names(docs: Sequence[str]) -> str:
    more = f" +{len(docs) - _NAMED}" if len(docs) > _NAMED else ""
    return " · ".join(shown(doc) for doc in docs[:_NAMED]) + more


def _titles(engine: Engine | None) -> dict[str, str]:
    """Return the documents that can be asked; none where the index can't be read."""
    try:
        return engine.retriever.titles() if engine else {}
    except RawiError:
        return {}
