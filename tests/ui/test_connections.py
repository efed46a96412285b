"""One address that takes all it can get: connections, streams and questions; and everybody else."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client

from rag.errors import GenerationError
from tests.conftest import run
from tests.ui.serving import (
    ANSWER,
    QUESTION,
    BrokenLLM,
    Loaded,
    SlowLLM,
    engine,
    served,
    served_by,
    until,
)
from ui import keys
from ui.limits import AtOnce
from ui.loading import Loader

pytestmark = pytest.mark.slow

ASK = {"model": "rawi", "messages": [{"role": "user", "content": QUESTION}], "stream": True}
PROXY = {"trusted_proxies": ["127.0.0.0/8"]}
OTHER = "127.0.0.2"
FEW = {"streams": 5}
SHORT = {"header_timeout_s": 0.5, "idle_timeout_s": 1, "send_timeout_s": 0.5}


class Peer:
    """A client by hand, which keeps its connections open."""

    def __init__(self, url: str, held: ExitStack, source: str = "127.0.0.1") -> None:
        self._url = httpx.URL(url)
        self._held = held
        self._source = source

    def connect(self, sent: bytes = b"", receive_buffer: int = 0) -> socket.socket:
        opened = self._held.enter_context(socket.socket())
        if receive_buffer:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        opened.settimeout(10)
        opened.bind((self._source, 0))
        opened.connect((self._url.host, self._url.port))
        opened.sendall(sent)
        return opened

    def status(self, path: str, **headers: str) -> tuple[int, socket.socket]:
        """Ask for a path and read no further than the status."""
        said = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        host = self._url.netloc.decode()
        opened = self.connect(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{said}\r\n".encode())
        return int(opened.recv(1_000).split()[1]), opened


@contextmanager
def peer(url: str, source: str = "127.0.0.1") -> Iterator[Peer]:
    with ExitStack() as held:
        yield Peer(url, held, source)


def get(url: str, source: str = "127.0.0.1", **headers: str) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(local_address=source)) as client:
        return client.get(url, headers=headers)


def is_closed(opened: socket.socket, seconds: float) -> bool:
    """Tell whether the server hangs up in time."""
    opened.settimeout(seconds)
    try:
        while opened.recv(65_536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


class TestConnections:
    def test_silent_ones_of_one_address_keep_nobody_else_out(self, tmp_path: Path) -> None:
        with served(engine(tmp_path, limits={"connections": 20}), page=False) as url:
            with peer(url) as silent:
                opened = [silent.connect() for _ in range(40)]
                refused = [one for one in opened if is_closed(one, 0.1)]
                assert get(f"{url}/healthz", OTHER).status_code == 200
                last = silent.connect().recv(1_000)
                assert last.startswith(b"HTTP/1.1 503")
                assert b"retry-after: " in last.lower()
            assert len(refused) == 20
            assert until(lambda: get(f"{url}/healthz").status_code == 200, 5)

    def test_a_trusted_proxy_opens_as_many_as_it_needs(self, tmp_path: Path) -> None:
        rawi = engine(tmp_path, limits={"connections": 5}, server=PROXY)
        with served(rawi, page=False) as url, peer(url) as proxy:
            opened = [proxy.connect() for _ in range(20)]
            assert not [one for one in opened if is_closed(one, 0.01)]
            assert get(f"{url}/healthz").status_code == 200

    def test_all_together_are_bounded_too(self) -> None:
        places = AtOnce(each=2, total=3)
        assert [places.take("a") for _ in range(3)] == [True, True, False]
        assert [places.take("b"), places.take("b"), places.take(None)] == [True, False, False]
        places.leave("a")
        assert [places.take(None), places.take(None)] == [True, False]
        places.leave(None)
        assert places.take("a")

    @pytest.mark.parametrize("head", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"])
    def test_one_without_a_whole_head_is_closed(self, tmp_path: Path, head: bytes) -> None:
        with served(engine(tmp_path, server=SHORT), page=False) as url, peer(url) as half:
            assert is_closed(half.connect(head), 3)

    def test_a_head_that_arrives_in_drops_is_late_all_the_same(self, tmp_path: Path) -> None:
        with served(engine(tmp_path, server=SHORT), page=False) as url, peer(url) as slow:
            opened = slow.connect(b"GET /healthz HTTP/1.1\r\n")

            def is_let_go_on() -> bool:
                time.sleep(0.1)
                try:
                    opened.sendall(b"a: b\r\n")
                except ConnectionError:
                    return False
                return True

            assert until(lambda: not is_let_go_on(), 5)

    def test_the_next_head_has_no_more_time(self, tmp_path: Path) -> None:
        server = {**SHORT, "idle_timeout_s": 60}
        with served(engine(tmp_path, server=server), page=False) as url, peer(url) as slow:
            status, opened = slow.status("/healthz")
            opened.sendall(b"GET /healthz HTTP/1.1\r\n")
            assert status == 200
            assert is_closed(opened, 3)

    def test_one_with_nothing_more_to_ask_is_closed(self, tmp_path: Path) -> None:
        with served(engine(tmp_path, server=SHORT), page=False) as url, peer(url) as idle:
            status, opened = idle.status("/healthz")
            assert status == 200
            assert is_closed(opened, 3)

    def test_a_body_has_a_time_of_its_own(self, tmp_path: Path) -> None:
        body = b'{"question": "who?"}'
        head = (
            "POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with served(engine(tmp_path, server=SHORT), page=False) as url, peer(url) as slow:
            opened = slow.connect(head.encode())
            time.sleep(1)
            opened.sendall(body)
            assert opened.recv(1_000).startswith(b"HTTP/1.1 200")

    def test_one_that_does_not_read_is_hung_up_on(self, tmp_path: Path) -> None:
        asked = 2_000
        with served(engine(tmp_path, server=SHORT), page=False) as url, peer(url) as deaf:
            get_ = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
            opened = deaf.connect(get_ * asked, receive_buffer=4_096)
            time.sleep(3)
            received = b""
            try:
                while part := opened.recv(1_000_000):
                    received += part
            except ConnectionError:
                pass
            assert 0 < received.count(b"HTTP/1.1 200") < asked


class TestStreams:
    def listened(self, url: str, held: Peer, name: str, **headers: str) -> int:
        """Ask on the page and listen; return the status of the stream."""
        sent = {header.replace("_", "-"): value for header, value in headers.items()}
        asked_on_the_page(url, name, **sent)
        return held.status(f"/gradio_api/queue/data?session_hash={name}", **headers)[0]

    def test_are_so_many_for_one_address(self, tmp_path: Path) -> None:
        rawi = engine(tmp_path, model=SlowLLM(replies=deque()), limits=FEW)
        with served(rawi) as url, peer(url) as many:
            statuses = [self.listened(url, many, f"session{n}") for n in range(8)]
            assert statuses == [200] * 5 + [429] * 3
            assert many.status("/healthz")[0] == 200
            with peer(url, OTHER) as other:
                assert self.listened(url, other, "another") == 200

    def test_are_counted_for_whom_a_trusted_proxy_asks(self, tmp_path: Path) -> None:
        rawi = engine(tmp_path, model=SlowLLM(replies=deque()), limits=FEW, server=PROXY)
        with served(rawi) as url, peer(url) as proxy:
            for client in ("198.51.100.1", "198.51.100.2"):
                name = client.replace(".", "")
                statuses = [
                    self.listened(url, proxy, f"{name}x{n}", X_Forwarded_For=client)
                    for n in range(7)
                ]
                assert statuses == [200] * 5 + [429] * 2

    def test_mcp_has_none(self, tmp_path: Path) -> None:
        with served(engine(tmp_path)) as url, peer(url) as asking:
            assert asking.status("/mcp", Accept="text/event-stream")[0] == 405
            assert get(f"{url}/mcp").headers["allow"] == "POST"


def asked_on_the_page(url: str, session: str, source: str = "127.0.0.1", **headers: str) -> None:
    """Ask as the page does, and listen to no answer."""
    with httpx.Client(transport=httpx.HTTPTransport(local_address=source)) as client:
        call = {"data": [QUESTION, {}, None], "fn_index": 0, "session_hash": session}
        reply = client.post(f"{url}/gradio_api/queue/join", json=call, headers=headers)
        assert reply.status_code == 200


def measured(url: str, name: str) -> float:
    """Return one of the metrics; 0 where there is none of that name yet."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return next(
        (float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0
    )


class TestQuestionsOnThePage:
    @pytest.fixture
    def slow(self, tmp_path: Path) -> Iterator[Any]:
        """Serve with an LLM that takes long: ``slow(words, **sections)`` gives loader and address.

        :param words: Twentieths of a second.
        """
        with ExitStack() as opened:

            def start(words: int = 400, **sections: Any) -> tuple[Loader, str]:
                model = SlowLLM(replies=deque(), words=words)
                loader = Loaded(engine(tmp_path, model=model, **sections))
                return loader, opened.enter_context(served_by(loader))

            yield start

    def most(self, loader: Loader, seconds: float) -> int:
        """Return how many questions there were at once."""
        most, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            most = max(most, len(loader.work.lines.search) + len(loader.work.lines.write))
            time.sleep(0.01)
        return most

    def test_are_not_counted_by_a_name_that_the_client_chose(self, slow: Any) -> None:
        loader, url = slow(limits={"waiting": 3})
        for _ in range(12):
            asked_on_the_page(url, "chosen")
        assert 1 <= self.most(loader, 1.0) <= 3

    def test_are_so_many_for_one_address(self, slow: Any) -> None:
        loader, url = slow(limits={"waiting_address": 2})
        for n in range(6):
            asked_on_the_page(url, f"ownsession{n}")
        assert self.most(loader, 0.5) == 2
        asked_on_the_page(url, "another", OTHER)
        assert self.most(loader, 2.0) == 3

    def test_are_so_many_for_whom_a_trusted_proxy_asks(self, slow: Any) -> None:
        loader, url = slow(limits={"waiting_address": 2}, server=PROXY)
        for client in ("198.51.100.1", "198.51.100.2"):
            for n in range(4):
                asked_on_the_page(url, f"client{client[-1]}x{n}", **{"X-Forwarded-For": client})
        assert self.most(loader, 0.5) == 4

    def test_whom_nobody_listens_to_end_all_the_same(self, slow: Any) -> None:
        loader, url = slow(words=20, limits={"waiting_address": 1})
        for n in range(3):
            asked_on_the_page(url, f"deafsession{n}")
            assert until(lambda: len(loader.work.lines.write) == 1, 5)
            assert until(lambda: len(loader.work.lines.write) == 0, 10)

    def test_have_one_bound_with_those_of_programs(self, slow: Any) -> None:
        _, url = slow(limits={"waiting_address": 2})
        asked_on_the_page(url, "ownsession")
        assert until(lambda: measured(url, "rawi_running") == 1, 5)
        with ExitStack() as asking:
            assert statuses(url, asking, 2) == [200, 429]
            for _ in range(3):
                asked_on_the_page(url, "anothersession")
            assert not until(lambda: measured(url, "rawi_running") != 2, 0.5)

    def test_are_measured(self, tmp_path: Path) -> None:
        down = GenerationError("no server there")
        with served(engine(tmp_path, ANSWER, down)) as url:
            for n in range(2):
                asked_on_the_page(url, f"ownsession{n}")
                assert until(lambda n=n: measured(url, "rawi_answer_seconds_count") > n, 10)
            assert measured(url, 'rawi_answers_total{how="written"}') == 1
            assert measured(url, 'rawi_answers_total{how="quoted"}') == 1
            assert measured(url, 'rawi_errors_total{kind="llm"}') == 1
            assert measured(url, "rawi_evidence_seconds_count") == 2
            assert measured(url, "rawi_abandoned_total") == 0
            assert until(lambda: measured(url, "rawi_running") == 0, 5)

    def test_that_are_stopped_or_fail_are_measured(self, tmp_path: Path) -> None:
        stops = engine(tmp_path, model=SlowLLM(replies=deque(), delta="30 "))
        with served(stops) as url:
            for _ in range(2):  # the second stops the first
                asked_on_the_page(url, "ownsession")
            assert until(lambda: measured(url, "rawi_abandoned_total") == 1, 10)
        with served(engine(tmp_path, model=BrokenLLM(replies=deque()))) as url:
            asked_on_the_page(url, "ownsession")
            assert until(lambda: measured(url, 'rawi_errors_total{kind="internal"}') == 1, 10)


def statuses(url: str, asking: ExitStack, count: int, *keys_: str) -> list[int]:
    """Ask by the API as long as ``asking`` lasts; return how each question was taken."""
    headers = [{"Authorization": f"Bearer {key}"} for key in keys_] or [{}]
    client = asking.enter_context(httpx.Client(timeout=30))
    return [
        asking.enter_context(
            client.stream("POST", f"{url}/v1/chat/completions", json=ASK, headers=each)
        ).status_code
        for each in headers
        for _ in range(count)
    ]


class TestQuestionsOfPrograms:
    def test_are_so_many_for_one_address(self, tmp_path: Path) -> None:
        slow = SlowLLM(replies=deque())
        rawi = engine(tmp_path, model=slow, limits={"waiting_address": 2})
        with served(rawi, page=False) as url, ExitStack() as asking:
            assert statuses(url, asking, 4) == [200, 200, 429, 429]
            other = httpx.Client(transport=httpx.HTTPTransport(local_address=OTHER), timeout=30)
            with other, other.stream("POST", f"{url}/v1/chat/completions", json=ASK) as reply:
                assert reply.status_code == 200

    def test_are_so_many_for_one_key(self, tmp_path: Path) -> None:
        made = [keys.make() for _ in range(2)]
        rawi = engine(
            tmp_path,
            model=SlowLLM(replies=deque()),
            limits={"waiting_address": 2},
            api={"key_hashes": [digest for _, digest in made]},
        )
        with served(rawi, page=False) as url, ExitStack() as asking:
            got = statuses(url, asking, 3, *(key for key, _ in made))
            assert got == [200, 200, 429] * 2

    def test_are_so_many_by_mcp(self, tmp_path: Path) -> None:
        async def ask_all(url: str) -> list[bool]:
            async with Client(f"{url}/mcp") as client:
                tools = (await client.list_tools()).tools
                assert not [tool for tool in tools if "context" in tool.input_schema["properties"]]
                asked = [client.call_tool("ask", {"question": QUESTION}) for _ in range(4)]
                return sorted(bool(reply.is_error) for reply in await asyncio.gather(*asked))

        slow = SlowLLM(replies=deque(), words=20)
        with served(engine(tmp_path, model=slow, limits={"waiting_address": 2}), page=False) as url:
            assert run(ask_all(url)) == [False, False, True, True]
