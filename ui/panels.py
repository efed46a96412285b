"""What stands beside the messages, before them and below: conversations, examples, the choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import nlargest
from typing import Final

from rag.engine import Engine
from rag.errors import RawiError
from ui import text
from ui.conversations import MOST_DOCS, TITLE_CHARS, Conversation, Conversations
from ui.documents import Listed, Listing
from ui.examples import Example
from ui.markup import macros
from ui.text import Phrase

_NEWEST: Final = 5  # documents whose titles stand on the first screen
_MOST_LISTED: Final = 1_000  # documents to choose from
_MOST_SEARCHED: Final = 2_000  # of a conversation, what the list is searched by


def conversations_html(all_of_them: Conversations) -> str:
    """Return the list of conversations, and what can be done with the open one."""
    return _HTML.conversations(all_of_them.kept, all_of_them.current)


def _searched(conversation: Conversation) -> str:
    roles = ("user", "assistant")
    said = [m.text for role in roles for m in conversation.messages if m.role == role]
    return "\n".join([conversation.title, *said])[:_MOST_SEARCHED]


def welcome_html(listing: Listing, examples: Sequence[Example], state: str) -> str:
    """Return what stands where no question has been asked yet.

    :param state: How far loading is, as HTML; empty when all is there.
    """
    newest = nlargest(_NEWEST, listing.documents, key=_when)
    holds = _holds(listing.documents)
    return _HTML.welcome(listing.documents, holds, newest, examples, state)


def _holds(documents: Sequence[Listed]) -> Phrase:
    """Say how many documents there are in which languages."""
    counts = Counter(listed.language for listed in documents)
    told = [
        Phrase(*(f"{count} {said}" if len(counts) > 1 else said for said in each.both))
        for language, count in counts.most_common()
        for each in [text.IN_OTHER[language]]
    ]
    return Phrase(
        text.HOLDS.ar.format(count=len(documents), languages="، ".join(each.ar for each in told)),
        text.HOLDS.en.format(count=len(documents), languages=", ".join(each.en for each in told)),
    )


def _when(listed: Listed) -> float:
    return listed.when.timestamp() if listed.when else 0.0


def titles_of(engine: Engine | None) -> dict[str, str]:
    """Return the documents that can be asked; none where the index can't be read."""
    try:
        return engine.retriever.titles() if engine else {}
    except RawiError:
        return {}


def scope_html(engine: Engine | None, docs: Sequence[str], nth: int = 0) -> str:
    """Say which documents are asked, and offer to choose; nothing where there is no choice.

    :param docs: What was chosen; none of them asks all.
    :param nth: Which of the page's changes this answers, from 1; 0 where it answers none.
    """
    titles = titles_of(engine)
    if len(titles) < 2 and not (titles and docs):
        return ""
    there = [doc for doc in docs if doc in titles]
    gone = [doc for doc in docs if doc not in titles]
    return _HTML.scope(there, gone, len(titles), nth)


def picker_html(titles: dict[str, str], docs: Sequence[str]) -> str:
    """Return the documents as boxes to tick, those that are ticked first."""
    if not titles:
        return ""
    listed = list(dict.fromkeys([*(doc for doc in docs if doc in titles), *titles]))
    return _HTML.picker(titles, listed, docs, MOST_DOCS, _MOST_LISTED)


_HTML = macros("chat", searched=_searched, most_chars=TITLE_CHARS)
keys_html, cleared_html, tools_html = _HTML.keys, _HTML.cleared, _HTML.tools
progress_html, download_html = _HTML.progress, _HTML.download
