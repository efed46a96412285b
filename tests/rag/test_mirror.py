"""A folder that is worked on for long: after each run the index is what a new one would be."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rag import index
from rag.config import Settings
from tests.conftest import VOCABULARY, WordEmbedder, in_child
from tests.rag import files
from tests.rag.files import ARABIC, ENGLISH, Text
from tests.rag.test_index import State, run, state

pytestmark = pytest.mark.slow

# What makes a file of each type, of a text; of a PDF, a few lines of it.
MAKERS: dict[str, Callable[[Text], bytes]] = {
    "csv": files.fields, "docx": files.word, "epub": files.book, "html": files.html,
    "jsonl": files.lines, "md": files.markdown, "ods": files.open_sheets,
    "odt": files.open_text, "pdf": lambda text: _pdf(text), "pptx": files.slides,
    "rtf": files.rich, "tsv": lambda text: files.fields(text, "\t"),
    "txt": lambda text: f"{text.title}\n\n{text.opening}\n\n{text.last}\n".encode(),
    "xhtml": files.html, "xlsx": files.workbook,
}  # fmt: skip
FOLDERS = ("", "", "one/", "one/two/", "ثلاثة/", "one/two/four 4/")


def _pdf(text: Text) -> bytes:
    said = text.last.encode("ascii", "ignore").decode()
    return files.drawn(files.line(ENGLISH.title, 72, 780, 18) + files.line(said, 72, 740))


@dataclass
class Folder:
    """A folder in which somebody works, by chance."""

    corpus: Path
    chance: random.Random

    def work(self) -> str:
        """Do something, and say what."""
        held = sorted(path for path in self.corpus.rglob("*") if path.is_file())
        does = self.chance.choices(
            (self.add, self.edit, self.rename, self.delete, self.rewrite, self.copy, self.spoil),
            (4, 3, 3, 2, 1, 1, 1),
        )[0]
        if does == self.delete and len(held) < 5:
            does = self.add
        return f"{does.__name__} {does(self.chance.choice(held) if held else self.corpus)}"

    def add(self, _: Path) -> Path:
        suffix = self.chance.choice(sorted(MAKERS))
        return self._put(self._place(suffix), self._content(suffix))

    def edit(self, path: Path) -> Path:
        return self._put(path, self._content(path.suffix[1:]))

    def rename(self, path: Path) -> str:
        place = self._place(path.suffix[1:])
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)
        self._tidy(path)
        return f"{path} {place}"

    def delete(self, path: Path) -> Path:
        path.unlink()
        self._tidy(path)
        return path

    def rewrite(self, path: Path) -> Path:
        content = path.read_bytes()
        path.unlink()
        return self._put(path, content)

    def copy(self, path: Path) -> Path:
        return self._put(self._place(path.suffix[1:]), path.read_bytes())

    def spoil(self, path: Path) -> Path:
        return self._put(path, self.chance.choice((b"", b"\xff\xfe\x00", path.read_bytes()[:60])))

    def _place(self, suffix: str) -> Path:
        name = self.chance.choice(("cats", "about dogs", "قطط", "2024-05", "Salem"))
        return (
            self.corpus / f"{self.chance.choice(FOLDERS)}{name} {self.chance.randrange(9)}.{suffix}"
        )

    def _content(self, suffix: str) -> bytes:
        text = self.chance.choice((ENGLISH, ARABIC))
        said = (f"{self.chance.choice(VOCABULARY)} {self.chance.randrange(40)}." for _ in range(9))
        return MAKERS[suffix](Text(**vars(text) | {"last": " ".join((text.last, *said))}))

    def _put(self, path: Path, content: bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def _tidy(self, path: Path) -> None:
        """Remove the folders that a file left empty: those that stay are taken for lost."""
        for folder in path.parents:
            if folder == self.corpus or any(folder.iterdir()):
                break
            folder.rmdir()


def built_from_nothing(settings: Settings, place: Path) -> State:
    clean = settings.model_copy(update={"storage": place})
    index.update(clean, WordEmbedder())
    return state(clean)


def mirrored(settings: Settings, place: Path, *, count: int, works: int, every: int) -> None:
    """Work in a folder of so many files, and compare the index every so many steps."""
    folder = Folder(settings.corpus, random.Random(7))
    for _ in range(count):
        folder.add(settings.corpus)
    done: list[str] = []
    for number in range(works + 1):
        if number:
            done.append(folder.work())
        if number % every == 0:
            index.update(settings, WordEmbedder())
            found = built_from_nothing(settings, place / str(number))
            assert state(settings) == found, "\n".join(done[-every:])


def test_the_index_is_what_a_new_one_would_be(settings: Settings, tmp_path: Path) -> None:
    mirrored(settings, tmp_path / "clean", count=60, works=60, every=30)


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_the_index_is_what_a_new_one_would_be_for_long(settings: Settings, tmp_path: Path) -> None:
    mirrored(settings, tmp_path / "clean", count=1_000, works=2_000, every=50)


def run_for(seconds: float, corpus: Path, folder: Path) -> object:
    """Index, and be killed after a while."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    return run(corpus, folder, "words")


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_an_index_whose_runs_are_killed_anywhere(settings: Settings, tmp_path: Path) -> None:
    chance = random.Random(11)
    folder = Folder(settings.corpus, chance)
    many = settings.corpus / "many.txt"  # more passages than Chroma keeps out of its files
    lines = [f"{VOCABULARY[n % 6]} {n} {'is very large and sleeps. ' * 20}" for n in range(1_500)]
    many.write_text("\n\n".join(lines))
    for _ in range(30):
        folder.add(settings.corpus)
    began = time.monotonic()
    index.update(settings, WordEmbedder())
    whole, killed = time.monotonic() - began, 0
    for number in range(50):
        for _ in range(10):
            folder.work()
        many.write_text("\n\n".join(lines[number * 5 :]))
        after = chance.uniform(0, whole)
        ended = in_child(run_for, after, settings.corpus, settings.storage)
        killed += ended == -signal.SIGALRM
        if number % 5 == 4:
            index.update(settings, WordEmbedder())
            assert state(settings) == built_from_nothing(settings, tmp_path / str(number))
    assert killed > 10
