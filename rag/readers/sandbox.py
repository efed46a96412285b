"""Files of strangers are read in a process of its own, which may fail as it likes.

It has bounds of time, memory and output, no network, no secrets in its environment, and of the
file's place knows nothing. It serves one file after the other, and is replaced when it dies.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, cast

import rag
from rag import extras, readers
from rag.blocks import Block
from rag.config import DocumentsSettings
from rag.errors import ConfigError, DocumentError
from rag.language import clean
from rag.readers.worker import LENGTH, OUT_OF_MEMORY
from rag.readers.writing import Reading

# Bytes of an answer for a character of text at most, and for one without any.
_BYTES_EACH, _BYTES_MORE = 40, 1_000_000
_TESSDATA = "tess*/**/tessdata"
_ENDS_IN_S = 5.0  # with a core or a traceback that nobody reads
# Of numeric libraries: each thread would reserve memory of its own.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Sandbox:
    """Reads files; use as a context manager. The process starts with the first of them."""

    def __init__(self, settings: DocumentsSettings) -> None:
        """Take the bounds.

        :raises RawiError: When pictures are to be read, and what does so is not installed.
        """
        self.settings = settings
        self._ocr = _recognition(settings.ocr) if settings.ocr else {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def read(self, suffix: str, content: bytes) -> Reading:
        """Read a file.

        :param suffix: Of its name, in lower case.
        :raises DocumentError: When it can't be read, for whatever reason.
        """
        used = self._process is not None
        answer = self._answer(suffix, content)
        if isinstance(answer, int) and used:
            answer = self._answer(suffix, content)  # what was read before it may have worn it out
        if isinstance(answer, int):
            if answer == OUT_OF_MEMORY:
                most = self.settings.max_memory_bytes
                raise DocumentError(
                    f"takes more memory to read than documents.max_memory_bytes ({most:,})"
                )
            if answer < 0:
                raise DocumentError(
                    "broke the program that reads it off: it is damaged, or takes more memory than"
                    f" documents.max_memory_bytes ({self.settings.max_memory_bytes:,})"
                )
            raise DocumentError(f"is damaged, or no {suffix} file")
        return _checked(json.loads(answer))

    def _answer(self, suffix: str, content: bytes) -> bytes | int:
        """Return an answer, or the exit status of a process that gave none."""
        process = self._process = self._process or self._started()
        requests, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self.settings.max_seconds, end)
        timer.start()
        try:
            request = json.dumps({"suffix": suffix, "size": len(content)}).encode()
            requests.write(request + b"\n" + content)
            requests.flush()
            answer = self._received(answers)
        except (BrokenPipeError, struct.error):
            answer = None
        finally:
            timer.cancel()
        if answer is not None and not late.is_set():
            return answer
        status = _status(process)
        self.close()
        if late.is_set():
            raise DocumentError(
                f"took longer to read than documents.max_seconds ({self.settings.max_seconds:g})"
            )
        return status

    def _received(self, answers: IO[bytes]) -> bytes | None:
        """Return an answer; None where it breaks off or is too long to be one."""
        (length,) = LENGTH.unpack(answers.read(LENGTH.size))
        if length > self.settings.max_chars * _BYTES_EACH + _BYTES_MORE:
            return None
        answer = answers.read(length)
        return answer if len(answer) == length else None

    def _started(self) -> subprocess.Popen[bytes]:
        settings = self.settings
        code = [str(Path(rag.__file__).parents[1]), *filter(os.path.isabs, sys.path)]
        return subprocess.Popen(  # noqa: S603 - our own program
            [
                sys.executable, "-m", "rag.readers.worker",
                str(settings.max_memory_bytes), str(settings.max_chars),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={
                "PYTHONPATH": os.pathsep.join(dict.fromkeys(code)),
                "PYTHONUTF8": "1",
                **dict.fromkeys(_ONE_THREAD, "1"),
                **self._ocr,
            },
            start_new_session=True,  # Ctrl-C is for whoever waits for it
        )  # fmt: skip


def _recognition(languages: str) -> dict[str, str]:
    """Return the environment that text recognition needs.

    :raises RawiError: When it, or one of the languages, is not installed.
    """
    extras.require("ocr", "documents.ocr")
    given = os.environ.get("TESSDATA_PREFIX")
    folders = [Path(given)] if given else sorted(Path("/usr/share").glob(_TESSDATA))
    names = [f"{language}.traineddata" for language in languages.split("+")]
    for folder in folders:
        if all((folder / name).is_file() for name in names):
            return {"TESSDATA_PREFIX": str(folder), readers.OCR: languages}
    packages = [f"tesseract-ocr-{name.replace('_', '-')}" for name in languages.split("+")]
    raise ConfigError(
        f"documents.ocr: Tesseract lacks one of {languages}; on Debian: apt-get install"
        f" {' '.join(packages)}"
    )


def _status(process: subprocess.Popen[bytes]) -> int:
    """Return how a process ended, once it has; it is on its way."""
    try:
        return process.wait(_ENDS_IN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _checked(answer: dict[str, object]) -> Reading:
    """Return what the process said, if it can be a reading.

    :raises DocumentError: With the reason that it gave, or where its places don't hold.
    """
    if "refused" in answer:
        raise DocumentError(str(answer["refused"]))
    try:
        fields = {name: str(answer[name]) for name in ("text", "title", "author", "date")}
        blocks = tuple(Block(*block) for block in answer["blocks"])  # type: ignore[attr-defined]
        pages = tuple(map(int, answer["pages"]))  # type: ignore[call-overload]
        last = 0
        for block in blocks:
            if not last <= block.start < block.end <= len(fields["text"]):
                raise ValueError("a block out of its place")
            last = block.end
        if clean(fields["text"]) != fields["text"]:
            raise ValueError("a text that is not clean")
    except (KeyError, TypeError, ValueError) as exc:
        raise DocumentError(f"its reader gave what can't be used ({exc})") from exc
    return Reading(blocks=blocks, pages=pages, **fields)
