"""The Gradio chat page: the evidence stands there at once, then the answer streams in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import gradio as gr

from rag.engine import Answer, Engine, Evidence, Token, Turn
from rag.errors import RawiError
from rag.grounding import Citation
from rag.language import Language, detect, direction
from rag.retrieval import Found
from ui import text


def build(engine: Engine) -> gr.Blocks:
    """Lay out the page; one question is answered at a time, the others wait in Gradio's queue."""
    page: gr.Blocks
    with gr.Blocks(title=text.TITLE, analytics_enabled=False) as page:
        gr.HTML(
            f"<h1>{text.TITLE}</h1>"
            f'<p dir="rtl" lang="ar">{text.TAGLINE["ar"]}</p>'
            f'<p dir="ltr" lang="en">{text.TAGLINE["en"]}</p>'
        )
        evidence = gr.HTML(elem_id="rawi-evidence", render=False)

        def respond(message: str, history: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
            yield from _respond(engine, message, history)

        gr.ChatInterface(
            respond,
            chatbot=gr.Chatbot(elem_id="rawi-messages", height=420, show_label=False),
            textbox=gr.Textbox(
                elem_id="rawi-question", placeholder=text.PLACEHOLDER, show_label=False, rtl=True
            ),
            additional_outputs=[evidence],
            examples=[[example] for example in text.EXAMPLES],
            cache_examples=False,
            concurrency_limit=1,
            api_visibility="private",
        )
        evidence.render()  # type: ignore[no-untyped-call]
    return page


def _respond(
    engine: Engine, message: str, history: Sequence[dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Yield the message as it grows, and the panel of sources beside it."""
    written, panel, language = "", "", detect(message)
    try:
        for event in engine.answer(message, [turn for past in history for turn in _turn(past)]):
            if isinstance(event, Evidence):
                panel = _evidence_html(event.sentences, language)
            elif isinstance(event, Token):
                written += event.text
            elif isinstance(event, Answer):
                written = event.answer
                panel = _citations_html(event.citations, language) + panel
            yield written, panel
    except RawiError as exc:
        yield text.FAILED[language] + str(exc), panel


def _turn(message: dict[str, Any]) -> Iterator[Turn]:
    """Yield one of Gradio's messages as a turn; anything but text is left out."""
    content = message["content"]
    parts = content if isinstance(content, list) else [content]
    words = [part if isinstance(part, str) else part.get("text", "") for part in parts]
    if message["role"] in ("user", "assistant"):
        yield Turn(message["role"], " ".join(words))


def _citations_html(citations: Sequence[Citation], language: Language) -> str:
    if not citations:
        return ""
    rows = "".join(
        f'<p data-citation="{c.marker}">[{c.marker}] {_quote(c.quote, c.doc, c.start, c.end)}</p>'
        for c in citations
    )
    title, side = text.SOURCES[language], direction(language)
    return f'<section id="rawi-source" dir="{side}"><h3>{title}</h3>{rows}</section>'


def _evidence_html(sentences: Sequence[Found], language: Language) -> str:
    rows = "".join(f"<li>{_quote(s.text, s.doc, s.start, s.end)}</li>" for s in sentences)
    return f'<ul dir="{direction(language)}">{rows}</ul>'


def _quote(quote: str, doc: str, start: int, end: int) -> str:
    language = detect(quote)
    return (
        f'<q dir="{direction(language)}" lang="{language}" data-start="{start}" data-end="{end}">'
        f"{escape(quote)}</q> <small><bdi>{escape(doc)}</bdi></small>"
    )
