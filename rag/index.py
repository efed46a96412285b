"""Make the index equal to the folder: what is new is added, what changed replaced, what left gone.

A kill at any point loses nothing. Vectors are written before the transaction that makes a document
true and removed after the one that makes it untrue; what a kill leaves between is swept up by the
next run, which knows of it from the ``clean`` mark.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

from rag import current, damage, documents, lexical, passages, storage
from rag.config import Settings
from rag.documents import Document
from rag.embedding import Embedder, PassageInput
from rag.errors import DocumentError, UnreachableError
from rag.lost import KEPT, Lost
from rag.passages import Passage
from rag.readers.sandbox import Sandbox
from rag.storage import Storage
from rag.vector_server import reach

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
Refused = Callable[[str, str], None]

# Passages that Chroma adds, deletes or lists in one call; it adds at most 5,461. Its server takes
# 40 MiB in one, which those of 4,096 dimensions are under.
_BATCH, _SENT = 5_000, 1_000


@dataclass(frozen=True)
class Failure:
    """Why a file is not indexed.

    :ivar sha256: Of what was refused, see ``documents.digest``; empty for what is tried again.
    """

    reason: str
    sha256: str


@dataclass(frozen=True)
class IndexReport:
    """What a run changed, in documents, and what stands in the index after it."""

    added: int
    changed: int
    removed: int
    unchanged: int
    failed: dict[str, str]
    documents: int
    passages: int


def update(
    settings: Settings,
    embedder: Embedder,
    progress: Progress = lambda *_: None,
    *,
    may_empty: bool = False,
    refused: Refused = lambda *_: None,
) -> IndexReport:
    """Bring the index in ``settings.storage`` up to date with ``settings.corpus``.

    :param progress: Called with a document's id, the number done and the number to do.
    :param may_empty: Whether folders without documents are meant: what was indexed of one within
        is forgotten, and the index is removed when the corpus is one, or has none but what can't be
        read.
    :param refused: Called with the id of a document that can't be read, and why.
    :raises DocumentError: When the corpus isn't there, isn't what it was or holds no document that
        can be read; what was indexed before is kept.
    :raises IndexStorageError: When the storage can't be written; what it held still stands.
    """
    files = listed(settings)
    current.read_current(settings.storage)  # refuses a folder of another version before touching it
    if settings.vectors.on_server:
        reach(settings.vectors)  # one that is away is told before anything is touched
    folder = current.folder_for(settings, embedder.fingerprint)
    with storage.translated(settings.storage):
        settings.storage.mkdir(parents=True, exist_ok=True, mode=0o700)
        with current.locked(settings.storage):
            if may_empty and not files:
                held = _held(settings)
                current.drop(settings.storage, settings.vectors)
                return IndexReport(0, 0, held, 0, {}, 0, 0)
            if folder.exists() and (found := damage.find(folder, settings.vectors)):
                logger.warning("%s: %s; it is built anew", *found)
                damage.discard(found[0], settings.vectors)
            with Storage(folder, settings.vectors, writing=True) as store:
                lost = Lost(store, settings.corpus, files, may_empty=may_empty)
                report = _synchronise(store, files, lost, settings, embedder, progress, refused)
            if report.documents:
                current.make_current(folder, embedder.fingerprint, settings.vectors)
            else:
                current.drop(settings.storage, settings.vectors)
    return report


def names(settings: Settings) -> list[str]:
    """Return the documents that ``update`` would go through, in its order and by its names.

    :raises DocumentError: When the corpus isn't there or can't be listed.
    """
    return list(map(_shown, listed(settings)))


def listed(settings: Settings) -> list[str]:
    """Return the files of the corpus, without the storage folder if that lies within.

    :raises DocumentError: When the corpus isn't there or can't be listed.
    """
    files = documents.list_files(settings.corpus)
    corpus, folder = settings.corpus.resolve(), settings.storage.resolve()
    if corpus not in folder.parents:
        return files
    own = folder.relative_to(corpus).as_posix() + "/"
    return [doc for doc in files if not doc.startswith(own)]


def behind(settings: Settings, store: Storage) -> list[str]:
    """Return the documents that the next run would add, change or remove.

    :raises DocumentError: When the corpus isn't there.
    """
    with storage.translated(settings.storage):
        held = dict(store.db.execute("SELECT id, sha256 FROM documents"))
        refused = _refused(store)
    found: dict[str, str] = {}
    for doc in listed(settings):
        try:
            content = documents.read_bytes(settings.corpus, doc, settings.documents)
        except UnreachableError:  # what is held of it is kept
            found |= {doc: held[doc]} if doc in held else {}
        except DocumentError:  # as it was said when it was indexed
            continue
        else:
            sha256 = documents.digest(doc, content, settings.documents)
            if doc not in refused or refused[doc].sha256 != sha256:
                found[doc] = sha256
    return sorted(doc for doc in held.keys() | found.keys() if held.get(doc) != found.get(doc))


def _held(settings: Settings) -> int:
    """Return how many documents the current index holds, whatever it was made with."""
    found = current.read_current(settings.storage)
    if found is None or not (found.folder / storage.DATABASE).exists():
        return 0
    with Storage(found.folder) as store:
        return store.count("documents")


def _synchronise(
    store: Storage,
    files: list[str],
    lost: Lost,
    settings: Settings,
    embedder: Embedder,
    progress: Progress,
    refused: Refused,
) -> IndexReport:
    known = _prepare(store)
    known_refused = _refused(store)
    failed: dict[str, Failure] = {}
    read: dict[str, str] = {}
    added = changed = unchanged = 0
    with Sandbox(settings.documents) as sandbox:
        for done, doc in enumerate(files):
            progress(_shown(doc), done, len(files))
            sha256 = ""
            try:
                content = documents.read_bytes(settings.corpus, doc, settings.documents)
                sha256 = documents.digest(doc, content, settings.documents)
                if known.get(doc) == sha256:
                    read[doc] = sha256
                    unchanged += 1
                    continue
                before = known_refused.get(doc)
                if before and before.sha256 == sha256:
                    failed[doc] = before
                    refused(_shown(doc), before.reason)
                    continue
                document = documents.parse(doc, content, sandbox)
            except UnreachableError as exc:
                lost.add(doc, str(exc))
                continue
            except DocumentError as exc:
                failed[_shown(doc)] = Failure(str(exc), sha256)
                refused(_shown(doc), str(exc))
                continue
            read[doc] = document.sha256
            storage.require_space(settings.storage, len(document.text.encode()))
            pieces = passages.cut(document, settings.passages.max_chars)
            _write(store, document, pieces, embedder, settings.passages.title)
            added, changed = added + (doc not in known), changed + (doc in known)
    progress("", len(files), len(files))
    kept, unreachable = lost.kept(known, read)
    failed |= {_shown(doc): Failure(reason, "") for doc, reason in unreachable.items()}
    reasons = {doc: failure.reason for doc, failure in sorted(failed.items())}
    gone = known.keys() - read.keys() - kept
    if not read and not (gone and lost.may_empty):
        # An empty or unreadable folder is a mistake more often than a wish: keep what there is.
        left = known.keys() - unreachable.keys()
        raise DocumentError(
            _nothing_to_index(settings, reasons if files else {}, bool(known), bool(left))
        )
    _remove(store, gone)
    report = IndexReport(added, changed, len(gone), unchanged + len(kept), reasons, 0, 0)
    return _finish(store, report, failed, lost.devices)


def _refused(store: Storage) -> dict[str, Failure]:
    """Return what was refused when it was last read, by the names of the files."""
    rows = store.db.execute("SELECT doc, reason, sha256 FROM failures WHERE sha256 != ''")
    return {doc: Failure(reason, sha256) for doc, reason, sha256 in rows}


def _prepare(store: Storage) -> dict[str, str]:
    """Sweep up after a kill, mark the index as being written, and return each document's hash."""
    same = store.is_settled and store.count("passages") == store.collection.count()
    if not (store.counted() and same):
        _sweep(store)
    store.settle()
    with store.db:
        store.db.execute("DELETE FROM state WHERE key IN ('clean', 'sums')")
    return dict(store.db.execute("SELECT id, sha256 FROM documents"))


def _sweep(store: Storage) -> None:
    """Make Chroma hold the passages that SQLite does, with the vectors that it has of them."""
    held: set[str] = set()
    while batch := store.collection.get(limit=_BATCH, offset=len(held), include=[])["ids"]:
        held.update(batch)
    wanted = {row[0] for row in store.db.execute("SELECT id FROM passages")}
    _delete_vectors(store, held - wanted)
    lost = sorted(wanted - held)
    for start in range(0, len(lost), _BATCH):
        rows = store.db.execute(
            'SELECT passages.id, doc, start, "end", substr(text, start + 1, "end" - start),'
            " vectors, json_array_length(sentences), documents.language, title"
            " FROM passages JOIN documents ON documents.id = doc"
            " WHERE passages.id IN (SELECT value FROM json_each(?)) ORDER BY number",
            (json.dumps(lost[start : start + _BATCH]),),
        )
        store.vectors.add(
            [
                _node(Passage(id_, doc, begin, end, text, ()), *rest)
                for id_, doc, begin, end, text, *rest in rows
            ]
        )


def _write(
    store: Storage,
    document: Document,
    pieces: list[Passage],
    embedder: Embedder,
    with_title: bool,
) -> None:
    """Embed a document and make it, and nothing else of that id, part of the index."""
    read = [passages.of_document(document, piece, title=with_title) for piece in pieces]
    hashes = [passages.read_hash(form) for form in read]
    vectors = _vectors(store.db, embedder, dict(zip(hashes, read, strict=True)))
    before = _passage_ids(store.db, document.id)
    fresh = [
        _node(piece, vectors[hash_], len(piece.units), document.language, document.title)
        for piece, hash_ in zip(pieces, hashes, strict=True)
        if piece.id not in before
    ]
    # Chroma keeps what it holds of these ids: left by a kill, or the same passage anyway.
    most = _SENT if store.on_server else _BATCH
    for start in range(0, len(fresh), most):
        store.vectors.add(fresh[start : start + most])
    with store.db:
        _forget(store.db, document.id)
        store.db.execute(
            "INSERT INTO documents"
            " VALUES (:id, :sha256, :title, :language, :text, :author, :date, :pages)",
            vars(document) | {"pages": json.dumps(document.pages)},
        )
        for piece, form, hash_ in zip(pieces, read, hashes, strict=True):
            number = store.db.execute(
                'INSERT INTO passages (id, doc, start, "end", language, sentences, read, vectors)'
                " VALUES (:id, :doc, :start, :end, :language, :sentences, :read, :vectors)",
                {
                    **vars(piece),
                    "language": form.language,
                    "sentences": storage.written_units(piece.units),
                    "read": hash_,
                    "vectors": vectors[hash_],
                },
            ).lastrowid
            lexical.insert(store.db, number or 0, _words(document.id, document.title, piece))
    _delete_vectors(store, before - {piece.id for piece in pieces})


def _vectors(
    db: sqlite3.Connection, embedder: Embedder, read: dict[str, PassageInput]
) -> dict[str, bytes]:
    """Return the vectors of read forms, by their hashes, as the index holds them.

    What it holds already, of a file that was moved or edited elsewhere, is not embedded again.
    """
    rows = db.execute(
        "SELECT read, vectors FROM passages WHERE read IN (SELECT value FROM json_each(?))",
        (json.dumps(list(read)),),
    )
    held: dict[str, bytes] = dict(rows.fetchall())
    missing = [hash_ for hash_ in read if hash_ not in held]
    found = embedder.embed_passages([read[hash_] for hash_ in missing]) if missing else []
    for hash_, vectors in zip(missing, found, strict=True):
        rows_ = np.vstack([vectors.passage, vectors.sentences]).astype(np.float16)
        held[hash_] = rows_.tobytes()
    return held


def _forget(db: sqlite3.Connection, doc: str) -> None:
    """Delete a document with its passages and their words."""
    rows = db.execute(
        'SELECT number, title, passages.id, start, "end", substr(text, start + 1, "end" - start),'
        " sentences FROM passages JOIN documents ON documents.id = doc WHERE doc = ?",
        (doc,),
    ).fetchall()
    for number, title, id_, start, end, text, units in rows:
        piece = Passage(id_, doc, start, end, text, storage.read_units(units))
        lexical.delete(db, number, _words(doc, title, piece))
    db.execute("DELETE FROM documents WHERE id = ?", (doc,))


def _words(doc: str, title: str, piece: Passage) -> str:
    """Return what a passage is found by, word for word."""
    read = passages.read_form("", piece.units, piece.text, piece.start)
    return f"{documents.heading(doc, title)}\n{read.text}"


def _remove(store: Storage, docs: Iterable[str]) -> None:
    ids = {passage for doc in docs for passage in _passage_ids(store.db, doc)}
    with store.db:
        for doc in docs:
            _forget(store.db, doc)
    _delete_vectors(store, ids)


def _finish(
    store: Storage,
    report: IndexReport,
    failed: Mapping[str, Failure],
    devices: Mapping[str, int],
) -> IndexReport:
    rows = [(doc, failure.reason, failure.sha256) for doc, failure in failed.items()]
    with store.db:
        store.db.execute("DELETE FROM failures")
        store.db.executemany("INSERT INTO failures VALUES (?, ?, ?)", rows)
        store.leave("devices", devices)
        counts = store.counts()
        store.leave("clean", counts)
        store.leave("sums", damage.sums(store))
    return replace(report, documents=counts["documents"], passages=counts["passages"])


def _passage_ids(db: sqlite3.Connection, doc: str) -> set[str]:
    return {row[0] for row in db.execute("SELECT id FROM passages WHERE doc = ?", (doc,))}


def _delete_vectors(store: Storage, ids: Iterable[str]) -> None:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _BATCH):
        store.vectors.delete_nodes(ordered[start : start + _BATCH])


def _node(piece: Passage, vectors: bytes, units: int, language: str, title: str) -> TextNode:
    """Return a passage as Chroma takes it.

    :param vectors: As SQLite holds them, so that Chroma's can be made again of them.
    :param units: How many the passage has.
    :param language: Of its document.
    """
    return TextNode(
        id_=piece.id,
        text=piece.text,
        embedding=storage.own_vector(vectors, units),
        metadata={
            "doc": piece.doc,
            "start": piece.start,
            "end": piece.end,
            "language": language,
            "title": title,
        },
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=piece.doc)},
    )


def _shown(doc: str) -> str:
    """Return a file name that can be stored and printed, even if it is not UTF-8."""
    return doc.encode("utf-8", "backslashreplace").decode()


def _nothing_to_index(
    settings: Settings, failed: dict[str, str], held: bool, forgettable: bool
) -> str:
    kept = KEPT if held else ""
    hint = ", or run: rawi index --empty" if forgettable else ""
    if not failed:
        return (
            f"{settings.corpus}: holds no documents{kept}; put .txt or .md files there, or others"
            f" that Rawi reads{hint}"
        )
    doc, reason = next(iter(failed.items()))
    hint = f"; put one there that can{hint}" if hint else ""
    return (
        f"{settings.corpus}: none of its {len(failed)} files can be read;"
        f" the first, {doc}: {reason.removesuffix(KEPT)}{kept}{hint}"
    )
