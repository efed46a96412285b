"""The API, asked whatever its own description allows and forbids: no question breaks it."""

from __future__ import annotations

from collections import deque

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error

from tests.ui.serving import SlowLLM, engine, served

pytestmark = pytest.mark.slow

MANY = {"address_per_minute": 100_000, "address_per_day": 1_000_000, "session_per_minute": 100_000}


def asked(operation, mode) -> set[int]:
    """Ask some things that an operation allows or forbids, and return what they are answered."""
    statuses = set()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case):
        if mode is GenerationMode.POSITIVE and operation.path == "/v1/chat/completions":
            # any other model, and a conversation without a question, ends at the door
            case.body["model"] = "rawi"
            case.body["messages"] += [{"role": "user", "content": "Who founded it?"}]
        response = case.call()
        case.validate_response(response, checks=[not_a_server_error])
        statuses.add(response.status_code)

    holds()
    return statuses


@pytest.mark.parametrize(
    ("mode", "status", "paths"),
    [
        (
            GenerationMode.POSITIVE,
            200,
            {"/healthz", "/search", "/v1/models", "/v1/chat/completions"},
        ),
        (GenerationMode.NEGATIVE, 422, {"/search", "/translate", "/v1/chat/completions"}),
    ],
)
def test_nothing_that_is_asked_is_an_error_of_ours(tmp_path, mode, status, paths):
    llm = SlowLLM(replies=deque(), words=1, pause_s=0.0)
    answered: set[str] = set()
    with served(engine(tmp_path, model=llm, limits=MANY), page=False) as url:
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        for operation in (result.ok() for result in schema.get_all_operations()):
            if mode is GenerationMode.NEGATIVE and not operation.body:
                continue  # nothing can be wrong about it
            if status in asked(operation, mode):
                answered.add(operation.path)
    assert answered == paths
