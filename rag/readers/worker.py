"""The process that reads files: ``python -m rag.readers.worker MAX_MEMORY_BYTES MAX_CHARS``.

A request is a line of JSON, ``{"suffix", "size"}``, and as many bytes; an answer is its length and
JSON. A library that stumbles over a file ends the process, which says enough; nothing is caught.
"""

from __future__ import annotations

import json
import mimetypes
import os
import resource
import struct
import sys
import sysconfig
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import rag
from rag import readers
from rag.errors import DocumentError
from rag.readers.writing import Reading

LENGTH = struct.Struct("!Q")
# How the process ends when a file takes more memory than it may.
OUT_OF_MEMORY = 3
_MOST_FILES_OPEN = 64
_FORBIDDEN = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system")


class _ForbiddenError(Exception):
    """A file made its reader do what no reader may."""


def main() -> None:
    """Serve until the other end is closed."""
    memory, chars = map(int, sys.argv[1:])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print is no answer
    _confine(memory)
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        content = sys.stdin.buffer.read(request["size"])
        try:
            answer = _answer(request["suffix"], content, chars)
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        said = json.dumps(answer).encode()
        answers.write(LENGTH.pack(len(said)) + said)
        answers.flush()


def _confine(memory: int) -> None:
    """Take from this process what no reader needs."""
    for limit, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _MOST_FILES_OPEN),
    ):
        resource.setrlimit(limit, (most, most))
    if sys.platform == "linux":  # elsewhere the kernel doesn't hold to it, or refuses it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    mimetypes.init()  # which openpyxl does, from a list of the system's
    readers.suffixes()  # which others' packages are asked for, once
    sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())]
    # Of where Rawi itself is, its package alone: in a checkout, documents may stand beside that.
    own = Path(rag.__path__[0])
    others = (path for path in sys.path if Path(path) != own.parent)
    known = (*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, *others)
    code = (own.resolve(), *(Path(path).resolve() for path in known))

    def guard(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(_FORBIDDEN):
            raise _ForbiddenError(event)
        if event == "open" and isinstance(arguments[0], (str, bytes)):
            # Libraries that are imported as they are needed, and nothing else.
            path = Path(os.fsdecode(arguments[0])).resolve()
            if not any(path.is_relative_to(folder) for folder in code):
                raise _ForbiddenError(str(path))

    sys.addaudithook(guard)


def _answer(suffix: str, content: bytes, chars: int) -> dict[str, Any]:
    try:
        reading: Reading = readers.load(suffix)(content)
    except DocumentError as exc:
        return {"refused": str(exc)}
    # A row is said with its header, which may be the longer of the two.
    if max(len(reading.text), sum(len(block.said) for block in reading.blocks)) > chars:
        return {"refused": f"holds more text than documents.max_chars ({chars:,} characters)"}
    return asdict(reading) | {"blocks": [astuple(block) for block in reading.blocks]}


if __name__ == "__main__":
    main()
