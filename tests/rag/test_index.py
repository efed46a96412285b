"""The index equals the folder: after every change, every failure and a kill at any point."""

from __future__ import annotations

import errno
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest
from filelock import FileLock
from llama_index.vector_stores.chroma import ChromaVectorStore

from rag import current, documents, index, readers
from rag.config import DocumentsSettings, PassagesSettings, Settings
from rag.errors import DocumentError, IndexStorageError, NoIndexError, StaleIndexError
from rag.index import IndexReport, update
from rag.storage import Storage
from tests.conftest import WordEmbedder, Write, drop_privileges, in_child

PRINT = "words"
State = dict[str, list[tuple[Any, ...]]]


def state(settings: Settings, fingerprint: str = PRINT) -> State:
    """Return all that an index holds, in both halves, and check that they agree."""
    with current.open_current(settings, fingerprint) as store:
        return state_of(store)


def index_folder(settings: Settings) -> Path:
    """Return the folder of the current index."""
    found = current.read_current(settings.storage)
    assert found is not None
    return found.folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def state_of(store: Storage) -> State:
    documents = store.db.execute("SELECT * FROM documents ORDER BY id").fetchall()
    passages = store.db.execute(
        'SELECT id, doc, start, "end", language, sentences, vectors FROM passages ORDER BY id'
    ).fetchall()
    grams, names = (
        store.db.execute(f"SELECT * FROM {table}_counts ORDER BY token").fetchall()
        for table in ("grams", "names")
    )
    failures = store.db.execute("SELECT * FROM failures ORDER BY doc").fetchall()
    held = store.collection.get(include=["embeddings", "metadatas", "documents"])
    columns = (held[name] for name in ("ids", "embeddings", "metadatas", "documents"))
    vectors = sorted(
        (id_, tuple(vector), meta["doc"], text)
        for id_, vector, meta, text in zip(*columns, strict=True)
    )
    assert [row[0] for row in vectors] == [row[0] for row in passages]
    assert {row[1] for row in passages} == {row[0] for row in documents}
    return {
        "documents": documents,
        "passages": passages,
        "failures": failures,
        "vectors": vectors,
        "grams": grams,
        "names": names,
    }


def texts(settings: Settings, fingerprint: str = PRINT) -> dict[str, str]:
    """Return the indexed documents' texts."""
    return {row[0]: row[4] for row in state(settings, fingerprint)["documents"]}


def counts(report: IndexReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged


@pytest.fixture
def three(write: Write) -> None:
    write("a.txt", "Cats sleep.\n")
    write("b.txt", "Dogs bark.\n")
    write("sub/c.txt", "تسبح الأسماك.\n")


# The folder and the index.


def test_a_first_run_indexes_everything(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    report = update(settings, embedder)
    assert report == IndexReport(3, 0, 0, 0, failed={}, documents=3, passages=3)
    assert texts(settings) == {
        "a.txt": "Cats sleep.", "b.txt": "Dogs bark.", "sub/c.txt": "تسبح الأسماك.",
    }  # fmt: skip


def test_a_second_run_changes_nothing_and_embeds_nothing(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    update(settings, embedder)
    before, embedder.seen = state(settings), []
    report = update(settings, embedder)
    assert report == IndexReport(0, 0, 0, 3, failed={}, documents=3, passages=3)
    assert embedder.seen == []
    assert state(settings) == before


def test_an_edited_file_replaces_its_passages(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    update(settings, embedder)
    old = {row[0] for row in state(settings)["passages"]}
    embedder.seen = []
    write("b.txt", "Dogs sleep too.")
    assert counts(update(settings, embedder)) == (0, 1, 0, 2)
    assert texts(settings)["b.txt"] == "Dogs sleep too."
    assert len({row[0] for row in state(settings)["passages"]} - old) == 1
    assert set(embedder.seen) == {"Dogs sleep too."}


def test_a_touched_file_is_unchanged(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    update(settings, embedder)
    os.utime(settings.corpus / "a.txt", (0, 0))
    assert counts(update(settings, embedder)) == (0, 0, 0, 3)


def test_a_new_file_is_added_and_one_that_left_is_removed(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    update(settings, embedder)
    write("d.txt", "Birds fly.")
    (settings.corpus / "a.txt").unlink()
    report = update(settings, embedder)
    assert report == IndexReport(1, 0, 1, 2, failed={}, documents=3, passages=3)
    assert list(texts(settings)) == ["b.txt", "d.txt", "sub/c.txt"]


def test_a_renamed_file_is_one_added_and_one_removed(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    update(settings, embedder)
    (settings.corpus / "a.txt").rename(settings.corpus / "z.txt")
    assert counts(update(settings, embedder)) == (1, 0, 1, 2)
    assert list(texts(settings)) == ["b.txt", "sub/c.txt", "z.txt"]


def test_two_files_may_say_the_same(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    write("a.txt", "Cats sleep.")
    write("b.txt", "Cats sleep.")
    assert update(settings, embedder).passages == 2
    (settings.corpus / "a.txt").unlink()
    update(settings, embedder)
    assert texts(settings) == {"b.txt": "Cats sleep."}


def test_an_edit_taken_back_gives_the_index_before_it(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    update(settings, embedder)
    before = state(settings)
    for content in ("Cats play.", "Cats sleep.\n"):
        write("a.txt", content)
        assert update(settings, embedder).changed == 1
    assert state(settings) == before


@pytest.mark.slow
def test_a_file_of_more_passages_than_chroma_takes_at_once(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    length = 5_500  # Chroma takes 5,461
    small = settings.model_copy(update={"passages": PassagesSettings(max_chars=100)})
    write("large.txt", "\n".join(f"Cat {n} sleeps{' very' * 10} soundly." for n in range(length)))
    assert update(small, embedder).passages == length
    assert len(state(small)["vectors"]) == length
    write("large.txt", "Cats.")
    update(small, embedder)
    assert texts(small) == {"large.txt": "Cats."}


def test_any_file_name_can_be_indexed(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    names = ["مقال عن القطط.txt", "line\nbreak.txt", "\u202egnp.txt", "\x1b[31m.txt", "'; DROP.txt"]
    for name in names:
        write(name, "Cats.")
    update(settings, embedder)
    assert set(texts(settings)) == set(names)


def test_a_storage_within_the_corpus_is_not_part_of_it(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    within = settings.model_copy(update={"storage": settings.corpus / "sub" / "storage"})
    for _ in range(2):
        report = update(within, embedder)
    assert report == IndexReport(0, 0, 0, 3, failed={}, documents=3, passages=3)


def test_a_corpus_within_the_storage_is_read(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    around = settings.model_copy(update={"storage": settings.corpus.parent})
    assert update(around, embedder).documents == 3


def test_progress_names_each_file_and_ends_full(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    calls: list[tuple[str, int, int]] = []
    update(settings, embedder, lambda *call: calls.append(call))
    assert calls == [("a.txt", 0, 3), ("b.txt", 1, 3), ("sub/c.txt", 2, 3), ("", 3, 3)]


# Files that can't be read.


def test_a_bad_file_is_reported_and_the_rest_indexed(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    write("cp1256.txt", "مال".encode("cp1256"))
    write("empty.txt", "")
    write("photo.jpg", b"\xff\xd8")
    write("large.txt", b"x" * 2_000)
    limited = settings.model_copy(update={"documents": DocumentsSettings(max_bytes=1_000)})
    report = update(limited, embedder)
    assert report.failed == {
        "cp1256.txt": "not UTF-8 (byte 0xe3 at 0); save it as UTF-8",
        "empty.txt": "holds no text",
        "large.txt": "2,000 bytes, more than documents.max_bytes (1,000)",
        "photo.jpg": f"not a file type that Rawi reads ({', '.join(readers.suffixes())})",
    }
    assert [row[:2] for row in state(settings)["failures"]] == sorted(report.failed.items())
    assert list(texts(settings)) == ["a.txt", "b.txt", "sub/c.txt"]


def test_a_name_that_is_not_unicode_is_reported_readably(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (settings.corpus / name).write_text("Cats.", encoding="utf-8")
    report = update(settings, embedder)
    assert report.failed == {"caf\\udce9.txt": "the file's name is not UTF-8; rename it"}
    assert [row[:2] for row in state(settings)["failures"]] == list(report.failed.items())


def test_a_file_that_becomes_unreadable_leaves_the_index_and_returns(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    update(settings, embedder)
    before = state(settings)
    write("a.txt", "مال".encode("cp1256"))
    report = update(settings, embedder)
    assert counts(report) == (0, 0, 1, 2)
    assert list(report.failed) == ["a.txt"]
    assert list(texts(settings)) == ["b.txt", "sub/c.txt"]
    write("a.txt", "Cats sleep.\n")
    assert counts(update(settings, embedder)) == (1, 0, 0, 2)
    assert state(settings) == before


def test_a_file_that_was_refused_is_read_again_once_it_changes(
    settings: Settings,
    embedder: WordEmbedder,
    three: None,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parse, parsed = documents.parse, []

    def noted(doc: str, *arguments: Any) -> Any:
        parsed.append(doc)
        return parse(doc, *arguments)

    monkeypatch.setattr(documents, "parse", noted)
    write("bad.pdf", b"no PDF")
    first = update(settings, embedder)
    parsed.clear()
    assert update(settings, embedder).failed == first.failed
    assert parsed == []
    # Other bounds, another reader, other content.
    more = settings.model_copy(update={"documents": DocumentsSettings(max_seconds=60)})
    assert update(more, embedder).failed == first.failed
    assert parsed == ["bad.pdf"]
    monkeypatch.setattr(readers, "_VERSIONS", {"pdf:read": 99})
    assert update(more, embedder).failed == first.failed
    write("bad.pdf", b"no PDF either")
    update(more, embedder)
    assert parsed == ["bad.pdf"] * 3


def test_what_another_version_of_a_reader_read_is_read_anew(
    settings: Settings, embedder: WordEmbedder, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a.csv", "animal,fee\ncat,20\n")
    write("a.txt", "Cats sleep.")
    update(settings, embedder)
    embedder.seen = []
    monkeypatch.setattr(readers, "_VERSIONS", {"delimited:read": 2})
    assert counts(update(settings, embedder)) == (0, 1, 0, 1)
    assert embedder.seen == []  # it reads the same
    assert state(settings)


def test_a_moved_file_keeps_its_vectors(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    text = "Guide to the animals\n\n" + "\n\n".join(
        f"The {animal} sleeps in the garden. {'It is large. ' * 30}" for animal in ("cat", "dog")
    )
    write("guide to the animals.txt", text)
    update(settings, embedder)
    embedder.seen = []
    (settings.corpus / "sub").mkdir()
    old, new = settings.corpus / "guide to the animals.txt", settings.corpus / "animals.txt"
    old.rename(new)  # its words are those of the title
    assert counts(update(settings, embedder)) == (1, 0, 1, 0)
    assert embedder.seen == []
    new.write_text(text.replace("dog", "bird"))  # of an edited one, the passage that was edited
    assert counts(update(settings, embedder)) == (0, 1, 0, 0)
    assert embedder.seen
    assert all("cat sleeps" not in seen for seen in embedder.seen)
    embedder.seen = []
    new.rename(settings.corpus / "Salem.txt")  # who is in all that is read of it
    update(settings, embedder)
    assert any("Salem" in seen for seen in embedder.seen)
    clean = settings.model_copy(update={"storage": settings.storage.with_name("clean")})
    update(clean, embedder)
    assert state(settings) == state(clean)


# What can't be reached, which may be there still.


def fail(monkeypatch: pytest.MonkeyPatch, part: str, number: int) -> None:
    """Let every file whose path has this part in it fail to be read."""
    read_bytes = Path.read_bytes

    def failing(path: Path) -> bytes:
        if part in str(path):
            raise OSError(number, os.strerror(number), str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", failing)


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.ESTALE])
def test_a_file_that_cannot_be_read_for_now_keeps_its_document(
    settings: Settings,
    embedder: WordEmbedder,
    three: None,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    update(settings, embedder)
    before = state(settings)["documents"]
    write("new.txt", "A new one.")
    with monkeypatch.context() as patch:
        fail(patch, "sub/c.txt", number)
        fail(patch, "new.txt", number)
        report = update(settings, embedder)
    said = f"can't be read ({os.strerror(number)})"
    kept = f"{said}; what was indexed before still answers"
    assert report.failed == {"new.txt": said, "sub/c.txt": kept}
    assert state(settings)["documents"] == before
    assert counts(update(settings, embedder)) == (1, 0, 0, 3)


@pytest.mark.slow
def test_a_folder_that_cannot_be_listed_keeps_its_documents(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    update(settings, embedder)
    (settings.corpus / "sub").chmod(0)
    done = in_child(run, settings.corpus, settings.storage, PRINT, drop_privileges)
    (settings.corpus / "sub").chmod(0o755)
    assert done == (0, 0, 0, 3)
    assert len(state(settings)["documents"]) == 3


def test_a_folder_that_turned_empty_keeps_its_documents_unless_it_is_meant(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    write("deep/er/d.txt", "Birds fly.")
    write("deep/e.txt", "Birds sleep.")
    update(settings, embedder)
    before = state(settings)["documents"]
    for name in ("sub/c.txt", "deep/er/d.txt", "deep/e.txt"):
        (settings.corpus / name).unlink()
    for _ in range(2):
        report = update(settings, embedder)
        assert counts(report) == (0, 0, 0, 5)
        assert list(report.failed) == ["deep/", "sub/"]
        assert all("what was indexed before still answers" in r for r in report.failed.values())
        assert state(settings)["documents"] == before
    shutil.rmtree(settings.corpus / "deep")  # that is plain
    assert counts(update(settings, embedder)) == (0, 0, 2, 3)
    assert counts(update(settings, embedder, may_empty=True)) == (0, 0, 1, 2)
    assert update(settings, embedder).failed == {}


def test_files_that_moved_out_of_a_folder_leave_it(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    update(settings, embedder)
    (settings.corpus / "sub" / "c.txt").rename(settings.corpus / "c.txt")
    report = update(settings, embedder)
    assert (counts(report), report.failed) == ((1, 0, 1, 2), {})


def on_device(monkeypatch: pytest.MonkeyPatch, folder: Path, device: int) -> None:
    """Let a folder and all below be of a file system of their own."""
    stat = Path.stat

    def of(path: Path, **keywords: Any) -> os.stat_result:
        found = stat(path, **keywords)
        if folder in (path, *path.parents):
            return os.stat_result((*found[:2], device, *found[3:]))
        return found

    monkeypatch.setattr(Path, "stat", of)


def test_what_lies_beneath_a_mount_is_not_taken_for_it(
    settings: Settings,
    embedder: WordEmbedder,
    three: None,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        on_device(patch, settings.corpus / "sub", 77)
        update(settings, embedder)
    (settings.corpus / "sub" / "c.txt").unlink()
    write("sub/not mounted.txt", "Nothing is mounted here.")
    for added in (1, 0):
        report = update(settings, embedder)
        assert (report.added, report.removed, list(report.failed)) == (added, 0, ["sub/"])
    assert "sub/c.txt" in texts(settings)
    with monkeypatch.context() as patch:  # mounted again, elsewhere
        on_device(patch, settings.corpus / "sub", 78)
        (settings.corpus / "sub" / "not mounted.txt").unlink()
        write("sub/c.txt", "تسبح الأسماك.\n")
        assert counts(update(settings, embedder)) == (0, 0, 1, 3)


def test_a_corpus_on_another_device_without_its_documents_is_refused(
    settings: Settings,
    embedder: WordEmbedder,
    three: None,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        on_device(patch, settings.corpus, 77)
        update(settings, embedder)
    assert counts(update(settings, embedder)) == (0, 0, 0, 3)  # only its number changed
    with monkeypatch.context() as patch:
        on_device(patch, settings.corpus, 78)
        before = state(settings)
        no_files(settings.corpus)
        write("not mounted.txt", "Nothing is mounted here.")
        with pytest.raises(DocumentError, match=r"another device .* --empty"):
            update(settings, embedder)
        assert state(settings) == before
        assert counts(update(settings, embedder, may_empty=True)) == (1, 0, 3, 0)


def no_files(corpus: Path) -> None:
    shutil.rmtree(corpus)
    corpus.mkdir()


def only_bad_files(corpus: Path) -> None:
    no_files(corpus)
    (corpus / "bad.txt").write_bytes(b"\xff")


EMPTY = {
    "empty": (no_files, "holds no documents; .*put .txt or .md files there"),
    "nothing readable": (only_bad_files, r"none of its 1 files can be read; the first, bad\.txt"),
    "missing": (shutil.rmtree, "no such folder; set corpus in config.yaml or give --corpus"),
}  # fmt: skip


@pytest.mark.parametrize(("empty", "reason"), EMPTY.values(), ids=EMPTY)
def test_a_corpus_without_documents_is_refused_and_the_index_kept(
    settings: Settings,
    embedder: WordEmbedder,
    three: None,
    empty: Callable[[Path], None],
    reason: str,
) -> None:
    update(settings, embedder)
    before = state(settings)
    empty(settings.corpus)
    with pytest.raises(DocumentError, match=f"^{settings.corpus}: {reason}"):
        update(settings, embedder)
    assert state(settings) == before
    with pytest.raises(DocumentError, match=reason):  # nor beside it
        update(settings, WordEmbedder("other"))
    assert state(settings) == before


def test_a_corpus_without_documents_is_said_to_answer_from_what_was_before(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    update(settings, embedder)
    no_files(settings.corpus)
    with pytest.raises(DocumentError, match=r"before still answers.*rawi index --empty"):
        update(settings, embedder)


def test_a_corpus_that_is_meant_to_be_empty_leaves_no_index(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    update(settings, embedder)
    no_files(settings.corpus)
    assert update(settings, embedder, may_empty=True) == IndexReport(0, 0, 3, 0, {}, 0, 0)
    with pytest.raises(NoIndexError):
        current.open_current(settings, PRINT)
    assert not list(settings.storage.glob("index-*"))
    assert update(settings, embedder, may_empty=True).removed == 0
    (settings.corpus / "new.txt").write_text("A new one.")
    assert update(settings, embedder, may_empty=True).added == 1


def test_a_corpus_with_nothing_readable_leaves_no_index_if_that_is_meant(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    update(settings, embedder)
    only_bad_files(settings.corpus)
    with pytest.raises(DocumentError, match=r"files .* before still answers; .*rawi index --empty"):
        update(settings, embedder)
    report = update(settings, embedder, may_empty=True)
    assert (counts(report), list(report.failed)) == ((0, 0, 3, 0), ["bad.txt"])
    with pytest.raises(NoIndexError):
        current.open_current(settings, PRINT)
    with pytest.raises(DocumentError, match=r"none of its 1 files can be read; [^;]*; save it .*"):
        update(settings, embedder, may_empty=True)


@pytest.mark.parametrize("name", ["photo.jpg", "bad.txt", "pictures/photo.jpg"])
def test_the_last_readable_file_is_deleted_where_one_stays_that_never_was(
    settings: Settings, embedder: WordEmbedder, write: Write, name: str
) -> None:
    write("a.txt", "Cats sleep.")
    write(name, b"\xff\xd8\xff")
    update(settings, embedder)
    with current.open_current(settings, PRINT) as store:
        (settings.corpus / "a.txt").unlink()
        assert counts(update(settings, embedder)) == (0, 0, 1, 0)
        assert store.count("documents") == 0  # nor does who has it open answer from it
    with pytest.raises(NoIndexError):
        current.open_current(settings, PRINT)


def test_documents_that_turned_unreadable_all_at_once_are_kept(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    write("photo.jpg", b"\xff\xd8\xff")
    update(settings, embedder)
    before = state(settings)
    for name in ("a.txt", "b.txt", "sub/c.txt"):
        write(name, b"\xff")
    with pytest.raises(DocumentError, match="none of its 4 files"):
        update(settings, embedder)
    assert state(settings)["documents"] == before["documents"]


def test_what_cannot_be_reached_is_not_advised_to_be_forgotten(
    settings: Settings, embedder: WordEmbedder, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a.txt", "Cats sleep.")
    update(settings, embedder)
    fail(monkeypatch, "a.txt", errno.EIO)
    for may_empty in (False, True):
        with pytest.raises(DocumentError) as raised:
            update(settings, embedder, may_empty=may_empty)
        assert str(raised.value).endswith("error); what was indexed before still answers")
    assert texts(settings)


def test_a_folder_within_that_turned_empty_is_kept_beside_what_cannot_be_read(
    settings: Settings, embedder: WordEmbedder, write: Write
) -> None:
    write("photo.jpg", b"\xff\xd8\xff")
    write("mounted/a.txt", "Cats sleep.")
    update(settings, embedder)
    (settings.corpus / "mounted" / "a.txt").unlink()
    with pytest.raises(DocumentError, match="before still answers"):
        update(settings, embedder)
    assert state(settings)["documents"]


@pytest.mark.parametrize(("empty", "reason"), EMPTY.values(), ids=EMPTY)
def test_a_corpus_without_documents_makes_no_index(
    settings: Settings, embedder: WordEmbedder, empty: Callable[[Path], None], reason: str
) -> None:
    empty(settings.corpus)
    with pytest.raises(DocumentError, match=reason):
        update(settings, embedder)
    with pytest.raises(NoIndexError):
        current.open_current(settings, PRINT)


@pytest.mark.slow
def test_the_corpus_is_never_written_to(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    def listing() -> list[tuple[str, int, int]]:
        paths = [settings.corpus, *settings.corpus.rglob("*")]
        return [(str(p), p.stat().st_mtime_ns, p.stat().st_mode) for p in sorted(paths)]

    for path in sorted(settings.corpus.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
    settings.corpus.chmod(0o555)
    before = listing()
    assert in_child(run, settings.corpus, settings.storage, PRINT, drop_privileges) == (3, 0, 0, 0)
    assert in_child(run, settings.corpus, settings.storage, PRINT, drop_privileges) == (0, 0, 0, 3)
    assert listing() == before


def run(
    corpus: Path, folder: Path, fingerprint: str, prepare: Callable[[], Any] = lambda: None
) -> object:
    """Index, in a child, and return the counts or the one line it ends with."""
    prepare()
    try:
        return counts(update(Settings(corpus=corpus, storage=folder), WordEmbedder(fingerprint)))
    except IndexStorageError as exc:
        return str(exc)


# Another fingerprint.


def test_another_fingerprint_is_built_beside_and_swapped_in(
    settings: Settings, embedder: WordEmbedder, three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(settings, embedder)
    before = state(settings)
    swap, folders = current.make_current, []

    def look_and_swap(*arguments: Any) -> None:
        folders.extend(sorted(path.name for path in settings.storage.glob("index-*")))
        assert state(settings) == before  # until the swap the old one answers
        with pytest.raises(StaleIndexError):
            current.open_current(settings, "other")
        swap(*arguments)

    monkeypatch.setattr(current, "make_current", look_and_swap)
    assert counts(update(settings, WordEmbedder("other"))) == (3, 0, 0, 0)
    assert len(folders) == 2
    assert list(settings.storage.glob("index-*")) == [index_folder(settings)]
    assert list(texts(settings, "other")) == ["a.txt", "b.txt", "sub/c.txt"]
    with pytest.raises(StaleIndexError, match="by another version of Rawi; run: rawi index"):
        current.open_current(settings, PRINT)


# Two at once.


@pytest.mark.slow
def test_of_two_processes_the_second_is_told_to_wait(
    settings: Settings, embedder: WordEmbedder, three: None
) -> None:
    update(settings, embedder)
    before = state(settings)
    with FileLock(settings.storage / "lock"):
        line = in_child(run, settings.corpus, settings.storage, PRINT)
        assert line == (
            f"{settings.storage}: another rawi is indexing there; wait for it to finish"
        )
        assert state(settings) == before  # reading needs no lock
    with current.locked(settings.storage):
        line = in_child(run, settings.corpus, settings.storage, PRINT)
        holder = rf"process {os.getpid()} on {re.escape(gethostname())} since 20\d\d-.* UTC"
        assert re.fullmatch(rf".* is indexing there \({holder}\); wait for it to finish", line)
    assert in_child(run, settings.corpus, settings.storage, PRINT) == (0, 0, 0, 3)


@pytest.mark.slow
def test_an_open_reader_sees_what_another_process_indexed(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    update(settings, embedder)
    write("a.txt", "Cats play. " * 100)
    with current.open_current(settings, PRINT) as reader:
        assert in_child(run, settings.corpus, settings.storage, PRINT) == (0, 1, 0, 2)
        assert state_of(reader) == state(settings)


# A kill. Before: a, b and c are indexed. Then a is edited, b leaves, d comes.


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at(owner: object, name: str, call: int = 1, *, after: bool = False) -> None:
    """Die just before, or after, the n-th call of a function."""
    original, seen = getattr(owner, name), []

    def counted(*arguments: Any, **keywords: Any) -> Any:
        seen.append(None)
        if len(seen) == call and not after:
            die()
        result = original(*arguments, **keywords)
        if len(seen) == call:
            die()
        return result

    setattr(owner, name, counted)


KILLS: dict[str, tuple[object, str, int, bool]] = {
    "before anything is embedded": (WordEmbedder, "encode", 1, False),
    "between passages and sentences": (WordEmbedder, "encode", 2, False),
    "before the first vectors": (ChromaVectorStore, "add", 1, False),
    "after the first vectors, before they are true": (ChromaVectorStore, "add", 1, True),
    "after the second vectors, before they are true": (ChromaVectorStore, "add", 2, True),
    "after a document is true": (index, "_write", 1, True),
    "before old vectors are deleted": (index, "_delete_vectors", 1, False),
    "after old vectors are deleted": (index, "_delete_vectors", 1, True),
    "before documents are removed": (index, "_remove", 1, False),
    "before the mark": (index, "_finish", 1, False),
    "before the swap": (current, "make_current", 1, False),
    "within the swap": (os, "fsync", 1, True),
    "before the old index is removed": (shutil, "rmtree", 1, False),
}


def run_and_die(corpus: Path, folder: Path, fingerprint: str, kill: str) -> object:
    owner, name, call, after = KILLS[kill]
    at(owner, name, call, after=after)
    return run(corpus, folder, fingerprint)


@pytest.fixture
def changed(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write, tmp_path: Path
) -> State:
    """What a clean run makes of the changed folder; the storage still holds the one before."""
    update(settings, embedder)
    write("a.txt", "Cats play. " * 100)
    write("d.txt", "Birds fly.")
    (settings.corpus / "b.txt").unlink()
    clean = settings.model_copy(update={"storage": tmp_path / "clean"})
    update(clean, embedder)
    return state(clean)


OLD = {"a.txt": "Cats sleep.", "b.txt": "Dogs bark.", "sub/c.txt": "تسبح الأسماك."}
NEW = {
    "a.txt": ("Cats play. " * 100).strip(), "d.txt": "Birds fly.", "sub/c.txt": "تسبح الأسماك.",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kill", list(KILLS)[:-1])
def test_a_killed_update_still_answers_and_the_next_run_completes_it(
    settings: Settings, embedder: WordEmbedder, changed: State, kill: str
) -> None:
    result = in_child(run_and_die, settings.corpus, settings.storage, PRINT, kill)
    assert result == -signal.SIGKILL
    with current.open_current(settings, PRINT) as store:  # every document is old or new, and whole
        for doc, text in store.db.execute("SELECT id, text FROM documents"):
            assert text in (OLD.get(doc), NEW.get(doc))
        vectors = set(store.collection.get(include=[])["ids"])
        assert {row[0] for row in store.db.execute("SELECT id FROM passages")} <= vectors
    update(settings, embedder)
    assert state(settings) == changed
    embedder.seen = []
    update(settings, embedder)
    assert embedder.seen == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "kill",
    [
        "before the first vectors",
        "after the second vectors, before they are true",
        "after a document is true",
        "before the mark",
        "within the swap",
    ],
)
def test_a_killed_first_run_is_no_index_and_the_next_run_makes_it(
    settings: Settings, embedder: WordEmbedder, changed: State, kill: str
) -> None:
    shutil.rmtree(settings.storage)
    result = in_child(run_and_die, settings.corpus, settings.storage, PRINT, kill)
    assert result == -signal.SIGKILL
    with pytest.raises(NoIndexError, match="run: rawi index"):
        current.open_current(settings, PRINT)
    update(settings, embedder)
    assert state(settings) == changed


@pytest.mark.slow
@pytest.mark.parametrize(
    "kill",
    [
        "after the first vectors, before they are true",
        "after a document is true",
        "before the swap",
        "within the swap",
        "before the old index is removed",
    ],
)
def test_a_killed_rebuild_keeps_the_old_index_until_the_swap(
    settings: Settings, embedder: WordEmbedder, changed: State, kill: str
) -> None:
    before = state(settings)
    result = in_child(run_and_die, settings.corpus, settings.storage, "other", kill)
    assert result == -signal.SIGKILL
    if kill == "before the old index is removed":
        assert state(settings, "other") == changed
    else:
        assert state(settings) == before
    update(settings, WordEmbedder("other"))
    assert state(settings, "other") == changed
    assert len(list(settings.storage.glob("index-*"))) == 1


# A sweep.


def test_vectors_that_were_lost_are_added_again_without_embedding(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    write("a.txt", "Cats sleep. " * 100)
    update(settings, embedder)
    before = state(settings)
    with current.open_current(settings, PRINT) as store:
        (lost, *_), *_ = store.db.execute("SELECT id FROM passages WHERE doc = 'a.txt'")
        store.collection.delete([lost])
    embedder.seen = []
    assert counts(update(settings, embedder)) == (0, 0, 0, 3)
    assert embedder.seen == []
    assert state(settings) == before


def test_a_document_that_lost_vectors_and_was_edited_leaves_no_vectors_behind(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    write("a.txt", "Cats sleep. " * 100)
    update(settings, embedder)
    with current.open_current(settings, PRINT) as store:
        (lost, *_), *_ = store.db.execute("SELECT id FROM passages WHERE doc = 'a.txt'")
        store.collection.delete([lost])
    write("a.txt", "Cats play.")
    update(settings, embedder)
    assert texts(settings)["a.txt"] == "Cats play."  # state() compares both halves


# A storage that can't be written.


@pytest.mark.slow
def test_a_read_only_storage_is_one_clear_line(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    update(settings, embedder)
    before, bytes_before = state(settings), contents(settings.storage)
    write("d.txt", "Birds fly.")
    paths = [settings.storage, *settings.storage.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for fingerprint in (PRINT, "other"):
        line = in_child(run, settings.corpus, settings.storage, fingerprint, drop_privileges)
        assert str(line).startswith(f"{settings.storage}: ")
        assert str(line).endswith("; give a --storage folder that can be written to")
        assert "\n" not in str(line)
    assert contents(settings.storage) == bytes_before
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert state(settings) == before


def held_documents(storage_folder: Path, copies: Path) -> tuple[int, int, int]:
    """Open an index without rights; return what it holds, and the copies then and after."""
    drop_privileges()
    tempfile.tempdir = str(copies)
    settings = Settings(storage=storage_folder)
    with current.open_current(settings, PRINT) as store:
        held = store.counts()["documents"], len(list(copies.iterdir()))
    return *held, len(list(copies.iterdir()))


@pytest.mark.parametrize("which", ["", "**/*.*", "**/in-use", "**/rawi.sqlite3"])
@pytest.mark.slow
def test_a_storage_of_which_anything_is_read_only_is_read(
    settings: Settings, embedder: WordEmbedder, three: None, tmp_path: Path, which: str
) -> None:
    update(settings, embedder)
    before = contents(settings.storage)
    paths = list(settings.storage.glob(which or "**/*"))
    paths += [] if which else [settings.storage]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    (tmp_path / "copies").mkdir()
    assert in_child(held_documents, settings.storage, tmp_path / "copies") == (3, 1, 0)
    assert contents(settings.storage) == before
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.slow
def test_a_storage_that_cannot_be_made_is_one_clear_line(
    settings: Settings, three: None, tmp_path: Path
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    line = in_child(run, settings.corpus, locked / "storage", PRINT, drop_privileges)
    assert line == (
        f"{locked / 'storage'}: Permission denied; give a --storage folder that can be written to"
    )
    assert list(locked.iterdir()) == []


def many(write: Write) -> None:
    for n in range(20):
        write(f"many/{n:02}.txt", f"Cat number {n} sleeps. " * 1_000)


def limit_files_to_a_quarter_megabyte() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000))


@pytest.mark.slow
def test_a_disk_that_takes_no_more_is_one_clear_line_and_the_old_index_answers(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    update(settings, embedder)
    old = texts(settings)
    many(write)
    line = in_child(
        run, settings.corpus, settings.storage, PRINT, limit_files_to_a_quarter_megabyte
    )
    assert_says_what_to_do(line, settings)
    assert old.items() <= texts_now(settings).items()
    update(settings, embedder)
    assert len(texts(settings)) == 23


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 15 megabytes, ten of which are to stay free."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=15m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small file system")
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can't be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_one_clear_line_and_the_old_index_answers(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write, tiny_disk: Path
) -> None:
    settings = settings.model_copy(update={"storage": tiny_disk / "storage"})
    update(settings, embedder)
    old = texts(settings)
    many(write)
    for fingerprint in ("other", PRINT):
        line = in_child(run, settings.corpus, settings.storage, fingerprint)
        assert_says_what_to_do(line, settings)
        assert "No space left on device; free some space and run: rawi index" in line
        assert old.items() <= texts_now(settings).items()
    shutil.rmtree(settings.corpus / "many")
    update(settings, embedder)
    assert texts(settings) == old


def assert_says_what_to_do(line: str, settings: Settings) -> None:
    assert line.startswith(f"{settings.storage}: ")
    assert "run: rawi index" in line
    assert "\n" not in line


def texts_now(settings: Settings) -> dict[str, str]:
    """Return the texts of an index whose Chroma half may be ahead."""
    with current.open_current(settings, PRINT) as store:
        return dict(store.db.execute("SELECT id, text FROM documents"))


def test_what_the_next_run_would_change_is_known_before(
    settings: Settings, embedder: WordEmbedder, three: None, write: Write
) -> None:
    def behind() -> list[str]:
        with current.open_current(settings, embedder.fingerprint) as store:
            return index.behind(settings, store)

    write("bad.json", "?")
    write("bad.jsonl", "?")
    update(settings, embedder)
    assert behind() == []
    write("bad.jsonl", '{"text": "A cat sleeps here."}\n')
    write("new.txt", "A dog sleeps here.")
    shutil.rmtree(settings.corpus / "sub")
    assert behind() == ["bad.jsonl", "new.txt", "sub/c.txt"]
    update(settings, embedder)
    assert behind() == []
