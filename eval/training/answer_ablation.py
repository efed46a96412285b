"""What each part of answering is worth: ``python -m eval.training.answer_ablation --help``.

Asks the sets to tune on with everything, and again with one part taken away at a time: a setting
turned off, or a function that does nothing. Printed is what that part adds to right answers (where
nothing answers, to refusals) and to wrong ones, question by question, with 95 % intervals, and how
many answers it changes. A part whose intervals all hold zero isn't shown to be worth its lines.

What the LLM said to a prompt once it isn't asked again, so most variants take the time of finding
evidence alone: a minute where the first takes ten.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar
from unittest.mock import patch

import typer
from llama_index.core.llms import ChatMessage
from rich.console import Console
from rich.table import Table

from eval import results, run_qa
from eval.statistics import Estimate, Values, differences
from eval.training.ablation import Change, changed
from eval.training.tuning_sets import SETS, Sets, indexed
from rag import config, engine, models
from rag.chat_server import Usage
from rag.config import Settings
from rag.embedding import Embedder, load_embedder
from rag.llm import LlamaCpp

EVERYTHING = "everything"
_MEASURES = ("right", "wrong")  # right: answered rightly, or refused where nothing answers
_console = Console(highlight=False)


@dataclass(frozen=True)
class Part:
    """How a part is taken away.

    :ivar settings: Sections of the settings and their changed keys.
    :ivar replaced: What stands for a function or a constant, by its dotted name.
    """

    settings: Change = field(default_factory=dict)
    replaced: Mapping[str, Any] = field(default_factory=dict)


def _setting(section: str, **keys: Any) -> Part:
    return Part(settings={section: keys})


def _without(replaced: Mapping[str, Any]) -> Part:
    return Part(replaced={f"rag.{name}": new for name, new in replaced.items()})


def _first(first: Any, *_: Any, **__: Any) -> Any:
    return first


def _always(value: Any) -> Callable[..., Any]:
    return lambda *_, **__: value


PARTS: Mapping[str, Part] = {
    EVERYTHING: Part(),
    # What is found.
    "the reader": _setting("retrieval", reader="none"),
    "words of a sentence": _setting("retrieval", sentence_words=0.0),
    "words of a passage": _setting("retrieval", words=0.0, words_across=0.0),
    "names across": _setting("retrieval", names_across=0.0),
    "what a question's name tells apart": _without({"retrieval.naming.as_named": _first}),
    "parts of a question": _without({"conversation.parts.split": lambda question: [question]}),
    "lists as a whole": _without({"deciding.lists.with_items": _first}),
    "lists of as many as asked": _without({"deciding.lists.asked_for": _always([])}),
    # Who decides.
    "the LLM": _setting("llm", backend="none"),
    "the LLM where the reader isn't sure": _setting("answer", sure=0.0),
    "the joint threshold": _setting("answer", min_confidence=0.0),
    "the LLM's choice of a sentence": _without({"drafting._likeliest": _always(1)}),
    "the reader's word in that choice": _without({"drafting._READERS_WEIGHT": 0.0}),
    "what the reader finds plausible": _without({"drafting._PLAUSIBLE": 0.0}),
    # What is checked.
    "whether the LLM finds it right": _setting("answer", min_right=-20.0),
    "how sure it was of the words": _without({"grounding._CERTAIN": 0.0, "grounding._SHORT": 0.0}),
    "figures, units and dates": _without({"grounding.is_exact": _always(True)}),
    "none left out of a clause": _without({"grounding.is_put": _always(True)}),
    "names that sound alike": _without({"grounding.names_hold": _always(True)}),
    "language, and more than the question": _without({"grounding.is_readable": _always(True)}),
    # How it is said.
    "figures and dates by table": _without({"drafting._by_table": _always(("", False))}),
    "the sentence that holds the figures": _without(
        {"drafting.grounding.holding": lambda answer, question, used, read: tuple(used)}
    ),
    "a long quote's first clause": _without({"drafting._first_words": _first}),
    "no quote of the question's words": _without({"grounding.says_more": _always(True)}),
    "a grammar": _without({"drafting.Drafter._grammar": _always("")}),
    # What isn't asked.
    "small talk": _without({"engine.Engine._told": _always(None)}),
    "whether it follows up": _without({"engine.followups.decided": _first}),
}


class Remembering(LlamaCpp):
    """Says again what it said to the same messages before."""

    said: ClassVar[dict[str, Any]] = {}  # of all variants

    def first_token(
        self, messages: Sequence[ChatMessage], timeout_s: float
    ) -> tuple[dict[str, float], Usage]:
        """Return what the LLM does, and remember it."""
        key = _key("first", messages)
        if key not in self.said:
            self.said[key] = super().first_token(messages, timeout_s)
        told: tuple[dict[str, float], Usage] = self.said[key]
        return told

    def stream_chat(self, messages: Sequence[ChatMessage], **held: Any) -> Any:
        """Yield what the LLM does, and remember it once it is whole."""
        key = _key(held, messages)

        def pieces() -> Iterator[Any]:
            if key in self.said:
                yield from self.said[key]
                return
            told = []
            for piece in super(Remembering, self).stream_chat(messages, **held):
                told.append(piece)
                yield piece
            self.said[key] = told

        return pieces()


def main(
    out: Annotated[Path, typer.Option(help="Folder of runs, indexes and the LLM's words.")],
    sets: Sets = SETS,
    limit: Annotated[int | None, typer.Option(min=1, help="Questions of each set.")] = None,
    only: Annotated[list[str] | None, typer.Option("--part", help="Only these.")] = None,
) -> None:
    """Print the table."""
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "said.pickle"
    if kept.exists():
        Remembering.said.update(pickle.loads(kept.read_bytes()))  # noqa: S301 - our own
    settings = config.load()
    weights = models.resolve(settings.llm.model, kind="llm", settings=settings.models)
    model = Remembering.from_gguf(weights, settings.llm)
    embedder = load_embedder(settings)
    placed = {folder: indexed(folder, out / "index", embedder) for folder in sets}
    found: dict[str, Values] = {}
    clusters: dict[str, str] = {}
    answers: dict[str, dict[str, str]] = {}
    for name in [EVERYTHING, *(only or PARTS)]:
        if name in found:
            continue
        values: dict[str, Mapping[str, float]] = {}
        answers[name] = {}
        for folder, settings in placed.items():
            place = out / name.replace(" ", "-") / folder.name
            run = asked(folder, settings, PARTS[name], embedder, model, place, limit)
            for id_, line in run.scores.items():
                values[f"{folder.name}/{id_}"] = run.values[id_]
                answers[name][f"{folder.name}/{id_}"] = line["answer"]
                clusters[f"{folder.name}/{id_}"] = f"{folder.name}/{line['cluster']}"
        found[name] = values
        kept.write_bytes(pickle.dumps(Remembering.said))
        _console.print(f"{name}: {_sums(values)}")
    table = Table("part", *(f"what it adds to {name}" for name in _MEASURES), "answers changed")
    for name in list(found)[1:]:
        told = differences(found[EVERYTHING], found[name], clusters)
        changes = len(answers[EVERYTHING].items() - answers[name].items())
        cells = (_said(told[measure]) for measure in _MEASURES)
        table.add_row(name, *cells, str(changes))
    _console.print(table)


def asked(
    folder: Path,
    settings: Settings,
    part: Part,
    embedder: Embedder,
    model: LlamaCpp,
    place: Path,
    limit: int | None,
) -> results.Results:
    """Ask a set's questions with a part taken away, and return how that went.

    :param settings: Of its index, with everything.
    :param place: Folder of the run.
    """
    settings = changed(settings, part.settings)
    with ExitStack() as stack:
        for name, new in part.replaced.items():
            stack.enter_context(patch(name, new))
        retriever = stack.enter_context(engine.open_retriever(settings, embedder))
        system = run_qa.rawi(settings, retriever, None if settings.llm.backend == "none" else model)
        run_qa.run_qa(folder / "questions.jsonl", place, system, limit=limit, fresh=True)
    return results.read(place)


def _key(how: object, messages: Sequence[ChatMessage]) -> str:
    return repr((how, [(message.role, message.content) for message in messages]))


def _sums(values: Values) -> str:
    return ", ".join(
        f"{sum(each.get(name, 0.0) for each in values.values()):.0f} {name}" for name in _MEASURES
    )


def _said(difference: Estimate) -> str:
    if difference.low is None:
        return f"{difference.mean:+.3f}"
    return f"{difference.mean:+.3f} ({difference.low:+.2f} to {difference.high:+.2f})"


if __name__ == "__main__":
    typer.run(main)
