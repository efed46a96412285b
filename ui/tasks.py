"""What chat front ends ask for themselves: a title for a conversation, or what may be asked next.

Such a message holds a whole conversation, each turn after the name of who speaks, and mostly the
JSON that the reply is to be. It asks nothing of the documents, and no LLM is needed: a title is
what the reader asked first; a list has nothing in it, and so has whatever else is wanted.
"""

from __future__ import annotations

import json
import re
from typing import Final

from rag.language import clean

# How front ends write a turn: "USER: …", "**Human**: …", {"role": "user", "content": "…"}.
_SAID: Final = re.compile(
    r"^[^\w\n]{0,20}(?:role\W{1,8})?(?:(?P<user>user|human|المستخدم)|assistant|ai|bot|المساعد)\b"
    r"\W{0,8}?(?::|,\s{0,8}\"content\"\s{0,8}:)[\s\"*]{0,20}(?P<text>\w.*)",
    re.IGNORECASE | re.MULTILINE,
)
# Of one who is called otherwise, with the same signs before it.
_NAMED: Final = re.compile(r"^(?P<signs>[^\w\n]{0,20})\w{1,20}\W{0,8}?:", re.MULTILINE)
# {"title": "…"} or {"tags": ["…", …]}, as an example of the reply.
_FORM: Final = re.compile(r'\{\s*"(?P<key>\w+)"\s*:\s*(?P<value>["\[])')
# What a conversation is about, by the key that it is wanted under.
_TITLE: Final = re.compile(r"title|topic|subject|عنوان|موضوع", re.IGNORECASE)
_MOST_WORDS: Final = 8


def reply(message: str) -> str | None:
    """Return what such a message asks for; None where it is a question."""
    turns = list(_SAID.finditer(message))
    asked = next((turn for turn in turns if turn["user"]), None)
    form = next((f for f in _FORM.finditer(message) if f["key"] != "role"), None)
    if asked is None or (form is None and len(turns) < 2 and not _is_answered(message, asked)):
        return None
    if not message[: turns[0].start()].strip():
        return None  # a conversation without what to do with it
    words = clean(asked["text"]).rstrip('"},] ').split()
    title = " ".join(words[:_MOST_WORDS]).rstrip("?؟.!،, ")
    if form is None:
        return title
    text = title if _TITLE.search(form["key"]) else ""
    value = text if form["value"] == '"' else []
    return json.dumps({form["key"]: value}, ensure_ascii=False)


def _is_answered(message: str, asked: re.Match[str]) -> bool:
    """Tell whether another one speaks after a reader, by any name that the same signs mark."""
    signs = message[asked.start() : asked.start("user")]
    others = _NAMED.finditer(message, asked.end()) if signs else ()
    return any(other["signs"] == signs for other in others)
