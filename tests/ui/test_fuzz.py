"""Thousands of calls of the page's functions, nearly as its script sends them: none is a bug."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
from collections import Counter, deque
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import run
from tests.ui.serving import ANSWER, FOUND, QUESTION, Loaded, SlowLLM, built, engine
from ui import text
from ui.conversations import Conversation, Conversations, Message, Quote

pytestmark = pytest.mark.slow

# A call takes some 12 ms; FUZZ_CALLS=5000 tries more of them.
SEED, CALLS, AT_ONCE = 20261128, int(os.environ.get("FUZZ_CALLS", "1500")), 16
JSON = {"Content-Type": "application/json"}
MANY = {"address_per_minute": 100_000, "address_per_day": 100_000, "total_per_day": 100_000}
NAMES = (
    "id", "at", "doc", "start", "end", "rating", "reason", "marker", "message", "lang", "name",
    "question", "value", "act", "\0", "path", "files",
)  # fmt: skip
STRINGS = (
    "", " ", "0", "-1", "1", "٣", "9" * 400, "1e309", "NaN", "null", "m1", "m2", "c1", FOUND.doc,
    "up", "down", *text.REASONS, QUESTION, ANSWER, "Who?", "\u202e\u2066", "\ud800", "\0",
    "\x1b[31m", "../../etc/passwd", "<script>x</script>", "x" * 3_000, "هل " * 900,
    "https://evil.example/",
)  # fmt: skip


class Caller:
    """Makes calls up, the same for the same seed.

    :ivar functions: How many inputs each function has, by its index.
    """

    def __init__(self, seed: int, functions: dict[int, int]) -> None:
        self.functions = functions
        self._random = random.Random(seed)

    def call(self) -> tuple[str, bytes]:
        """Return a path and what is posted to it."""
        function = self._random.choice([*self.functions, -1, 99])
        event: dict[str, Any] = {
            "fn_index": function,
            "data": [self.given() for _ in range(self.functions.get(function, 1))],
            "event_data": {self.pick(NAMES): self.pick(STRINGS) for _ in range(3)},
            "session_hash": f"session{self._random.randrange(40)}",
            "trigger_id": self._random.randrange(100),
        }
        if self.rarely():
            del event["event_data"]
        if self.rarely():
            event[self.pick(tuple(event))] = self.anything()
        body = json.dumps(event).encode()
        if self.rarely():
            at = self._random.randrange(len(body))
            body = body[:at] + self._random.randbytes(2) + body[at + self._random.randrange(4) :]
        return self.pick(("queue/join", "run/predict")), body

    def given(self) -> Any:
        """Return an input of a function: a text, what a browser kept, or nothing."""
        return self.pick((self.pick(STRINGS), self.kept(), self.kept(), None))

    def kept(self) -> Any:
        """Return conversations, one value of which may be anything."""
        quote = Quote(
            marker=1, doc=FOUND.doc, title="t", start=0, end=9, text=FOUND.text, language="ar"
        )
        asked = Message(id="m1", role="user", text=QUESTION, language="ar")
        answer = Message(
            id="m2",
            role="assistant",
            text=ANSWER,
            language="ar",
            citations=(quote,),
            near=("Who?",),
        )
        kept = Conversations(kept=(Conversation(id="c1", messages=(asked, answer)),), open="c1")
        whole = json.loads(json.dumps(kept.dump()))
        if self._random.random() < 0.5:
            self.spoil(whole)
        return whole

    def spoil(self, value: Any) -> None:
        """Put anything somewhere into a value."""
        while value:
            key = self.pick(tuple(value) if isinstance(value, dict) else tuple(range(len(value))))
            if not isinstance(value[key], (dict, list)) or self.rarely():
                value[key] = self.anything()
                return
            value = value[key]

    def anything(self) -> Any:
        return self.pick(
            (None, True, -1, 2**70, 1e300, [], {}, [[]], {"path": "/etc/passwd"}, *STRINGS)
        )

    def pick(self, among: Any) -> Any:
        return self._random.choice(among)

    def rarely(self) -> bool:
        return self._random.random() < 0.15


async def call_all(app: FastAPI, caller: Caller, calls: int) -> Counter[int]:
    """Make so many calls, a few at once; return how often each status came."""
    statuses: Counter[int] = Counter()

    async def some(client: httpx.AsyncClient) -> None:
        nonlocal calls
        while calls > 0:
            calls -= 1
            path, body = caller.call()
            reply = await client.post(f"/gradio_api/{path}", content=body)
            statuses[reply.status_code] += 1
            assert reply.status_code < 500, (path, body, reply.text[:500])

    inside = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 1))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=inside, base_url="http://localhost", headers=JSON) as client,
    ):
        await asyncio.gather(*(some(client) for _ in range(AT_ONCE)))
        assert (await client.get("/")).status_code == 200
    return statuses


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # Gradio's own
def test_no_call_of_a_function_is_an_error_of_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "corpus").mkdir()
    model = SlowLLM(replies=deque(), words=1, pause_s=0.0)
    rawi = engine(tmp_path / "storage", model=model, limits=MANY, corpus=tmp_path / "corpus")
    app: Any = built(Loaded(rawi))
    known = app.router.routes[-1].app.full.app.get_blocks().fns
    caller = Caller(SEED, {index: len(fn.inputs) for index, fn in known.items()})
    statuses = run(call_all(app, caller, CALLS))
    assert set(statuses) <= {200, 404, 422, 429}
    assert min(statuses[200], statuses[422]) > CALLS / 10
    assert "Traceback" not in capfd.readouterr().err  # of an event whose answer streams
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []
