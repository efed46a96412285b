"""What can't be reached now and may be there still, so that the index keeps what it has of it.

A folder whose file system is not mounted looks like one whose files were deleted: it stands there
empty, or holds what lies beneath on another device. A folder that was removed itself is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath

from rag.errors import DocumentError
from rag.storage import Storage

KEPT = "; what was indexed before still answers"
_EMPTIED = "this folder doesn't hold what it held; mount or remove it, or run: rawi index --empty"


class Lost:
    """What a run can't reach.

    :ivar devices: The file systems of the corpus and of the folders within that have their own.
    :ivar may_empty: Whether a corpus without documents is meant, or surely had them deleted: it
        still holds a file that the last run couldn't read, as no other folder in its place would.
    """

    def __init__(
        self, store: Storage, corpus: Path, files: Collection[str], *, may_empty: bool
    ) -> None:
        """Look at the folders.

        :param may_empty: Whether those without their documents are meant.
        :raises DocumentError: When the corpus is on another device and holds none of its documents.
        """
        held = {row[0] for row in store.db.execute("SELECT id FROM documents")}
        self._unreachable: dict[str, str] = {}
        self._emptied: dict[str, str] = {}
        self.devices = _devices(corpus, _folders(held) | _folders(files))
        self._before = before = store.numbers("devices")
        self.may_empty = may_empty
        top = corpus.resolve()
        if may_empty or str(top) not in before:
            return
        if held and files and held.isdisjoint(files) and before[str(top)] != top.stat().st_dev:
            raise DocumentError(
                f"{corpus}: is on another device than before and holds none of its {len(held)}"
                f" documents{KEPT}; mount it, or run: rawi index --empty"
            )
        refused = {row[0] for row in store.db.execute("SELECT doc FROM failures")}
        self.may_empty = held.isdisjoint(files) and not refused.isdisjoint(files)
        shown = _folders(files)
        for folder in sorted(_folders(held)):
            path = top / folder
            unmounted = str(path) in before and str(path) not in self.devices
            within = folder.startswith(tuple(self._emptied))
            if (folder not in shown or unmounted) and not within and path.is_dir():
                self._emptied[f"{folder}/"] = str(path)

    def add(self, doc: str, reason: str) -> None:
        """Note a file, or a folder with a ``/`` at its end, that can't be reached."""
        self._unreachable[doc] = reason

    def kept(
        self, known: Mapping[str, str], read: Mapping[str, str]
    ) -> tuple[set[str], dict[str, str]]:
        """Return the documents that are kept, and what to tell of which file or folder.

        :param known: The hashes of what the index held before.
        :param read: Of what was read now; what has only moved there is not kept.
        """
        kept: set[str] = set()
        told: dict[str, str] = {}
        for lost, reason in self._unreachable.items():
            within = {doc for doc in known if doc == lost or _is_below(doc, lost)} - read.keys()
            told[lost] = reason + KEPT * bool(within)
            kept |= within
        moved = set(read.values())
        for lost, path in self._emptied.items():
            within = {doc for doc in known if _is_below(doc, lost) and known[doc] not in moved}
            if within := within - read.keys():
                told[lost] = _EMPTIED + KEPT
                kept |= within
                if path in self._before:
                    self.devices[path] = self._before[path]
        return kept, told


def _is_below(doc: str, folder: str) -> bool:
    return folder.endswith("/") and doc.startswith(folder)


def _folders(docs: Iterable[str]) -> set[str]:
    """Return the folders of files, and those around them, without the corpus itself."""
    return {str(folder) for doc in docs for folder in PurePosixPath(doc).parents} - {"."}


def _devices(corpus: Path, folders: Iterable[str]) -> dict[str, int]:
    top = corpus.resolve()
    found = {str(top): top.stat().st_dev}
    for folder in sorted(folders):
        path = top / folder
        try:
            own, around = path.stat().st_dev, path.parent.stat().st_dev
        except OSError:
            continue
        if own != around:
            found[str(path)] = own
    return found
