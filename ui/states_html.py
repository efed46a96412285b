"""How far loading is, and what stands in the way of an answer, as HTML."""

from __future__ import annotations

from ui import text
from ui.loading import Progress
from ui.markup import both, icon, to_documents
from ui.reasons import reason_html

_PARTS = (("embedder", text.LOADING_EMBEDDER), ("llm", text.LOADING_LLM))


def progress_html(progress: Progress) -> str:
    """Return the state of loading; nothing when all is there."""
    if progress.stage == "ready":
        return ""
    if progress.stage == "loading":
        parts = "".join(
            f'<li class="{"rw-done" if part in progress.done else "rw-doing"}">{both(name)}</li>'
            for part, name in _PARTS
        )
        return (
            f'<div class="rw-loading" role="status"><p id="rawi-loading">{both(text.LOADING)}'
            f' <bdi dir="ltr">{progress.seconds:.0f} s</bdi></p>'
            f'<progress aria-labelledby="rawi-loading" max="{len(_PARTS) + 1}"'
            f' value="{len(progress.done)}"></progress><ul>{parts}</ul></div>'
        )
    if progress.stage == "no index":
        said = f"<span>{both(text.NO_INDEX)}</span>{to_documents()}"
        return f'<p class="rw-note">{icon("note")}{said}</p>'
    why = f"{both(text.CANNOT_START)} {reason_html(progress.reason)}"
    return f'<p class="rw-note">{icon("note")}<span>{why}</span></p>'
