"""The files of sets and runs: written in one step, and read with every mistake named by its place.

People write them, and a killed run leaves them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import Timeout

from rag.errors import EvalError

Line = dict[str, Any]


def text_of(path: Path, remedy: str) -> str:
    """Return a file's text.

    :param remedy: What to do where it can't be had; the error ends with it.
    :raises EvalError: When it can't be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise EvalError(f"{path}: is not there; {remedy}") from None
    except OSError as exc:
        raise EvalError(f"{path}: can't be read ({exc.strerror}); {remedy}") from exc
    except UnicodeDecodeError as exc:
        raise EvalError(f"{path}: is not UTF-8 (byte {exc.start:,}); {remedy}") from exc


def object_of(text: str, where: str, keys: Iterable[str], remedy: str) -> Line:
    """Return the JSON object that a text is.

    :param keys: Those that it has to have.
    :raises EvalError: When it is another thing.
    """
    try:
        value = json.loads(text)
    except ValueError as exc:
        raise EvalError(f"{where}: is not JSON ({exc}); {remedy}") from exc
    if not isinstance(value, dict):
        raise EvalError(f"{where}: is not an object, {{…}}; {remedy}")
    for key in keys:
        if key not in value:
            raise EvalError(f"{where}: has no {key!r}; {remedy}")
    return value


def object_at(path: Path, keys: Iterable[str], remedy: str) -> Line:
    """Return the JSON object that a file holds.

    :raises EvalError: When it can't be read, or is another thing.
    """
    return object_of(text_of(path, remedy), str(path), keys, remedy)


def lines_of(path: Path, keys: Iterable[str], remedy: str) -> Iterator[tuple[str, Line]]:
    """Yield the place and the object of each line of a file; blank lines are let be.

    :raises EvalError: When it can't be read, holds nothing, or a line is no object with these keys.
    """
    text = text_of(path, remedy)
    if not text.strip():
        raise EvalError(f"{path}: holds no question; {remedy}")
    # Not splitlines(): JSON strings may hold U+2028, which is no end of a line here.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{path}, line {number}"
            yield where, object_of(line, where, keys, remedy)


def by_id(path: Path, keys: Iterable[str], remedy: str) -> dict[str, Line]:
    """Return the objects of a file's lines by their id; see ``lines_of``."""
    return {str(line["id"]): line for _, line in lines_of(path, ("id", *keys), remedy)}


def write(path: Path, text: str) -> None:
    """Write a file in one step: a kill leaves it as it was, or whole.

    :raises EvalError: When it can't be written.
    """
    scratch = path.with_name(f".{path.name}.new")  # hidden: never indexed half
    with writing(path):
        scratch.write_text(text, encoding="utf-8", errors="replace", newline="\n")
        scratch.replace(path)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say what is wrong when a file or folder can't be written, or locked.

    :raises EvalError: Instead of ``OSError`` and ``filelock.Timeout``.
    """
    try:
        yield
    except Timeout as exc:
        raise EvalError(
            f"{path}: another rawi eval is writing there; wait for it, or give another --out"
        ) from exc
    except OSError as exc:
        raise EvalError(
            f"{path}: can't be written ({exc.strerror}); give a folder that can be"
        ) from exc
