"""What Prometheus reads: how much is asked, how it ends, how long it takes. No text, no address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from rag.engine import Answer, Engine
from rag.storage import Table
from ui.line import Lines

_TABLES: Final[tuple[Table, ...]] = ("documents", "passages")
_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10, 20, 40, 60, 120)


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self, engine: Callable[[], Engine | None], lines: Lines) -> None:
        """Begin at nothing.

        :param engine: Returns the engine once it is loaded.
        :param lines: Of those that wait.
        """
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "rawi_requests", "HTTP requests", ["route", "method", "status"], registry=registry
        )
        self.errors = Counter("rawi_errors", "Answers that failed", ["kind"], registry=registry)
        self.limited = Counter(
            "rawi_limited", "Requests turned away with 429", ["why"], registry=registry
        )
        self.answers = Counter("rawi_answers", "Answers, by how", ["how"], registry=registry)
        self.refusals = Counter(
            "rawi_refusals", "Questions that the documents don't answer", registry=registry
        )
        self.abandoned = Counter(
            "rawi_abandoned", "Answers whose reader went away", registry=registry
        )
        self.tokens = Counter("rawi_tokens", "Tokens of the LLM", ["kind"], registry=registry)
        waiting = Gauge("rawi_waiting", "Questions that wait for the LLM", registry=registry)
        waiting.set_function(lambda: max(0, len(lines.write) - 1))
        self.running = Gauge("rawi_running", "Questions taken, in line or not", registry=registry)
        self.evidence = _histogram("rawi_evidence_seconds", "Time to the evidence", registry)
        self.first = _histogram("rawi_first_token_seconds", "Time to the first token", registry)
        self.total = _histogram("rawi_answer_seconds", "Time to the checked answer", registry)
        for table in _TABLES:
            gauge = Gauge(f"rawi_index_{table}", f"{table} in the index", registry=registry)
            gauge.set_function(_counter(engine, table))

    def answered(self, answer: Answer) -> None:
        """Note a checked answer."""
        self.answers.labels(answer.how).inc()
        if answer.abstained:
            self.refusals.inc()
        if answer.failure:
            self.errors.labels("llm").inc()
        self.tokens.labels("prompt").inc(answer.timings.prompt_tokens)
        self.tokens.labels("completion").inc(answer.timings.completion_tokens)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)


def _histogram(name: str, about: str, registry: CollectorRegistry) -> Histogram:
    return Histogram(
        name, f"{about}, the waiting included, in seconds", buckets=_SECONDS, registry=registry
    )


def _counter(engine: Callable[[], Engine | None], table: Table) -> Callable[[], float]:
    def count() -> float:
        ready = engine()
        return float(ready.retriever.storage.count(table)) if ready else 0.0

    return count
