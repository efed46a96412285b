"""What stands beside the messages: evidence and conversations; and before them: examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import nlargest
from html import escape
from typing import Final

from rag.language import Language, detect
from ui import text
from ui.bidi import isolated_html
from ui.conversations import TITLE_CHARS, Conversation, Conversations, Message
from ui.documents import Listed, Listing
from ui.examples import Example
from ui.markup import both, button, hidden, in_language, shown, to_documents
from ui.quotes import evidence_row
from ui.text import Phrase

_NEWEST: Final = 5  # documents whose titles stand on the first screen


def evidence_html(message: Message | None) -> str:
    """Return the sentences that bear on a question; each opens its article."""
    if message is None:
        return _panel(f'<p class="rw-quiet">{both(text.EVIDENCE_EMPTY)}</p>')
    if not message.evidence:
        return _panel(f'<p class="rw-quiet">{both(text.NO_EVIDENCE)}</p>')
    cited = {(quote.doc, quote.start) for quote in message.citations}
    rows = "".join(
        f"<li{' class=rw-cited' if (quote.doc, quote.start) in cited else ''}>"
        f"{evidence_row(quote)}</li>"
        for quote in message.evidence
    )
    return _panel(f'<ol class="rw-evidence">{rows}</ol>')


def conversations_html(all_of_them: Conversations) -> str:
    """Return the list of conversations, and what can be done with the open one."""
    open_ = all_of_them.current.id
    rows = "".join(_row(c, is_open=c.id == open_) for c in all_of_them.kept)
    tools = (
        button(text.EXPORT_MARKDOWN, "export", kind="md")
        + button(text.EXPORT_JSON, "export", kind="json")
        if all_of_them.current.messages
        else ""
    )
    return (
        f'<nav class="rw-conversations"><h2>{both(text.CONVERSATIONS)}</h2>'
        f"{button(text.NEW, 'new')}{_FIND if len(all_of_them.kept) > 1 else ''}<ul>{rows}</ul>"
        f'<div class="rw-exports">{tools}</div><p class="rw-quiet">{both(text.KEPT_HERE)}</p></nav>'
    )


_FIND = (
    f'<label class="rw-find">{hidden(text.FIND)}<input type="search" dir="auto"'
    f' data-tip-ar="{text.FIND.ar}" data-tip-en="{text.FIND.en}"></label>'
    f'<p class="rw-quiet" role="status" hidden>{both(text.FOUND)} <bdi></bdi></p>'
)
# Of a conversation, what the list is searched by.
_MOST_SEARCHED = 2_000


def _row(conversation: Conversation, *, is_open: bool) -> str:
    """Return a conversation in the list, with a field for its name, hidden until it is wanted."""
    title, id_ = conversation.title, escape(conversation.id)
    asked = [m.text for m in conversation.messages if m.role == "user"]
    answered = [m.text for m in conversation.messages if m.role == "assistant"]
    searched = escape("\n".join([title, *asked, *answered])[:_MOST_SEARCHED])
    # A name may be in either direction, whatever stands around it.
    rename, delete = (p.format(name=f"\u2068{title}\u2069") for p in (text.RENAME, text.DELETE_ONE))
    return (
        f'<li data-searched="{searched}"><button type="button" class="rw-conversation"'
        f' data-act="pick" data-id="{id_}"{" aria-current=true" if is_open else ""}'
        f"{_said(title, detect(title))}</button>"
        f'<span class="rw-row-tools">{button(rename, "name", glyph="edit")}'
        f"{button(delete, 'delete', glyph='clear', id=conversation.id)}</span>"
        f'<span class="rw-rename" hidden><label>{hidden(text.NAME)}<input dir="auto"'
        f' maxlength="{TITLE_CHARS}" value="{escape(title)}"></label>'
        f"{button(text.SAVE_NAME, 'rename', id=conversation.id, name=title)}</span></li>"
    )


def keys_html() -> str:
    """Return what the keys do; the one that is a mere letter can be switched off (WCAG 2.1.4)."""
    keys = "".join(
        f'<dt><kbd dir="ltr">{key}</kbd></dt><dd>{both(does)}</dd>'
        for key, does in text.KEYS.items()
    )
    return (
        f'<details class="rw-keys rw-quiet"><summary>{both(text.SHORTCUTS)}</summary>'
        f"<dl>{keys}</dl>"
        f'<label><input type="checkbox" checked> {both(text.SLASH)}</label></details>'
    )


def cleared_html() -> str:
    """Say that a conversation is cleared, and offer to bring it back while that can be done."""
    return (
        f'<p class="rw-cleared rw-state" role="status"><span>{both(text.CLEARED)}</span>'
        f"{button(text.RESTORE, 'restore')}"
        '<button type="button" data-act="forget" hidden></button></p>'
    )


def welcome_html(listing: Listing, examples: Sequence[Example], state: str) -> str:
    """Return what stands where no question has been asked yet.

    :param state: How far loading is, as HTML; empty when all is there.
    """
    questions = [example for example in examples if not example.is_request]
    items = "".join(f"<li>{_example(example, 'rw-example')}</li>" for example in questions)
    asked = f"<h2>{both(text.EXAMPLES)}</h2><ul>{items}</ul>" if items else ""
    tagline = f'<p class="rw-tagline">{both(text.TAGLINE)}</p>'
    # A request is Rawi's own string: it is seen in the page's language alone.
    offers = to_documents(text.ALL_DOCUMENTS) if listing.documents else ""
    offers += "".join(
        _example(example, f"rw-button rw-{example.language}")
        for example in examples
        if example.is_request
    )
    holds = _holds(listing) + (f'<div class="rw-offers">{offers}</div>' if offers else "")
    return f'<div class="rw-welcome">{tagline}{state}{holds}{asked}</div>'


def _example(example: Example, kind: str) -> str:
    return (
        f'<button type="button" class="{kind}" data-act="example"'
        f' data-question="{escape(example.question)}"'
        f"{_said(example.question, example.language)}</button>"
    )


def _holds(listing: Listing) -> str:
    """Say how many documents there are in which languages, and name the newest."""
    if not listing.documents:
        return ""
    counts = Counter(listed.language for listed in listing.documents)
    told = [
        Phrase(*(f"{count} {said}" for said in text.IN_OTHER[language].both))
        for language, count in counts.most_common()
    ]
    if len(told) == 1:
        told = [text.IN_OTHER[language] for language in counts]
    count = len(listing.documents)
    holds = Phrase(
        text.HOLDS.ar.format(count=count, languages="، ".join(each.ar for each in told)),
        text.HOLDS.en.format(count=count, languages=", ".join(each.en for each in told)),
    )
    newest = nlargest(_NEWEST, listing.documents, key=_when)
    some = f'<p class="rw-quiet">{both(text.NEWEST)}</p>' if count > len(newest) else ""
    titles = "".join(
        f'<li><button type="button" class="rw-link" data-act="open"'
        f' data-doc="{escape(listed.doc)}" lang="{detect(listed.title)}">'
        f"{shown(listed.title)}</button></li>"
        for listed in newest
    )
    return f'<h2>{both(holds)}</h2>{some}<ul class="rw-titles">{titles}</ul>'


def _when(listed: Listed) -> float:
    return listed.when.timestamp() if listed.when else 0.0


def _said(said: str, language: Language) -> str:
    """Return the end of an opening tag and the text of an element in one language."""
    return f" {in_language(language)}>{isolated_html(said, language)}"


def _panel(html: str) -> str:
    fold = button(text.FOLD, "fold", glyph="fold")
    return f'<div class="rw-panel-head"><h2>{both(text.EVIDENCE)}</h2>{fold}</div>{html}'
