"""Questions of a SQuAD file in the other language: ``python -m eval.translate_questions --help``.

The LLM of config.yaml translates them, so that a reader can learn from real passages what is asked
in the other language (``eval/train_reader.py --across``). It garbles some names, as people misspell
them; what it leaves in the question's own language is left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from llama_index.core.llms import ChatMessage, MessageRole
from rich.console import Console
from rich.progress import track

from eval.sets import SquadQuestion, read_squad
from rag import config, llm
from rag.engine import load_llm
from rag.language import Language, detect
from rag.llm import Usage

_TASK: dict[Language, str] = {
    "en": "Translate the question into English. Keep every name and number.",
    "ar": "ترجم السؤال إلى العربية الفصحى. أبقِ على كل اسم ورقم.",
}
_EXAMPLES = (
    ("متى تأسست مدينة صحار؟", "When was the city of Sohar founded?"),
    (
        "من كتب رواية موسم الهجرة إلى الشمال؟",
        "Who wrote the novel Season of Migration to the North?",
    ),
    ("كم يبلغ عدد سكان محافظة نابل؟", "What is the population of Nabeul Governorate?"),
)
_TIMEOUT_S = 60.0


def main(
    squad: Annotated[Path, typer.Argument(help="A SQuAD v1.1 file.")],
    out: Annotated[Path, typer.Option(help="The same with its questions translated.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many, evenly spread.")] = None,
) -> None:
    """Translate questions."""
    console = Console(stderr=True)
    read = read_squad(squad)
    into: Language = "en" if read.language == "ar" else "ar"
    model = load_llm(config.load())
    if model is None:
        raise typer.BadParameter("needs an LLM; set llm.backend")
    step = max(1, len(read.questions) // (limit or len(read.questions)))
    translated: dict[str, str] = {}
    for question in track(read.questions[::step][:limit], "translating", console=console):
        reply = "".join(
            piece
            for piece in llm.stream(model, asking(question, into), _TIMEOUT_S)
            if not isinstance(piece, Usage)
        ).strip()
        if detect(reply) == into:
            translated[question.id] = reply
    content = replaced(json.loads(squad.read_text(encoding="utf-8")), translated)
    out.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    console.print(f"{out}: {len(translated)} of {len(read.questions)} questions")


def asking(question: SquadQuestion, into: Language) -> list[ChatMessage]:
    """Ask for a question in ``into``."""
    messages = [ChatMessage(role=MessageRole.SYSTEM, content=_TASK[into])]
    for arabic, english in _EXAMPLES:
        source, target = (arabic, english) if into == "en" else (english, arabic)
        messages.append(ChatMessage(role=MessageRole.USER, content=source))
        messages.append(ChatMessage(role=MessageRole.ASSISTANT, content=target))
    return [*messages, ChatMessage(role=MessageRole.USER, content=question.question)]


def replaced(squad: Any, questions: dict[str, str]) -> Any:
    """Return a SQuAD file's content with these questions, by id, and no others."""
    for article in squad["data"]:
        for paragraph in article["paragraphs"]:
            paragraph["qas"] = [
                {**qa, "question": questions[qa["id"]]}
                for qa in paragraph["qas"]
                if qa["id"] in questions
            ]
    return squad


if __name__ == "__main__":
    typer.run(main)
