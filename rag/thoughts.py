"""What a reasoning model thinks before it answers: no part of its answer.

Servers send it in a field of its own, or leave it in the text, between marks: ``<think>…</think>``,
``[THINK]…[/THINK]``, ``◁think▷…◁/think▷``, special tokens such as ``<|START_THINKING|>`` and
``<|end_of_thought|>``, or harmony's channels. Some templates write the opening mark into the
prompt, so that the text holds the closing one alone; and a reply that was cut may hold the opening
one alone: then it is all thought.
"""

from __future__ import annotations

import re

_THOUGHT = r"(?:think|thought|reason)\w*"
_MARK = rf"[<\[◁]{{}}(?:\w+:)?{_THOUGHT}[>\]▷]|<\|{{}}(?:\w+_)?{_THOUGHT}\|>"
_OPEN = re.compile(r"\s*(?:" + _MARK.format("", "") + r"|<\|channel\|>\s*analysis)", re.IGNORECASE)
_CLOSE = re.compile(
    r".*(?:" + _MARK.format("/", "(?:/|end_)") + r"|<\|channel\|>\s*final\b[^<]*<\|message\|>)",
    re.IGNORECASE | re.DOTALL,
)
# An answer that is wholly one element, as some models mark it after their thoughts.
_ELEMENT = re.compile(r"\s*<(\w+)>(.*)</\1>\s*", re.DOTALL)
# What marks the answer itself after them, at either end.
_TOKENS = re.compile(r"^(?:\s*<\|\w+\|>)+|(?:<\|\w+\|>\s*)+$")


def are_in(text: str) -> bool:
    """Tell whether a reply holds thoughts."""
    return bool(_OPEN.match(text) or _CLOSE.match(text))


def without(text: str) -> str:
    """Return a reply without them; empty where it was cut before they ended."""
    if not are_in(text):
        return text
    closed = _CLOSE.match(text)
    said = _TOKENS.sub("", text[closed.end() :]) if closed else ""
    element = _ELEMENT.fullmatch(said)
    return (element[2] if element else said).strip()
