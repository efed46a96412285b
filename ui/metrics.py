"""What Prometheus reads: how much is asked, how it ends, how long it takes. No text, no address."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from rag.engine import Answer, Engine
from rag.storage import Table
from ui.line import Lines

_TABLES: Final[tuple[Table, ...]] = ("documents", "passages")
_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10, 20, 40, 60, 120)


class Metrics:
    """The metrics of one application.

    :ivar registry: Its own, which holds all of them.
    """

    def __init__(self, engine: Callable[[], Engine | None], lines: Lines) -> None:
        """Begin at nothing.

        :param engine: Returns the engine once it is loaded.
        :param lines: Of those that wait.
        """
        self.registry = registry = CollectorRegistry()
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        seconds = partial(Histogram, registry=registry, buckets=_SECONDS)
        waited = "the waiting included, in seconds"
        self.requests = counter("rawi_requests", "HTTP requests", ["route", "method", "status"])
        self.errors = counter("rawi_errors", "Answers that failed", ["kind"])
        self.limited = counter("rawi_limited", "Requests turned away with 429", ["why"])
        self.answers = counter("rawi_answers", "Answers, by how", ["how"])
        self.refusals = counter("rawi_refusals", "Questions that the documents don't answer")
        self.abandoned = counter("rawi_abandoned", "Answers whose reader went away")
        self.tokens = counter("rawi_tokens", "Tokens of the LLM", ["kind"])
        waiting = gauge("rawi_waiting", "Questions that wait for the LLM")
        waiting.set_function(lambda: max(0, len(lines.write) - 1))
        self.running = gauge("rawi_running", "Questions taken, in line or not")
        self.evidence = seconds("rawi_evidence_seconds", f"Time to the evidence, {waited}")
        self.first = seconds("rawi_first_token_seconds", f"Time to the first token, {waited}")
        self.total = seconds("rawi_answer_seconds", f"Time to the checked answer, {waited}")
        for table in _TABLES:
            held = gauge(f"rawi_index_{table}", f"{table} in the index")
            held.set_function(partial(_count, engine, table))

    def answered(self, answer: Answer) -> None:
        """Note a checked answer."""
        self.answers.labels(answer.how).inc()
        if answer.abstained:
            self.refusals.inc()
        if answer.failure:
            self.errors.labels("llm").inc()
        self.tokens.labels("prompt").inc(answer.timings.prompt_tokens)
        self.tokens.labels("completion").inc(answer.timings.completion_tokens)


def _count(engine: Callable[[], Engine | None], table: Table) -> float:
    ready = engine()
    return float(ready.retriever.storage.count(table)) if ready else 0.0
