"""Messages as HTML; all text in it is escaped.

A message's direction and language are those of the whole message. Citation markers become buttons
that carry the place of their sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from rag.language import Language
from ui import text
from ui.answer_steps import Shown
from ui.bidi import isolated_html
from ui.conversations import Conversation, Message, Quote
from ui.markup import both, button, hidden, icon, in_language, to_documents
from ui.quotes import citation_html, sources_html
from ui.reasons import reason_html
from ui.scope import asked_html

# Begun anywhere within a long blank, it would try the rest of the blank each time.
_MARKER = re.compile(r"(?<!\s)\s*\[(\d{1,3})\]")
# Citations in a message; a marker is a few characters, the button it becomes is hundreds.
_MOST_MARKERS = 50
_FENCED = re.compile(r"```[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")


def conversation_html(
    conversation: Conversation,
    *,
    editing: str,
    feedback: bool,
    waiting: bool,
    retry: bool = True,
    translates: bool = False,
) -> str:
    """Return the settled messages; the last question offers to be asked again if unanswered.

    :param editing: The id of the question that is being edited, if one is.
    :param waiting: Whether an answer to the last question is on its way.
    :param retry: Whether asking again could succeed.
    :param translates: See ``quotes.sources_html``.
    """
    messages = conversation.messages
    parts = [
        message_html(
            m, feedback=feedback, edited=m.id == editing, retry=retry, translates=translates
        )
        for m in messages
    ]
    if messages and messages[-1].role == "user" and not waiting:
        parts.append(_note(both(text.UNANSWERED) + (_retry(messages[-1]) if retry else "")))
    return "".join(parts)


def message_html(
    message: Message,
    *,
    feedback: bool,
    edited: bool = False,
    retry: bool = True,
    translates: bool = False,
) -> str:
    """Return one settled message with what can be done with it."""
    if message.role == "user":
        edit = button(text.EDIT, "edit", glyph="edit", id=message.id)
        if edited:
            edit = _note(both(text.EDITING)) + button(text.CANCEL, "edit", id="")
        return _bubble(message, message_body(message), edit)
    below = _notes(message, translates) + _tools(message, feedback, retry)
    return _bubble(message, message_body(message), below)


def live_html(answer: Shown) -> str:
    """Return an answer on its way, with what it is waiting for."""
    state = {
        "loading": text.WAITING_TO_LOAD,
        "searching": text.SEARCHING,
        "waiting": text.WAITING.format(position=answer.ahead),
        "warming": text.WARMING,
        "writing": text.WRITING,
        "done": text.WRITING,
    }[answer.stage]
    pulse = f'<p class="rw-state"><span class="rw-pulse"></span>{both(state)}</p>'
    return _bubble(answer.message, message_body(answer.message), pulse, extra=" rw-busy")


def message_body(message: Message) -> str:
    """Return a message's text: escaped, its code set apart, its markers as citations."""
    cited = {quote.marker: quote for quote in message.citations}
    places = iter(range(_MOST_MARKERS))
    said = message.text.strip()
    short = message.short if said.startswith(message.short) else ""
    parts = _FENCED.split(said.removeprefix(short))
    pieces = [
        f'<pre dir="ltr"><code>{escape(part)}</code></pre>'
        if at % 2
        else _inline(part, message.language, cited, places)
        for at, part in enumerate(parts)
    ]
    if short:
        large = isolated_html(short, message.language)
        pieces.insert(0, f'<strong class="rw-short">{large}</strong>')
    return "".join(pieces)


def _bubble(message: Message, body: str, below: str, extra: str = "") -> str:
    who = hidden(text.YOU if message.role == "user" else text.TITLE)
    mark = f' data-how="{message.how}"' if message.how else ""
    # What is below is the page's own, in its language and direction.
    return (
        f'<div class="rw-turn rw-turn-{message.role}">'
        f'<article class="rw-message rw-{message.role}{extra}" data-id="{escape(message.id)}"{mark}'
        f" {in_language(message.language)}>{who}"
        f'<div class="rw-text">{body}</div></article><div class="rw-below">{below}</div></div>'
    )


def _inline(part: str, language: Language, cited: dict[int, Quote], places: Iterator[int]) -> str:
    """Return escaped text with ``code`` from left to right and citations for markers."""
    pieces = _CODE.split(part)
    return "".join(
        f'<code dir="ltr">{escape(piece)}</code>'
        if at % 2
        else _marked(piece, language, cited, places)
        for at, piece in enumerate(pieces)
    )


def _marked(piece: str, language: Language, cited: dict[int, Quote], places: Iterator[int]) -> str:
    html, at = "", 0
    for found in _MARKER.finditer(piece):
        quote = cited.get(int(found[1]))
        if quote is None or next(places, None) is None:
            continue
        html += isolated_html(piece[at : found.start()], language) + citation_html(quote)
        at = found.end()
    return html + isolated_html(piece[at:], language)


def _notes(message: Message, translates: bool) -> str:
    """Say what is not as a reader expects, and where it comes from; a refusal says so itself."""
    notes = []
    if message.problem == "stopped":
        notes.append(both(text.STOPPED))
    elif message.problem == "model":
        notes.append(both(text.MODEL_FAILED) + reason_html(message.detail))
    elif message.problem == "empty":
        notes.append(both(text.NO_INDEX) + to_documents())
    elif message.problem == "failed":
        notes.append(both(text.FAILED) + reason_html(message.detail))
    below = asked_html(message) + sources_html(message, translates=translates) + _near(message)
    return "".join(map(_note, notes)) + below


def _near(message: Message) -> str:
    """Offer what may be asked instead, or next."""
    if not message.near:
        return ""
    said = text.NEAR if message.how == "refused" else text.NEXT
    items = "".join(
        f'<li><button type="button" class="rw-example" data-act="near" data-at="{at}"'
        f' data-id="{escape(message.id)}" {in_language(message.language)}>'
        f"{isolated_html(question, message.language)}</button></li>"
        for at, question in enumerate(message.near)
    )
    return f'<div class="rw-near"><p>{both(said)}</p><ul>{items}</ul></div>'


def _tools(message: Message, feedback: bool, retry: bool) -> str:
    copied = message.text + "".join(
        f"\n\n[{q.marker}] {q.text} — {q.doc}" for q in message.citations
    )
    tools = button(text.COPY, "copy", glyph="copy", text=copied) if copied else ""
    tools += button(text.COPY_LINK, "link", glyph="link")
    tools += _retry(message) if retry else ""
    if feedback and not message.problem:
        tools += _thumb(message, "up") + _thumb(message, "down")
    return f'<div class="rw-tools">{tools}</div>{_reasons(message) if feedback else ""}'


def _thumb(message: Message, rating: str) -> str:
    phrase = text.GOOD if rating == "up" else text.BAD
    pressed = "true" if message.rating == rating else "false"
    made = button(phrase, "rate", glyph=rating, id=message.id, rating=rating)
    return made.replace("<button ", f'<button aria-pressed="{pressed}" ', 1)


def _reasons(message: Message) -> str:
    if message.rating == "up" or message.reason:
        return f'<p class="rw-quiet">{both(text.THANKS)}</p>'
    if message.rating != "down":
        return ""
    options = "".join(
        button(phrase, "reason", id=message.id, reason=key) for key, phrase in text.REASONS.items()
    )
    return f'<div class="rw-reasons"><span>{both(text.REASON)}</span>{options}</div>'


def _retry(message: Message) -> str:
    return button(text.RETRY, "retry", glyph="retry", id=message.id)


def _note(html: str) -> str:
    return f'<p class="rw-note">{icon("note")}<span>{html}</span></p>'
