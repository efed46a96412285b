"""What comes into the folder and what is noted of readers: bounded, whole, and from whom it may."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag import documents as corpus_files
from rag.config import Settings
from tests.ui.serving import ANSWER, engine, served, until
from ui import documents, feedback, messages
from ui.conversations import MOST_MESSAGES, Conversations, Message, Quote
from ui.documents import RefusedError
from ui.feedback import Notes

URL = "/documents/upload"


@contextmanager
def folder_served(tmp_path: Path, **sections: Any) -> Iterator[tuple[str, Path]]:
    """Serve a Rawi that may be added to; give its address and its folder."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    with served(engine(tmp_path / "storage", ANSWER, corpus=corpus, **sections), page=False) as url:
        yield f"{url}{URL}", corpus


def sent(url: str, name: str = "a.txt", content: bytes = b"A text.", **more: Any) -> httpx.Response:
    return httpx.post(url, params={"name": name}, content=content, timeout=20, **more)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class TestUploads:
    @pytest.mark.slow
    def test_a_file_comes_into_the_folder(self, tmp_path: Path) -> None:
        with folder_served(tmp_path) as (url, corpus):
            reply = sent(url, "تقرير 2026.txt", "نص قصير.".encode())
            assert (reply.status_code, reply.json()) == (201, {"doc": "تقرير 2026.txt"})
        assert (corpus / "تقرير 2026.txt").read_text(encoding="utf-8") == "نص قصير."

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("name", "content", "status"),
        [
            ("a.exe", b"x", 415),
            ("", b"x", 400),
            (".a.txt", b"x", 400),
            ("../a.txt", b"x", 400),
            ("a/../../a.txt", b"x", 400),
            ("/tmp/a.txt", b"x", 400),
            ("a//a.txt", b"x", 400),
            ("..\\a.txt", b"x", 400),
            (".git/a.txt", b"x", 400),
            ("a/" * 8 + "a.txt", b"x", 400),
            ("there.txt/a.txt", b"x", 409),
            ("a\0.exe.txt/..", b"x", 400),
            ("there.txt", b"x", 409),
            ("a.txt", b"\xff\xfe\x00", 422),
            ("a.txt", b"", 422),
            ("a.txt", b"x" * 2_000, 413),
        ],
    )
    def test_others_are_refused_in_both_languages(
        self, tmp_path: Path, name: str, content: bytes, status: int
    ) -> None:
        with folder_served(tmp_path, page={"upload_max_bytes": 1_000}) as (url, corpus):
            (corpus / "there.txt").write_text("first")
            reply = sent(url, name, content)
            assert reply.status_code == status
            assert set(reply.json()) == {"ar", "en"}
            assert names(corpus) == {"there.txt"}

    def test_a_folder_keeps_its_paths_and_leads_nowhere_else(self, tmp_path: Path) -> None:
        corpus, outside = tmp_path / "corpus", tmp_path / "outside"
        outside.mkdir()
        storage = corpus / "kept"
        storage.mkdir(parents=True)
        (corpus / "link").symlink_to(outside)
        settings = Settings(corpus=corpus, storage=storage)
        assert (
            documents.add(settings, "تقارير/سنة 2026/a.txt", b"A text.") == "تقارير/سنة 2026/a.txt"
        )
        assert corpus_files.list_files(corpus) == ["تقارير/سنة 2026/a.txt"]
        for name in ("link/a.txt", "link/b/a.txt", "kept/a.txt", "kept/b/a.txt"):
            with pytest.raises(RefusedError):
                documents.add(settings, name, b"A text.")
        assert names(outside) == names(storage) == set()

    @pytest.mark.slow
    def test_a_type_is_refused_before_anything_is_read(self, tmp_path: Path) -> None:
        with folder_served(tmp_path, server={"body_timeout_s": 20}) as (url, _):
            assert begun(f"{url}?name=a.exe", 20_000).startswith(b"HTTP/1.1 415")
            assert begun(f"{url}?name=a.txt", 10**9).startswith(b"HTTP/1.1 413")
            assert begun(f"{url}?name=a.txt", None).startswith(b"HTTP/1.1 411")

    @pytest.mark.slow
    def test_a_slow_body_is_hung_up_on(self, tmp_path: Path) -> None:
        with folder_served(tmp_path, server={"body_timeout_s": 0.5}) as (url, corpus):
            assert begun(f"{url}?name=a.txt", 100).startswith(b"HTTP/1.1 408")
            assert names(corpus) == set()

    @pytest.mark.slow
    def test_a_body_in_drops_is_hung_up_on_too(self, tmp_path: Path) -> None:
        with folder_served(tmp_path, server={"body_timeout_s": 1}) as (url, _):
            address = httpx.URL(url)
            began = time.monotonic()
            with socket.create_connection((address.host, address.port), timeout=20) as raw:
                raw.sendall(head(f"{url}?name=a.txt", 10_000_000))
                raw.settimeout(0.2)
                reply = b""
                while not reply and time.monotonic() < began + 10:
                    try:
                        raw.sendall(b"x")
                        reply = raw.recv(200)
                    except TimeoutError:
                        pass
            assert reply.startswith(b"HTTP/1.1 408")
            assert time.monotonic() < began + 5

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("limits", "taken"),
        [
            ({"uploads_per_minute": 3}, 3),
            ({"uploads_per_day": 2}, 2),
            ({"upload_bytes_per_day": 1_000}, 4),
        ],
    )
    def test_many_are_too_many(self, tmp_path: Path, limits: dict[str, int], taken: int) -> None:
        with folder_served(tmp_path, limits=limits) as (url, corpus):
            replies = [sent(url, f"{n}.txt", b"x" * 250) for n in range(taken + 3)]
        assert [r.status_code for r in replies] == [201] * taken + [429] * 3
        assert all(int(r.headers["retry-after"]) > 0 for r in replies[taken:])
        assert len(names(corpus)) == taken

    @pytest.mark.slow
    def test_few_are_held_at_once_and_nothing_of_them_stays(self, tmp_path: Path) -> None:
        before = names(Path(tempfile.gettempdir()))
        with folder_served(tmp_path, server={"body_timeout_s": 1.5}) as (url, corpus):
            address = httpx.URL(url)
            open_ = []
            for n in range(6):
                raw = socket.create_connection((address.host, address.port), timeout=20)
                raw.sendall(head(f"{url}?name={n}.txt", 100) + b"x")
                open_.append(raw)
            said = [raw.recv(15) for raw in open_]
            assert sorted(said) == [b"HTTP/1.1 408 Re"] * 3 + [b"HTTP/1.1 429 To"] * 3
            for raw in open_:
                raw.close()
            assert sent(url).status_code == 201
            assert names(corpus) == {"a.txt"}
        after = {name for name in names(Path(tempfile.gettempdir())) - before if "gradio" in name}
        assert after == set()

    @pytest.mark.slow
    def test_who_may_not_change_the_folder_sends_nothing(self, tmp_path: Path) -> None:
        for tab, headers in (
            ("off", {}),
            ("local", {"Origin": "https://evil.example"}),
            ("on", {"Origin": "https://evil.example"}),
            ("local", {"Origin": "null"}),
            ("local", {"X-Forwarded-For": "127.0.0.1"}),
            ("local", {"Via": "1.1 proxy"}),
        ):
            folder = tmp_path / f"{tab}{len(headers)}{next(iter(headers.values()), '')[:5]}"
            folder.mkdir()
            with folder_served(folder, page={"documents_tab": tab}) as (url, corpus):
                assert sent(url, headers=headers).status_code == 403
                assert names(corpus) == set()


def head(url: str, length: int | None) -> bytes:
    address = httpx.URL(url)
    lines = [f"POST {address.raw_path.decode()} HTTP/1.1", f"Host: {address.netloc.decode()}"]
    lines += ["Transfer-Encoding: chunked"] if length is None else [f"Content-Length: {length}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def begun(url: str, length: int | None) -> bytes:
    """Send the head of a request and one byte of its body; return how the reply begins."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port), timeout=20) as raw:
        raw.sendall(head(url, length) + (b"1\r\nx\r\n" if length is None else b"x"))
        return raw.recv(200)


class TestWhole:
    @pytest.fixture
    def small_disk(self, tmp_path: Path) -> Iterator[Path]:
        folder = tmp_path / "disk"
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("a disk can't be mounted here; as root, this test runs")
        yield folder
        subprocess.run(["umount", str(folder)], check=True)

    @pytest.mark.slow
    def test_a_full_disk_leaves_no_half_document(self, small_disk: Path) -> None:
        settings = Settings(corpus=small_disk)
        documents.add(settings, "small.txt", b"A text.")
        large = b"word " * 20_000
        for _ in range(2):
            with pytest.raises(RefusedError) as refused:
                documents.add(settings, "large.txt", large)
            assert refused.value.status == 507
            assert "full" in refused.value.reason.en
            assert "ممتلئ" in refused.value.reason.ar
        assert names(small_disk) == {"small.txt"}
        documents.add(settings, "large.txt", b"word " * 2_000)
        assert names(small_disk) == {"small.txt", "large.txt"}

    @pytest.mark.slow
    def test_nor_does_one_that_can_not_hold_what_is_coming(
        self, small_disk: Path, tmp_path: Path
    ) -> None:
        corpus = tmp_path / "corpus"
        corpus.mkdir()
        with served(engine(small_disk, ANSWER, corpus=corpus), page=False) as url:
            assert sent(f"{url}{URL}", content=b"word " * 20_000).status_code == 507
            assert sent(f"{url}{URL}").status_code == 201
        assert names(corpus) == {"a.txt"}

    def test_what_a_kill_leaves_is_no_document(self, tmp_path: Path) -> None:
        (tmp_path / ".0011223344556677.part").write_text("half a te")
        (tmp_path / "a.txt").write_text("A text.")
        assert corpus_files.list_files(tmp_path) == ["a.txt"]

    def test_without_links_none_is_written_over_either(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_links(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", no_links)
        settings = Settings(corpus=tmp_path)
        documents.add(settings, "a.txt", b"first")
        with pytest.raises(RefusedError, match="is in the folder"):
            documents.add(settings, "a.txt", b"second")
        assert (tmp_path / "a.txt").read_text() == "first"
        assert names(tmp_path) == {"a.txt"}


QUOTE = Quote(marker=1, doc="a.txt", start=0, end=3, text="He.", language="en")


class TestFeedback:
    def given(self, notes: Notes) -> Message:
        answer = Message(role="assistant", text="He.", language="en", citations=(QUOTE,))
        proven = answer.model_copy(update={"proof": notes.proof("Who?", answer)})
        return proven.model_copy(update={"rating": "up"})

    def test_only_answers_that_were_given_are_noted(self, tmp_path: Path) -> None:
        notes = Notes(tmp_path, "k" * 32)
        answer = self.given(notes)
        for change in (
            {"proof": ""}, {"proof": "x" * 40}, {"text": "x" * 20_000}, {"id": "other"},
            {"citations": ()}, {"proof": Notes(tmp_path, "other").proof("Who?", answer)},
        ):  # fmt: skip
            notes.note("Who?", answer.model_copy(update=change))
        notes.note("Who else?", answer)
        assert feedback.read(tmp_path) == []
        notes.note("Who?", answer)
        assert [noted.answer for noted in feedback.read(tmp_path)] == ["He."]

    def test_an_answer_is_not_rated_without_an_end(self, tmp_path: Path) -> None:
        notes = Notes(tmp_path, "k" * 32)
        answer = self.given(notes)
        for _ in range(200):
            notes.note("Who?", answer)
        assert len((tmp_path / feedback.FILE).read_text().splitlines()) == 10


class TestWhatABrowserKept:
    def test_costs_no_more_than_it_should(self) -> None:
        quote = QUOTE.model_copy(update={"doc": "d" * 4_000})
        for text in ("[1]" * 6_000, " " * 20_000, "x " * 10_000):
            message = Message(role="assistant", text=text, language="en", citations=(quote,))
            assert len(messages.message_body(message)) < 500_000

    def test_is_bounded(self) -> None:
        message = {"id": "m", "role": "user", "text": "Who?", "language": "en"}
        kept = {"kept": [{"id": "c", "messages": [message]}]}
        assert Conversations.read(kept).kept
        for bad in (
            {**message, "text": "x" * 20_001},
            {**message, "id": "x" * 1_001},
            {**message, "seconds": float("inf")},
            {**message, "evidence": [QUOTE.model_dump()] * 51},
            {**message, "citations": [{**QUOTE.model_dump(), "end": 10**12}]},
        ):
            assert not Conversations.read({"kept": [{"id": "c", "messages": [bad]}]}).kept
        many = [message] * (MOST_MESSAGES + 1)
        assert not Conversations.read({"kept": [{"id": "c", "messages": many}]}).kept

    @pytest.mark.slow
    def test_of_another_installation_is_not_read(self, tmp_path: Path) -> None:
        pages = []
        for name in ("one", "other"):
            with served(engine(tmp_path / name)) as url:
                assert until(lambda url=url: httpx.get(url).status_code == 200, 5)
                pages.append(httpx.get(url).text)
        secrets = [page.partition('"secret":"')[2][:64] for page in pages]
        assert len(set(secrets)) == 2
        assert all(len(secret) == 64 and secret.isalnum() for secret in secrets)
