"""``rawi eval``: qa | squad | abstain | injection | report | bench.

Only what parses the command line is imported here; the rest within the commands.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from rag import extras
from rag.cli import ConfigFile, Corpus, StorageFolder, errors, settings_of

if TYPE_CHECKING:
    from eval.run_qa import System
    from rag.config import Settings
    from rag.embedding import Embedder

eval_app = typer.Typer(
    help="Measure Rawi: its own questions, retrieval, refusals, injections; and compare runs.",
    no_args_is_help=True,
)

# The project's own set, over seeds/.
QUESTIONS = Path(__file__).with_name("questions.jsonl")


Out = Annotated[Path, typer.Option("--out", help="Folder of the run; made if it isn't there.")]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=1, help="Ask only the first N questions.", show_default=False),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Drop what an earlier run left in --out.")]
RetrievalOnly = Annotated[
    bool,
    typer.Option("--retrieval-only", help="Without the LLM: fast, answers are quotes or none."),
]
Indexes = Annotated[
    Path | None,
    typer.Option(
        "--storage",
        help="Folder that keeps the indexes of sets, to share them between runs; --out by default.",
        show_default=False,
    ),
]
Unused = Annotated[Path | None, typer.Option(help="Changes nothing here.", show_default=False)]


@eval_app.callback()
def needs() -> None:
    """Say in one line what to install, before anything is measured."""
    extras.require("eval", "rawi eval")


@eval_app.command("qa", epilog="Example: rawi eval qa eval/questions.jsonl --out runs/today")
def qa(
    questions: Annotated[Path, typer.Argument(help="A question set, .jsonl.")],
    out: Out,
    baseline: Annotated[
        bool,
        typer.Option("--baseline", help="Also run the plain llama-index starter: DIR/baseline."),
    ] = False,
    baseline_limit: Annotated[
        int | None,
        typer.Option(min=1, help="Ask the starter only the first N.", show_default=False),
    ] = None,
    retrieval_only: RetrievalOnly = False,
    limit: Limit = None,
    fresh: Fresh = False,
    corpus: Corpus = None,
    storage: StorageFolder = None,
    config_file: ConfigFile = None,
) -> None:
    """Answer a question set over the corpus and judge the answers."""
    if baseline and retrieval_only:
        raise typer.BadParameter("--baseline writes answers: leave out --retrieval-only")
    settings = settings_of(config_file, corpus, storage)
    from eval.run_qa import open_rawi, run_qa

    def measure(folder: Path, opening: AbstractContextManager[System], most: int | None) -> None:
        with ExitStack() as stack:
            with _loading():
                system = stack.enter_context(opening)
            run_qa(questions, folder, system, limit=most, fresh=fresh)
        _show(folder)

    measure(out, open_rawi(settings, retrieval_only=retrieval_only), limit)
    if baseline:
        from eval.baseline import open_starter

        measure(out / "baseline", open_starter(settings), baseline_limit or limit)


@eval_app.command("squad", epilog="Example: rawi eval squad xquad.ar.json --out runs/xquad")
def squad(
    passages: Annotated[Path, typer.Argument(help="A SQuAD v1.1 file.")],
    out: Out,
    questions: Annotated[
        Path | None,
        typer.Option(help="Take the questions from this file: same ids, other language."),
    ] = None,
    pool: Annotated[
        Literal["same", "mixed"],
        typer.Option(help="mixed: every second paragraph from the other language."),
    ] = "same",
    retrieval_only: RetrievalOnly = False,
    limit: Limit = None,
    fresh: Fresh = False,
    corpus: Unused = None,
    storage: Indexes = None,
    config_file: ConfigFile = None,
) -> None:
    """Find a SQuAD file's paragraphs by its questions, and answer them."""
    settings = settings_of(config_file)
    from eval.run_squad import make_task, run_squad

    task = make_task(passages, questions, pool)  # its mistakes are told before models are loaded
    models = _models(settings, retrieval_only)
    run_squad(task, out, settings, *models, indexes=storage, limit=limit, fresh=fresh)
    _show(out)


@eval_app.command("abstain", epilog="Example: rawi eval abstain nomiracl.ar.jsonl --out runs/nm")
def abstain(
    questions: Annotated[Path, typer.Argument(help="Questions with their passages, .jsonl.")],
    out: Out,
    retrieval_only: RetrievalOnly = False,
    limit: Limit = None,
    fresh: Fresh = False,
    corpus: Unused = None,
    storage: Indexes = None,
    config_file: ConfigFile = None,
) -> None:
    """Answer or refuse questions whose passages are given."""
    settings = settings_of(config_file)
    from eval.run_given import run_given

    models = _models(settings, retrieval_only)
    run_given(
        "abstain", questions, out, settings, *models, indexes=storage, limit=limit, fresh=fresh
    )
    _show(out)


@eval_app.command(
    "injection", epilog="Example: rawi eval injection eval/injections.jsonl --out runs/injection"
)
def injection(
    cases: Annotated[Path, typer.Argument(help="Questions with documents and orders, .jsonl.")],
    out: Out,
    limit: Limit = None,
    fresh: Fresh = False,
    corpus: Unused = None,
    storage: Indexes = None,
    config_file: ConfigFile = None,
) -> None:
    """See whether orders within documents or questions are followed."""
    settings = settings_of(config_file)
    from eval.run_given import run_given

    models = _models(settings)
    summary = run_given(
        "injection", cases, out, settings, *models, indexes=storage, limit=limit, fresh=fresh
    )
    _show(out)
    for id_ in summary["obeyed"]:
        errors.print(f"obeyed: {id_}", markup=False)


@eval_app.command("report", epilog="Example: rawi eval report runs/today runs/before")
def report(
    folders: Annotated[list[Path], typer.Argument(help="Folders of runs; the first gets it.")],
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="List only the first N questions.", show_default=False),
    ] = None,
    corpus: Unused = None,
    storage: Unused = None,
    config: Unused = None,
) -> None:
    """Write report.md and report.html into the first folder, and say where."""
    from eval import report as pages

    print(pages.write(folders, limit))  # noqa: T201 - the result of the command


@eval_app.command("bench", epilog="Example: rawi eval bench --out runs/bench")
def bench(
    out: Out,
    questions: Annotated[
        Path, typer.Option(help="A question set, .jsonl, over the corpus.")
    ] = QUESTIONS,
    limit: Limit = None,
    corpus: Corpus = None,
    storage: StorageFolder = None,
    config_file: ConfigFile = None,
) -> None:
    """Measure speed and growth beside the plain baselines."""
    settings = settings_of(config_file, corpus, storage)
    from eval import bench as benchmark

    page = benchmark.run(settings, questions, out, limit)
    print(page.read_text(encoding="utf-8"))  # noqa: T201 - the result of the command


def _models(settings: Settings, retrieval_only: bool = False) -> tuple[Embedder, Any]:
    from rag import engine
    from rag.embedding import load_embedder

    with _loading():
        embedder = load_embedder(settings)
        return embedder, None if retrieval_only else engine.load_llm(settings)


def _loading() -> Any:
    return errors.status("loading the models…")


def _show(out: Path) -> None:
    """Print the measures to stderr, and to stdout where they are."""
    from eval import results, tables
    from eval.words import english

    run = results.read(out)
    found = tables.headline(run, [])
    title = f"{out}: {run.summary['system']}"
    table = Table(*map(english, found.head), title=title, box=None, padding=(0, 1, 0, 0))
    for row in found.rows:
        table.add_row(*map(english, row))
    errors.print(table)
    print(out / "summary.json")  # noqa: T201 - the result of the command
