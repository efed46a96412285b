"""What stands beside the messages, before them and below: conversations, examples, the choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from heapq import nlargest
from typing import Final

from rag.engine import Engine
from rag.errors import RawiError
from ui import text
from ui.conversations import MOST_DOCS, TITLE_CHARS, Conversation
from ui.documents import Listed, Listing
from ui.examples import Example
from ui.markup import macros
from ui.text import Phrase

_NEWEST: Final = 5  # documents whose titles stand on the first screen
_MOST_LISTED: Final = 1_000  # documents to choose from
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)  # of one whose file is gone
_MOST_SEARCHED: Final = 2_000  # of a conversation, what the list is searched by


def _searched(conversation: Conversation) -> str:
    roles = ("user", "assistant")
    said = [m.text for role in roles for m in conversation.messages if m.role == role]
    return "\n".join([conversation.title, *said])[:_MOST_SEARCHED]


def welcome_html(listing: Listing, examples: Sequence[Example], state: str) -> str:
    """Return what stands where no question has been asked yet.

    :param state: How far loading is, as HTML; empty when all is there.
    """
    newest = nlargest(_NEWEST, listing.documents, key=lambda listed: listed.when or _LONG_AGO)
    return _HTML.welcome(listing.documents, _holds(listing.documents), newest, examples, state)


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


def titles_of(engine: Engine | None) -> dict[str, str]:
    """Return the documents that can be asked; none where the index can't be read."""
    try:
        return engine.retriever.titles() if engine else {}
    except RawiError:
        return {}


def picker_html(titles: dict[str, str], docs: Sequence[str]) -> str:
    """Return the documents as boxes to tick, those that are ticked first."""
    if not titles:
        return ""
    listed = list(dict.fromkeys([*(doc for doc in docs if doc in titles), *titles]))
    return _HTML.picker(titles, listed, docs, MOST_DOCS, _MOST_LISTED)


_HTML = macros("chat", searched=_searched, most_chars=TITLE_CHARS)
conversations_html, keys_html, cleared_html = _HTML.conversations, _HTML.keys, _HTML.cleared
scope_html, tools_html = _HTML.scope, _HTML.tools
progress_html, download_html = _HTML.progress, _HTML.download
