"""``rawi`` index | search | ask | models; ``ui.cli`` adds what shows and measures.

JSON goes to stdout alone; bars and messages go to stderr. Exit status 0 done, 1 failed with one
clear line, 2 wrong usage, 130 interrupted. Libraries that take seconds to import are imported
inside the commands that need them.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from rag.errors import QuestionError, RawiError
from rag.language import clean

if TYPE_CHECKING:
    from rag.config import Settings
    from rag.engine import Answer, Turn
    from rag.index import IndexReport
    from rag.retrieval import Found

app = typer.Typer(
    name="rawi",
    help="Answers questions in Arabic or English about a folder of documents, and shows the exact"
    " sentence behind every statement.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="The model weights: pull, list, verify, pin.", no_args_is_help=True)
app.add_typer(models_app, name="models")
# What is shown is anybody's: no word of it is coloured as code, and ":x:" is no picture.
errors = Console(stderr=True, highlight=False, emoji=False)
_output = Console(highlight=False, emoji=False)
_INTERRUPTED = 130  # what Typer makes of Ctrl-C

Corpus = Annotated[
    Path | None, typer.Option("--corpus", help="Folder of documents.", show_default=False)
]
StorageFolder = Annotated[
    Path | None, typer.Option("--storage", help="Folder of the index.", show_default=False)
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="YAML settings; ./config.yaml by default.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout, and nothing else.")]
ModelNames = Annotated[
    list[str] | None,
    typer.Argument(help="Built-in names; the configured ones by default.", show_default=False),
]
Docs = Annotated[
    list[str] | None,
    typer.Option(
        "--doc",
        help="Ask this document alone, by its path in the folder; may be repeated.",
        show_default=False,
    ),
]
Question = Annotated[
    str, typer.Argument(help="A question in Arabic or English; - reads it from standard input.")
]


@app.command(epilog="Example: rawi index --corpus ~/articles --storage ~/articles.index --watch")
def index(
    corpus: Corpus = None,
    storage: StorageFolder = None,
    config_file: ConfigFile = None,
    empty: Annotated[
        bool,
        typer.Option("--empty", help="Also where the folder holds none: forget what was indexed."),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Then go on with it whenever the folder changes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the index equal to the folder of documents."""
    settings = settings_of(config_file, corpus, storage)
    from rag import index
    from rag.config import DocumentsSettings
    from rag.embedding import load_embedder
    from rag.following import follow, look

    with errors.status("loading the embedder…"):
        embedder = load_embedder(settings)

    def update(*, may_empty: bool = False) -> IndexReport:
        with _bar("documents") as progress:
            return index.update(settings, embedder, progress, may_empty=may_empty)

    seen = look(settings) if watch else None
    _print_indexed(update(may_empty=empty), settings, as_json)
    if not watch:
        return
    every_s = settings.documents.watch_s or DocumentsSettings().watch_s
    for report in follow(settings, update, Event(), every_s, seen):
        if isinstance(report, RawiError):
            _print_error(report)
        else:
            _print_indexed(report, settings, as_json)


@app.command(epilog='Example: rawi search "كم بلغ تقييم OpenAI؟" -k 3')
def search(
    question: Question,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 5,
    docs: Docs = None,
    corpus: Corpus = None,
    storage: StorageFolder = None,
    config_file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Find the passages nearest to a question, without the LLM."""
    settings = settings_of(config_file, corpus, storage)
    from rag import engine, retrieval
    from rag.language import detect

    question = engine.check_question(_read_question(question), settings.question)
    with engine.open_retriever(settings) as retriever:
        asked = engine.Engine(settings, retriever, None).asked_of(docs or None)
        results = asked.retriever.passages(question, k)
    if as_json:
        print_json(
            {
                "question": question,
                "language": detect(question),
                "results": [retrieval.public(found) for found in results],
            }
        )
        return
    for found in results:
        _print_found(found)


@app.command(epilog='Example: rawi ask "How much did SoftBank put into the round?"')
def ask(
    question: Question,
    history: Annotated[
        Path | None,
        typer.Option(
            help='Earlier messages, JSON: [{"role": "user", "content": "…"}, …]',
            show_default=False,
        ),
    ] = None,
    docs: Docs = None,
    corpus: Corpus = None,
    storage: StorageFolder = None,
    config_file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question, with the sentences behind the answer."""
    settings = settings_of(config_file, corpus, storage)
    turns = _read_history(history)
    from rag import engine, retrieval

    question = engine.check_question(_read_question(question), settings.question)
    with ExitStack() as opened:
        with errors.status("loading the models…"):
            rawi = opened.enter_context(engine.open_engine(settings))
        for event in rawi.asked_of(docs or None).answer(question, turns):
            if isinstance(event, engine.Answer):
                if event.failure:
                    errors.print(f"[yellow]quotes alone:[/] {plain(event.failure)}", soft_wrap=True)
                print_json(retrieval.public(event)) if as_json else _print_answer(event)


@models_app.command("pull", epilog="Example: rawi models pull")
def models_pull(
    names: ModelNames = None,
    corpus: Corpus = None,
    storage: StorageFolder = None,
    config_file: ConfigFile = None,
) -> None:
    """Download the weights, check them, and keep them for every checkout of this user."""
    settings = settings_of(config_file, corpus, storage)
    from rag import models

    with _bar("bytes") as progress:
        for path in models.pull(
            names or _configured(settings), settings=settings.models, progress=progress
        ):
            print(path)  # noqa: T201


@models_app.command("list")
def models_list(
    corpus: Corpus = None,
    storage: StorageFolder = None,
    config_file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the built-in weights: licence, size, and where they are."""
    settings = settings_of(config_file, corpus, storage)
    from rag import models

    rows = models.list_models(settings=settings.models)
    if as_json:
        print_json([{**dataclasses.asdict(row), "path": str(row.path)} for row in rows])
        return
    for row in rows:
        where = row.path if row.present else "not here; run: rawi models pull " + row.name
        print(f"{row.name:22} {row.licence:12} {row.size / 1e6:7.0f} MB  {where}")  # noqa: T201


@models_app.command("pin", epilog="Example: rawi models pin intfloat/multilingual-e5-base")
def models_pin(
    reference: Annotated[str, typer.Argument(help="owner/repo[/file.gguf][@revision]")],
    config_file: ConfigFile = None,
) -> None:
    """Fetch a model of the hub as it is now, and trust no other of that name from now on."""
    settings = settings_of(config_file)
    from rag import models

    path, pin = models.pin(reference, settings=settings.models)
    print(f"{reference} {pin.revision}\n{path}")  # noqa: T201
    for name, digest in pin.files.items():
        print(f"  {digest}  {name}")  # noqa: T201


@models_app.command("verify")
def models_verify(
    names: ModelNames = None,
    corpus: Corpus = None,
    storage: StorageFolder = None,
    config_file: ConfigFile = None,
) -> None:
    """Read the downloaded weights again and compare their SHA-256."""
    settings = settings_of(config_file, corpus, storage)
    from rag import models

    with _bar("bytes") as progress:
        checks = models.verify(
            names or _configured(settings), settings=settings.models, progress=progress
        )
    for check in checks:
        print(f"{'BAD' if check.problem else 'ok '} {check.path}")  # noqa: T201
    problems = [f"{check.path}: {check.problem}" for check in checks if check.problem]
    if problems:
        raise RawiError("; ".join(problems))


def run(commands: typer.Typer) -> None:
    """Run a command line; every foreseeable mistake ends as one line on stderr."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="rawi: %(message)s")
    logging.getLogger("rag").setLevel(logging.WARNING)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        commands()
    except RawiError as exc:
        _print_error(exc)
        sys.exit(1)
    except SystemExit as exc:
        if exc.code == _INTERRUPTED:
            errors.print("rawi: interrupted; nothing is lost")
        raise
    except BrokenPipeError:
        sys.exit(0)


def _print_error(error: RawiError) -> None:
    errors.print(f"[bold red]rawi:[/] {escape(str(error))}", soft_wrap=True)


def settings_of(
    config_file: Path | None, corpus: Path | None = None, storage: Path | None = None
) -> Settings:
    """Read the settings that a command was called with."""
    from rag import config

    return config.load(config_file, corpus=corpus, storage=storage)


def _configured(settings: Settings) -> list[str]:
    from rag import models

    wanted = [settings.llm.model] if settings.llm.has_weights else []
    return [name for name in [*wanted, settings.embedding.model] if name in models.BUILT_IN]


def _read_question(argument: str) -> str:
    return sys.stdin.read() if argument == "-" else argument


def _read_history(path: Path | None) -> list[Turn]:
    if path is None:
        return []
    from rag.engine import Turn

    try:
        turns = json.loads(path.read_text(encoding="utf-8"))
        return [Turn(turn["role"], str(turn["content"])) for turn in turns]
    except OSError as exc:
        raise QuestionError(f"--history {path}: can't be read ({exc.strerror})") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise QuestionError(
            f'--history {path}: must be a JSON list of {{"role", "content"}}'
        ) from exc


@contextmanager
def _bar(unit: str) -> Iterator[Any]:
    """Yield a callback ``(description, done, total)`` that draws a bar on stderr."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(f"{{task.percentage:>3.0f}} % {unit}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("starting…", total=None)

        def show(description: str, done: int, total: int) -> None:
            bar.update(task, description=plain(description[-60:]), completed=done, total=total)

        yield show


def plain(text: str) -> str:
    """Make a file's name or text harmless for a terminal: no escapes, no reordering, no markup."""
    return escape(" ".join(clean(text).split()))


def print_json(value: Any) -> None:
    """Print to stdout what a program reads."""
    print(json.dumps(value, ensure_ascii=False), flush=True)  # noqa: T201


def _print_indexed(report: IndexReport, settings: Settings, as_json: bool) -> None:
    for doc, reason in report.failed.items():
        errors.print(f"[yellow]not indexed:[/] {plain(doc)}: {plain(reason)}", soft_wrap=True)
    if as_json:
        print_json(dataclasses.asdict(report))
        return
    print(  # noqa: T201 - the result of the command
        f"{report.documents} documents, {report.passages} passages in {settings.storage}"
        f" ({report.added} new, {report.changed} changed, {report.removed} removed,"
        f" {report.unchanged} unchanged, {len(report.failed)} not indexed)",
        flush=True,
    )


def _print_found(found: Found) -> None:
    _output.print(f"[dim]{found.score:.3f} {plain(found.doc)}:{found.start}-{found.end}[/]")
    _output.print(escape(found.text) + "\n", soft_wrap=True)


def _print_answer(answer: Answer) -> None:
    from rag import sayings

    _output.print(f"[bold]{escape(answer.answer)}[/]", soft_wrap=True)
    for citation in answer.citations:
        page = "" if citation.page is None else sayings.on_page(citation.page)[answer.language]
        place = f"{citation.doc}:{citation.start}-{citation.end}"
        origin = ", ".join(filter(None, (place, page, citation.author, citation.date)))
        quote = Text(citation.quote)
        for start, end in citation.marks:  # the words that carry the answer
            quote.stylize("bold", start - citation.start, end - citation.start)
        _output.print(f"\n  \\[{citation.marker}]", quote, soft_wrap=True)
        _output.print(f"      [dim]{plain(origin)}[/]", soft_wrap=True)
