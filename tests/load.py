"""Load: fifty people ask a running ``rawi serve`` for three minutes, on loopback.

    locust -f tests/load.py --headless -u 50 -r 10 -t 3m -H http://127.0.0.1:7860

Only 429 may come in place of an answer. Every other question is in the other language and every
search holds a number of its own, so that what was meant for somebody else is seen.
"""

from __future__ import annotations

import itertools

from locust import HttpUser, between, task

_numbers = itertools.count(1)
_QUESTIONS = ("كم ساهمت SoftBank في جولة التمويل {}؟", "How much did SoftBank put in, {}?")


class Asker(HttpUser):
    """Searches, and asks."""

    wait_time = between(1, 5)

    @task(3)
    def ask(self) -> None:
        """Ask for an answer."""
        number = next(_numbers)
        question = _QUESTIONS[number % 2].format(number)
        body = {"model": "rawi", "messages": [{"role": "user", "content": question}]}
        with self.client.post("/v1/chat/completions", json=body, catch_response=True) as reply:
            if reply.status_code == 429:
                reply.success()
            elif reply.status_code != 200:
                reply.failure(f"{reply.status_code}: {reply.text[:200]}")
            elif reply.json()["language"] != ("en" if number % 2 else "ar"):
                reply.failure("the answer to another question")

    @task(1)
    def search(self) -> None:
        """Search for a text of its own."""
        question = f"OpenAI {next(_numbers)}"
        with self.client.post("/search", json={"question": question}, catch_response=True) as reply:
            if reply.status_code == 429:
                reply.success()
            elif reply.status_code != 200 or reply.json()["question"] != question:
                reply.failure(f"{reply.status_code}: {reply.text[:200]}")
