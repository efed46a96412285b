"""How our components and events differ from Gradio's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gradio as gr

from ui import address

# Hands a click on a [data-act] on to the server as an event of that name.
_ACTS = """
window.rawi.acts(element, trigger, {acts});
watch("value", () => window.rawi.changed(element));
"""
_MOST_DIGITS = 9

# What an event shows: components and what they hold from then on.
Update = dict[Any, Any]


def acting(*acts: str, **options: Any) -> gr.HTML:
    """Return an HTML component whose ``[data-act]`` buttons become these events."""
    on_load = _ACTS.format(acts=json.dumps(acts))
    return gr.HTML(js_on_load=on_load, apply_default_css=False, padding=False, **options)


def on(
    listen: Callable[..., Any],
    handle: Callable[..., Any],
    inputs: list[Any],
    outputs: list[Any],
    **options: Any,
) -> None:
    """Connect an event; nothing of Gradio's own progress is shown and no API is made of it."""
    listen(
        handle,
        inputs or None,
        outputs or None,
        show_progress="hidden",
        api_visibility="private",
        **options,
    )


def carried(event: gr.EventData) -> dict[str, Any]:
    """Return all that the clicked button carried; a client other than the page may send nothing."""
    return event._data or {}


def asker(request: gr.Request) -> str:
    """Return who asks; Gradio itself knows the nearest proxy alone."""
    return address.asker(request.request.scope) if request.request else ""


def given(event: gr.EventData, name: str) -> str:
    """Return what the clicked button carried under a name; empty when it carried nothing."""
    return str(carried(event).get(name, ""))


def given_number(event: gr.EventData, name: str) -> int | None:
    """Return a number that the clicked button carried; None when it is none."""
    text = given(event, name)
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None
