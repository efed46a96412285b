"""The ``rawi`` command in this process: what it would print, and the status it would end with."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from rag import config
from ui import cli


def run_here(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    arguments: Sequence[str],
    stdin: str = "",
    **environment: str,
) -> CompletedProcess[str]:
    """Run the command in a folder, which is its home too, without anything of the developer's."""
    out, err = io.StringIO(), io.StringIO()
    logger, status = logging.getLogger("rag"), 0
    with monkeypatch.context() as patch:
        for name in [name for name in os.environ if name.upper().startswith(config.ENV_PREFIX)]:
            patch.delenv(name)
        for name in ("XDG_CACHE_HOME", "COLUMNS", "FORCE_COLOR"):
            patch.delenv(name, raising=False)
        # Set beforehand, so that what the command sets is taken back.
        for name in ("TRANSFORMERS_VERBOSITY", "HF_HUB_DISABLE_PROGRESS_BARS"):
            patch.setenv(name, os.environ.get(name, "1" if "BARS" in name else "error"))
        for name, value in {"HOME": str(folder), **environment}.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["rawi", *arguments])
        # Else the usage would name the program that runs here.
        patch.setattr(sys.modules["__main__"], "__package__", "", raising=False)
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        patch.setattr(logging.root, "handlers", [])  # else the command would set none up
        level, root_level = logger.level, logging.root.level
        with redirect_stdout(out), redirect_stderr(err):
            try:
                cli.main()
            except SystemExit as exc:
                status = exc.code if isinstance(exc.code, int) else 1
            finally:
                logger.setLevel(level)
                logging.root.setLevel(root_level)
    return CompletedProcess([*arguments], status, out.getvalue(), err.getvalue())
