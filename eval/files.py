"""Files of JSON that people write or a killed run leaves: every mistake is named by its place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

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
    empty = True
    # Not splitlines(): JSON strings may hold U+2028, which is no end of a line here.
    for number, line in enumerate(text_of(path, remedy).split("\n"), start=1):
        if line.strip():
            empty = False
            where = f"{path}, line {number}"
            yield where, object_of(line, where, keys, remedy)
    if empty:
        raise EvalError(f"{path}: holds no question; {remedy}")
