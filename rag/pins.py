"""What a hub gave at first, and nothing else ever after: revision and SHA-256 of every file.

The built-in weights are pinned in ``catalog.py``. Any other model of the hub is pinned when it is
fetched first, in ``<cache>/pins.json``; a newer one is taken on somebody's word alone, by
``rawi models pin``.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from rag.errors import ModelError

FILE = "pins.json"


class Pin(BaseModel):
    """A model as it was first fetched.

    :ivar revision: The hub's commit.
    :ivar files: SHA-256 of each, by its path within the model.
    """

    model_config = ConfigDict(frozen=True)

    revision: str
    files: dict[str, str]


_PINS = TypeAdapter(dict[str, Pin])


def read(cache: Path) -> dict[str, Pin]:
    """Return what is pinned, by reference as a setting names it.

    :raises ModelError: When the file can't be read.
    """
    path = cache / FILE
    try:
        return _PINS.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "is damaged"
        raise ModelError(f"{path}: {reason}; mend it, or delete it to pin all anew") from exc


def of(path: Path) -> Pin:
    """Return the pin of a model as it lies in a folder of the hub's client.

    :param path: ``…/snapshots/<revision>``, or a file below it.
    """
    at = path.parts.index("snapshots") + 1
    root = Path(*path.parts[: at + 1])
    held = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    files = {file.relative_to(root).as_posix(): _sha256(file) for file in held}
    return Pin(revision=path.parts[at], files=files)


def keep(cache: Path, reference: str, pin: Pin) -> None:
    """Write down a pin, in place of one that there was.

    :raises ModelError: When it can't be written.
    """
    pins = {**read(cache), reference: pin}
    scratch = cache / f"{FILE}.new"
    text = json.dumps({name: kept.model_dump() for name, kept in sorted(pins.items())}, indent=1)
    try:
        scratch.write_text(text + "\n", encoding="utf-8")
        scratch.replace(cache / FILE)
    except OSError as exc:
        raise ModelError(f"{cache / FILE}: can't be written ({exc.strerror})") from exc


def check(reference: str, pin: Pin, path: Path) -> None:
    """Compare a model with its pin, byte for byte.

    :raises ModelError: When anything else lies there.
    """
    found = of(path)
    names = sorted(found.files.keys() | pin.files.keys())
    other = [name for name in names if found.files.get(name) != pin.files.get(name)]
    if other:
        raise ModelError(
            f"{reference}: {other[0]} is not what was fetched at first (revision"
            f" {pin.revision[:12]}); delete {path}, or, if the change is wanted, run: rawi models"
            f" pin {reference}"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
