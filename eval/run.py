"""What every run shares: a folder that survives a kill, and where and with what it ran.

::

    DIR/run.json        what was run on what, with which settings, weights and code
    DIR/answers.jsonl   one line a question, written as soon as it is answered
    DIR/run.jsonl       SQuAD only: the ranking of paragraphs, one line a question
    DIR/scores.jsonl    one line a question: its cluster and its value of every measure
    DIR/summary.json    the measures

``answers.jsonl`` and ``run.jsonl`` are kept from one start to the next as long as run.json says
that nothing has changed which could change an answer. The other files are made from them each time,
so that a corrected gold answer or a new measure costs seconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from filelock import FileLock
from rich.console import Console
from rich.progress import track

from eval import score
from eval.files import Line, by_id, object_at, write, writing
from eval.identity import Identity, differing, environment
from eval.score import Scored
from rag.engine import Answer, Evidence, Token, Turn
from rag.errors import DeadlineError, EvalError, QuestionError
from rag.retrieval import public

# Raised by one whenever the lines of answers.jsonl or run.jsonl change.
FORMAT = 1
KEPT = ("answers.jsonl", "run.jsonl")
MADE = ("scores.jsonl", "summary.json")

T = TypeVar("T")
_console = Console(stderr=True, highlight=False)


class Pipeline(Protocol):
    """What answers questions: ``rag.engine.Engine``, the starter, or a double."""

    def answer(
        self, question: str, history: Sequence[Turn] = ()
    ) -> Iterator[Evidence | Token | Answer]:
        """Yield an ``Answer`` last."""
        ...


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run; see ``opened``.

    :ivar about: What run.json holds.
    """

    path: Path
    about: Line

    def each(
        self, name: str, items: Mapping[str, T], record: Callable[[T], Line], label: str
    ) -> dict[str, Line]:
        """Return one line for each item, in their order, recording those not there yet.

        :param name: Of the file; a line is flushed before the next item is begun.
        :param items: By id.
        :param record: Makes the line, without its id.
        :param label: Of the bar.
        :raises EvalError: When the file is damaged or can't be written.
        """
        path = self.path / name
        lines = _read_lines(path)
        todo = [id_ for id_ in items if id_ not in lines]
        quiet = not _console.is_terminal
        for id_ in track(todo, label, console=_console, disable=quiet):
            lines[id_] = {"id": id_, **record(items[id_])}
            with writing(path), path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(lines[id_], ensure_ascii=False) + "\n")
        return {id_: lines[id_] for id_ in items}

    def finish(
        self, scored: Sequence[Scored], answers: Mapping[str, Line], about: Mapping[str, Any]
    ) -> Line:
        """Write scores.jsonl and summary.json, each in one step, and return the summary.

        :param answers: Lines of answers.jsonl by id; none of rankings alone.
        :param about: More for the summary: kind, system, set, …
        """
        lines = (json.dumps(s.line, ensure_ascii=False) + "\n" for s in scored)
        write(self.path / "scores.jsonl", "".join(lines))
        summary = {"environment": self.about["environment"], **score.tables(scored)}
        if answers:
            summary["failed"] = score.failed(answers)
            summary["costs"] = score.costs(scored, answers)
        summary |= about
        write(self.path / "summary.json", _pretty(summary))
        return summary


@contextmanager
def opened(
    out: Path, identity: Identity, details: Mapping[str, Any], *, fresh: bool = False
) -> Iterator[RunFolder]:
    """Open a run's folder, to begin it or to go on with it.

    :param details: More for run.json: the set's path and whatever helps a reader.
    :param fresh: Drop what an earlier run left there.
    :raises EvalError: When the folder can't be written, belongs to a run of something else, or
        another process is writing to it.
    """
    lock = FileLock(out / ".lock", timeout=0)
    try:
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
            lock.acquire()
            about = _begin(out, identity, details, fresh)
        yield RunFolder(out, about)
    finally:
        lock.release()


def _begin(out: Path, identity: Identity, details: Mapping[str, Any], fresh: bool) -> Line:
    path = out / "run.json"
    if fresh:
        for name in (*KEPT, *MADE, "run.json"):
            (out / name).unlink(missing_ok=True)
    about: Line = {
        "format": FORMAT,
        "identity": asdict(identity),
        **details,
        "environment": environment(identity),
    }
    if any((out / name).exists() for name in KEPT):
        keys = ("format", "identity", "environment")
        remedy = "give --fresh to drop the answers there, or another --out"
        earlier = object_at(path, keys, remedy)
        differ = [key for key, _, _ in differing(about["identity"], earlier["identity"])]
        if earlier["format"] != FORMAT:
            differ.append("format")
        if differ:
            raise EvalError(
                f"{out}: holds a run with another {', '.join(differ)}; give --fresh to start"
                " anew, or another --out"
            )
        # Where and when it was begun; judging it anew on another machine measures no time there.
        about["environment"] = earlier["environment"]
    write(path, _pretty(about))
    return about


_FIELDS = (
    *("answer", "abstained", "citations", "evidence", "timings"),
    *("how", "failure", "confidence", "short_answer"),
)


def ask(pipeline: Pipeline, question: str, history: Sequence[Turn] = ()) -> Line:
    """Return what ``rawi ask --json`` gives of an answer; ``error`` where there was none.

    A question that the pipeline doesn't take counts as refused, one that took too long as answered
    wrongly. Any other error would come with every question after it too, so it ends the run, to be
    resumed; where Rawi makes up for an LLM that fails, ``failure`` says so.
    """
    try:
        whole = public(answered(pipeline, question, history))
    except (QuestionError, DeadlineError) as exc:
        return {
            "answer": "",
            "abstained": isinstance(exc, QuestionError),
            "citations": [],
            "evidence": [],
            "timings": None,
            "error": str(exc),
        }
    return {key: whole[key] for key in _FIELDS}


def answered(pipeline: Pipeline, question: str, history: Sequence[Turn] = ()) -> Answer:
    """Return the answer, once it is whole."""
    *_, last = pipeline.answer(question, history)
    if not isinstance(last, Answer):
        raise TypeError(f"{type(pipeline).__name__} ended without an answer")
    return last


def _read_lines(path: Path) -> dict[str, Line]:
    """Return the whole lines by id; what a kill left of the last one is cut off the file."""
    content = path.read_bytes() if path.exists() else b""
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
    if not whole:
        return {}
    return by_id(path, (), "delete the line, or give --fresh")


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
