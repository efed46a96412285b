"""A conversation as a file: Markdown to read, JSON to work with; both with the citations."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from ui import text
from ui.conversations import Conversation, Message

Kind = Literal["md", "json"]

# What Markdown or HTML would make something of; a conversation holds anybody's text.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


@dataclass(frozen=True)
class File:
    """A file for the browser to save."""

    name: str
    kind: str
    content: str


def export(conversation: Conversation, kind: Kind) -> File:
    """Return a conversation as a file."""
    if kind == "json":
        content = json.dumps(conversation.model_dump(mode="json"), ensure_ascii=False, indent=2)
        return File(f"rawi-{conversation.id}.json", "application/json", content + "\n")
    return File(f"rawi-{conversation.id}.md", "text/markdown", markdown(conversation))


def markdown(conversation: Conversation) -> str:
    """Return a conversation as Markdown, every citation with its file and place."""
    return "\n\n".join(map(_message, conversation.messages)) + "\n"


def _message(message: Message) -> str:
    who = (text.YOU if message.role == "user" else text.TITLE)[message.language]
    body = _escaped(message.text) or text.UNANSWERED[message.language]
    quotes = [
        f"> \\[{q.marker}\\] {_escaped(q.text)}\n>\n"
        f"> — {_escaped(q.title or q.doc)} ({_escaped(q.doc)}:{q.start}–{q.end})"
        for q in message.citations
    ]
    asked = ", ".join(map(_escaped, message.docs))
    among = text.in_documents(len(message.docs), message.of)[message.language]
    return "\n\n".join([f"**{who}**", body, *([f"{among}: {asked}"] if asked else []), *quotes])


def _escaped(content: str) -> str:
    return _SPECIAL.sub(r"\\\1", content).replace("://", ":&#47;/").replace("\n", "  \n")
