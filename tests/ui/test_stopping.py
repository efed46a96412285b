"""How the server stops: answers end, open pages are hung up on."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from playwright.sync_api import Browser

from tests.ui.serving import QUESTION, Loaded, SlowLLM, built, engine, listening, running, until

pytestmark = pytest.mark.slow

ASK = {"model": "rawi", "messages": [{"role": "user", "content": QUESTION}]}


def test_an_answer_ends_before_the_server_does(tmp_path):
    slow = SlowLLM(replies=deque(), words=20)
    rawi = engine(tmp_path, model=slow)
    application = built(Loaded(rawi))
    with ThreadPoolExecutor(1) as asking, listening() as port:
        with running(application, rawi.settings, port):
            url = f"http://127.0.0.1:{port}/v1/chat/completions"
            reply = asking.submit(httpx.post, url, json=ASK, timeout=30)
            assert until(lambda: slow.running == 1, 10)
        assert reply.result().status_code == 200
        assert reply.result().json()["choices"][0]["message"]["content"]


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # Gradio's own, in a thread
def test_an_open_page_does_not_keep_the_server(tmp_path, browser: Browser, caplog):
    rawi = engine(tmp_path)
    application = built(Loaded(rawi))
    page = browser.new_page()
    with listening() as port, running(application, rawi.settings, port):
        page.goto(f"http://127.0.0.1:{port}")
        page.locator("#rawi-question textarea").wait_for()
    page.close()
    assert "timeout graceful shutdown exceeded" not in caplog.text
    assert not [t for t in threading.enumerate() if t.name.startswith("rawi-answer")]
