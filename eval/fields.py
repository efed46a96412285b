"""Checked access to JSON that people write: errors name the file, the place and the remedy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from rag.errors import EvalError
from rag.language import Language

T = TypeVar("T")


class Fields:
    """One JSON object and its place, so that every mistake can be named.

    Every method raises ``EvalError`` when the value is not what its name says; a key that is
    missing or null takes the default, if there is one.
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise EvalError(f"{where}: is {_kind(value)}; write an object, {{…}}")
        self.value: dict[str, Any] = value
        self.where = where

    def text(self, key: str, *, default: str | None = None, empty: bool = False) -> str:
        """Return a string that is not blank, unless ``empty``."""
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self.error(f'"{key}" is {_kind(value)}; write a string')
        if not (empty or value.strip()):
            raise self.error(f'"{key}" is empty; fill it in or delete the entry')
        return value

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise self.error(f'"{key}" is {_kind(value)}; write true or false')
        return value

    def language(self, key: str) -> Language:
        """Return ``ar`` or ``en``."""
        value = self._get(key)
        if value not in ("ar", "en"):
            raise self.error(f'"{key}" is {value!r}; write "ar" or "en"')
        return cast("Language", value)

    def integer(self, key: str) -> int:
        """Return a whole number from 0."""
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.error(f'"{key}" is {value!r}; write a whole number from 0')
        return value

    def items(self, key: str, *, default: list[Any] | None = None) -> list[Any]:
        """Return a list of anything."""
        value = self._get(key, default)
        if not isinstance(value, list):
            raise self.error(f'"{key}" is {_kind(value)}; write a list, […]')
        return value

    def texts(self, key: str, *, default: list[Any] | None = None) -> tuple[str, ...]:
        """Return a list of strings that are not blank."""
        value = self.items(key, default=default)
        if not all(isinstance(item, str) and item.strip() for item in value):
            raise self.error(f'"{key}" must be a list of strings that are not empty')
        return tuple(value)

    def groups(self, key: str, *, default: list[Any] | None = None) -> tuple[tuple[str, ...], ...]:
        """Return a list of lists of strings, none of them empty or blank."""
        groups = self.items(key, default=default)
        for group in groups:
            if not (
                isinstance(group, list)
                and group
                and all(isinstance(item, str) and item.strip() for item in group)
            ):
                raise self.error(
                    f'"{key}" must be a list of lists of strings: one list of alternatives for'
                    ' each thing that a right answer holds, [["30 billion", "30bn"], ["SoftBank"]]'
                )
        return tuple(tuple(group) for group in groups)

    def nested(self, key: str) -> Fields:
        """Return an object, knowing its place."""
        return Fields(self._get(key), f"{self.where}, {key}")

    def objects(self, key: str, *, default: list[Any] | None = None) -> list[Fields]:
        """Return a list of objects, each knowing its place."""
        items = self.items(key, default=default)
        return [Fields(item, f"{self.where}, {key}[{i}]") for i, item in enumerate(items)]

    def error(self, problem: str) -> EvalError:
        """Return the error that names this place."""
        return EvalError(f"{self.where}: {problem}")

    def _get(self, key: str, default: Any = None) -> Any:
        value = self.value.get(key)
        if value is None and default is None:
            raise self.error(f'"{key}" is missing; add it')
        return default if value is None else value


def lines(path: Path, parse: Callable[[Fields], T]) -> Iterator[tuple[str, T]]:
    """Yield each line's place and what it holds; blank lines are let be.

    :param parse: Makes something of a line's object.
    :raises EvalError: When the file can't be read, holds nothing or a line is not an object.
    """
    empty = True
    # Not splitlines(): JSON strings may hold U+2028, which is no end of a line here.
    for number, line in enumerate(read(path).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            value = json.loads(line)
        except ValueError as exc:
            raise EvalError(f"{where}: is not JSON ({exc}); write one object a line") from exc
        empty = False
        yield where, parse(Fields(value, where))
    if empty:
        raise EvalError(f"{path}: holds no question; write one JSON object a line")


def unique(items: Iterable[tuple[str, T]], path: Path, id_of: Callable[[T], str]) -> Iterator[T]:
    """Yield the items without their places.

    :raises EvalError: At an id that came before, with both places.
    """
    first: dict[str, str] = {}
    for where, item in items:
        id_ = id_of(item)
        if id_ in first:
            before = first[id_].removeprefix(f"{path}, ")
            raise EvalError(
                f"{where}: the id {id_!r} is already that of {before}; give each its own"
            )
        first[id_] = where
        yield item


def read(path: Path) -> str:
    """Return a file's text.

    :raises EvalError: When it can't be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise EvalError(f"{path}: can't be read ({exc.strerror}); give the path of a set") from exc
    except UnicodeDecodeError as exc:
        raise EvalError(f"{path}: is not UTF-8 (byte {exc.start:,}); save it as UTF-8") from exc


def _kind(value: Any) -> str:
    kinds: Mapping[type, str] = {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "true or false",
        type(None): "null",
    }
    return kinds.get(type(value), f"{value!r}")
