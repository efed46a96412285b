"""The ``rawi`` command: what ``rag.cli`` has, and serve | doctor | feedback | key | eval.

It starts here since this package may import the two others; see ``rag.cli`` for its rules.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer
from rich.console import Console

from eval.cli import eval_app
from rag import cli, extras
from rag.cli import (
    AsJson,
    ConfigFile,
    Corpus,
    StorageFolder,
    app,
    errors,
    plain,
    print_json,
    settings_of,
)
from rag.language import clean

app.add_typer(eval_app, name="eval")


@app.command(epilog="Example: rawi serve --port 8080")
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0: any free.")] = None,
    corpus: Corpus = None,
    storage: StorageFolder = None,
    config_file: ConfigFile = None,
) -> None:
    """Open the chat page."""
    settings = settings_of(config_file, corpus, storage)
    server = settings.server.model_copy(
        update={k: v for k, v in {"host": host, "port": port}.items() if v is not None}
    )
    settings = settings.model_copy(update={"server": server})
    extras.require("serve", "rawi serve")
    with errors.status("starting…"):
        from ui import app as web

    def announce(port: int) -> None:
        host = f"[{server.host}]" if ":" in server.host else server.host
        errors.print(f"Rawi answers on http://{host}:{port} (Ctrl-C ends it)", soft_wrap=True)
        if server.host in ("0.0.0.0", "::") and not server.hosts:  # noqa: S104
            errors.print("for other machines, add the name that they reach it by to server.hosts")

    web.run(settings, announce)


@app.command(epilog="Example: rawi feedback --json")
def feedback(
    corpus: Corpus = None,
    storage: StorageFolder = None,
    config_file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what readers thought of answers: thumbs up and down, with their reasons."""
    settings = settings_of(config_file, corpus, storage)
    extras.require("serve", "rawi feedback")
    from ui.feedback import read

    noted = read(settings.storage)
    if as_json:
        print_json([dataclasses.asdict(one) for one in noted])
        return
    console = Console(highlight=False, emoji=False)
    for one in noted:
        console.print(f"[dim]{one.when}[/]  {one.rating}  {one.reason}")
        console.print(f"  {plain(one.question)}\n  {plain(one.answer)}\n", soft_wrap=True)


@app.command(epilog="Example: rawi doctor --json")
def doctor(
    corpus: Corpus = None,
    storage: StorageFolder = None,
    config_file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Look for what keeps Rawi from answering here, and say what to do about it."""
    settings = settings_of(config_file, corpus, storage)
    from ui.doctor import checks

    found = []
    with errors.status("looking…"):
        for check in checks(settings):
            found.append(check)
            if not as_json:
                mark = "ok " if check.ok else "BAD"
                print(f"{mark} {check.name}: {' '.join(clean(check.says).split())}")  # noqa: T201
    if as_json:
        print_json([dataclasses.asdict(check) for check in found])
    if not all(check.ok for check in found):
        raise typer.Exit(1)


@app.command()
def key() -> None:
    """Make an API key; its hash goes into api.key_hashes, the key is kept nowhere."""
    from ui import keys

    made, hashed = keys.make()
    print(f"key:  {made}\nhash: {hashed}")  # noqa: T201


def main() -> None:
    """Run the command line with all its commands."""
    cli.run(app)
