"""LLM servers that nearly speak OpenAI's protocol, each on loopback with a habit of its own."""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from llama_index.core.llms import LLM, ChatMessage

from rag import llm, thoughts
from rag.config import LLMSettings
from rag.errors import GenerationError

pytestmark = pytest.mark.slow

ASKED = [
    ChatMessage(role="system", content="Answer in few words."),
    ChatMessage(role="user", content="How high is the lighthouse?"),
]
SAID = "The lighthouse is 34 metres high."
Request = dict[str, Any]
# A status, 0 for a connection that is dropped, and an object or what stands in the body.
Response = tuple[int, Any]


def chunk(delta: Any, finish: str | None = None) -> str:
    return f"data: {json.dumps({'choices': [{'delta': delta, 'finish_reason': finish}]})}\n\n"


def streamed(text: str, finish: str | None = "stop") -> str:
    return chunk({"content": text}) + chunk({}, finish) + "data: [DONE]\n\n"


def told(content: str | None = "yes", **more: Any) -> dict[str, Any]:
    """Return a reply of one token that tells how likely it is."""
    tops = [{"token": "yes", "logprob": -0.1}, {"token": "no", "logprob": -2.5}]
    choice = {"message": {"content": content}, "logprobs": {"content": [{"top_logprobs": tops}]}}
    return {"choices": [choice | more]}


def usual(request: Request) -> Response:
    if request.get("stream"):
        return 200, streamed(SAID)
    return 200, told() if request.get("logprobs") else told(logprobs=None)


@contextmanager
def server(habit: Callable[[Request], Response]) -> Iterator[tuple[LLM, list[Request]]]:
    """Serve a habit; yield a client, and the requests as they come."""
    asked: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(request)
            status, body = habit(request)
            if not status:
                return  # hangs up
            is_stream = isinstance(body, str) and not body.startswith("<")
            kind = "text/event-stream" if is_stream else "application/json"
            kind = "text/html" if isinstance(body, str) and body.startswith("<") else kind
            content = (body if isinstance(body, str) else json.dumps(body)).encode(
                errors="surrogateescape"
            )
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{running.server_address[1]}/v1"
        model = llm.load_llm(LLMSettings(backend="openai", model="m", base_url=url), None)
        assert model is not None
        yield model, asked
        running.shutdown()


def reply(model: LLM) -> str:
    return llm.whole(llm.stream(model, ASKED, 10)).text


def odds(model: LLM) -> float | None:
    return llm.log_odds(model, ASKED, "yes", "no", 10)[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SAID, SAID),
        (f"<think>\nIs it 43? No.\n</think>\n\n{SAID}", SAID),
        (f"Perhaps 43.\n</think>\n{SAID}", SAID),
        ("<think>\nIs it 43? The lighthouse is 43", ""),
        (f"[THINK]43?[/THINK]{SAID}", SAID),
        (f"◁think▷43?◁/think▷{SAID}", SAID),
        (f"<seed:think>43?</seed:think>{SAID}", SAID),
        (f"<think>43?</think><answer>{SAID}</answer>", SAID),
        (
            f"<|START_THINKING|>43?<|END_THINKING|><|START_RESPONSE|>{SAID}<|END_RESPONSE|>",
            SAID,
        ),
        (
            "<|begin_of_thought|>\n43?\n<|end_of_thought|>\n\n<|begin_of_solution|>\n"
            f"{SAID}\n<|end_of_solution|>\n",
            SAID,
        ),
        (f"<|thinking|>43?<|/thinking|>{SAID}", SAID),
        ("<|START_THINKING|>Is it 43? The lighthouse is 43", ""),
        (f"43?<|END_THINKING|>{SAID}", SAID),
        (f"<think>43? <think>34?</think>.</think>{SAID}", SAID),
        ("<|channel|>analysis<|message|>Perhaps 43.", ""),
        (
            "<|channel|>analysis<|message|>43?<|end|><|start|>assistant<|channel|>final<|message|>"
            f"{SAID}<|return|>",
            SAID,
        ),
    ],
)
def test_thoughts_are_no_part_of_a_reply(text: str, said: str) -> None:
    assert thoughts.without(text) == said
    with server(lambda _: (200, streamed(text))) as (model, _):
        if said:
            assert reply(model) == said
        else:
            with pytest.raises(GenerationError, match=r"llm\.max_tokens"):
                reply(model)


def test_thoughts_in_a_field_of_their_own_are_not_read_and_tell_no_odds() -> None:
    def habit(request: Request) -> Response:
        if request.get("stream"):
            return 200, chunk({"reasoning_content": "43?", "content": None}) + streamed(SAID)
        return 200, told(None)

    with server(habit) as (model, asked):
        assert odds(model) is None
        assert reply(model) == SAID
        assert odds(model) is None
        assert len(asked) == 2, "a server whose model thinks isn't asked for odds again"


def test_thoughts_alone_up_to_the_last_token_are_told_as_such() -> None:
    body = chunk({"reasoning_content": "43?"}) + chunk({}, "length")
    with (
        server(lambda _: (200, body)) as (model, _),
        pytest.raises(GenerationError, match=r"200 tokens.*llm\.max_tokens"),
    ):
        reply(model)


@pytest.mark.parametrize("content", ["<think>", "", None, "<", "[TH"])
def test_the_beginning_of_a_thought_tells_no_odds(content: str | None) -> None:
    with server(lambda _: (200, told(content))) as (model, _):
        assert odds(model) is None


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "no worker is free", "code": 502}},
        {"choices": None, "error": {"message": "no worker is free"}},
        {"choices": [], "error": "no worker is free"},
        {"object": "error", "message": "no worker is free"},
        {"detail": "no worker is free"},
    ],
)
def test_an_error_in_a_200_is_told_in_the_servers_words(body: dict[str, Any]) -> None:
    with server(lambda _: (200, body)) as (model, _):
        with pytest.raises(GenerationError, match="no worker is free"):
            reply(model)
        with pytest.raises(GenerationError, match="no worker is free"):
            odds(model)


@pytest.mark.parametrize(
    "body",
    [
        chunk(None) + streamed(SAID),
        'data: {"choices": null}\n\ndata: {"choices": [null]}\n\n' + streamed(SAID),
        chunk({"content": [{"type": "thinking"}, {"type": "text", "text": SAID}]}, "stop"),
        {"choices": [{"message": {"content": SAID}, "finish_reason": "stop"}]},
        ": wait\n\n" + streamed(SAID) + 'data: {"choices": [], "usage": null}\n\n',
    ],
    ids=["null delta", "null choices", "parts", "no stream", "comment"],
)
def test_what_a_stream_lacks_is_taken_for_nothing(body: Any) -> None:
    with server(lambda _: (200, body)) as (model, _):
        assert reply(model) == SAID


@pytest.mark.parametrize(
    "odd", ["no", {"content": "no"}, {"content": [None, {"token": 1, "logprob": "no"}]}]
)
def test_odd_log_probabilities_of_a_stream_are_none(odd: Any) -> None:
    choice = {"delta": {"content": SAID}, "logprobs": odd}
    body = f"data: {json.dumps({'choices': [choice]})}\n\n" + chunk({}, "stop")
    with server(lambda _: (200, body)) as (model, _):
        said = llm.whole(llm.stream(model, ASKED, 10))
    assert (said.text, said.tokens) == (SAID, ())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (chunk({"content": SAID[:20]}), "broke off"),
        (chunk({"content": SAID}) + 'data: {"error": {"message": "no memory"}}\n\n', "no memory"),
        (chunk({"content": SAID}) + 'data: {"error": "no memory"}\n\n', "no memory"),
        (chunk({"content": SAID}) + "data: {'choices'\n\n", "protocol.*base_url"),
        (chunk({"content": SAID}) + "data: \udcff\n\n", "protocol.*base_url"),
        ("<html>A page</html>", "protocol.*base_url"),
        ({"choices": []}, "protocol.*base_url"),
    ],
    ids=["cut", "error", "error in a word", "garbage", "no UTF-8", "page", "nothing"],
)
def test_a_stream_that_does_not_end_well_is_no_answer(body: Any, reason: str) -> None:
    with server(lambda _: (200, body)) as (model, _), pytest.raises(GenerationError, match=reason):
        reply(model)


def test_a_page_in_place_of_odds_is_no_answer() -> None:
    with (
        server(lambda _: (200, "<html>A page</html>")) as (model, _),
        pytest.raises(GenerationError, match="base_url"),
    ):
        odds(model)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, {"error": {"message": "nothing here"}}, "nothing here"),
        (405, {"detail": "Method Not Allowed"}, ".*Method Not Allowed.*"),
        (403, "<html>Log in</html>", "a web page"),
        (404, "<!doctype html><title>Not Found</title>", "a web page"),
    ],
)
def test_a_path_that_is_not_there_is_told_with_what_to_look_at(
    status: int, body: Any, said: str
) -> None:
    with (
        server(lambda _: (status, body)) as (model, _),
        pytest.raises(GenerationError, match=rf"{status}\): {said}; check llm\.base_url.*/v1"),
    ):
        reply(model)


def refusing(name: str, status: int, message: str) -> Callable[[Request], Response]:
    def habit(request: Request) -> Response:
        if name in request:
            return status, {"error": {"message": message}}
        return usual(request)

    return habit


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("max_tokens", 400, "'max_tokens' isn't known to this model"),
        ("max_tokens", 422, "Extra inputs are not permitted"),
        ("seed", 422, "body.seed: extra field"),
        ("seed", 501, "Not implemented"),
        ("stream_options", 400, "unknown argument: stream_options"),
        ("temperature", 400, "temperature: only 1 is supported"),
    ],
)
def test_a_part_that_is_refused_is_left_out_from_then_on(
    name: str, status: int, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.WARNING),
        server(refusing(name, status, message)) as (
            model,
            asked,
        ),
    ):
        assert [reply(model), reply(model)] == [SAID, SAID]
    assert sum(name in request for request in asked) == 1
    assert [name in record.message for record in caplog.records] == [True]
    if name == "max_tokens":
        assert asked[-1]["max_completion_tokens"] == 200


@pytest.mark.parametrize("is_event", [False, True])
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("max_tokens", {"message": "Unsupported parameter: 'max_tokens'", "code": "unsupported"}),
        ("seed", {"message": "an argument isn't known", "param": "seed"}),
        ("stream_options", "stream_options: extra field"),
        ("temperature", {"message": "Extra inputs are not permitted", "code": 422}),
    ],
)
def test_a_part_that_is_refused_in_a_200_is_left_out_from_then_on(
    name: str, error: Any, is_event: bool
) -> None:
    body = {"error": error}

    def habit(request: Request) -> Response:
        if name not in request:
            return usual(request)
        return 200, f"data: {json.dumps(body)}\n\n" if is_event else body

    with server(habit) as (model, asked):
        assert [reply(model), reply(model)] == [SAID, SAID]
    assert sum(name in request for request in asked) == 1


def test_odds_that_are_refused_in_a_200_are_asked_for_once() -> None:
    def habit(request: Request) -> Response:
        return (200, {"error": "no logprobs"}) if "logprobs" in request else usual(request)

    with server(habit) as (model, asked):
        assert [odds(model), odds(model)] == [None, None]
        assert len(asked) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504, 0])
def test_a_worker_that_dies_over_odds_is_asked_for_them_twice(status: int) -> None:
    def habit(request: Request) -> Response:
        return (status, "<html>gone</html>") if "logprobs" in request else usual(request)

    with server(habit) as (model, asked):
        for _ in range(3):
            assert odds(model) is None
            assert reply(model) == SAID
    assert sum("logprobs" in request for request in asked) == 2


@pytest.mark.parametrize(
    ("status", "reason"), [(503, "503"), (0, "can't be reached"), (429, "429")]
)
def test_a_server_that_is_down_is_said_to_be(status: int, reason: str) -> None:
    with server(lambda _: (status, {"error": {"message": "?"}})) as (model, asked):
        for ask, most in ((odds, 2), (reply, 1)):
            asked.clear()
            with pytest.raises(GenerationError, match=reason):
                ask(model)
            assert len(asked) <= most


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "logprobs: no"),
        (403, "you are not allowed to request logprobs"),
        (405, "no logprobs here"),
        (422, "no"),
        (500, "logprobs is for others"),
        (501, "no"),
    ],
)
def test_a_server_that_tells_no_odds_is_asked_for_them_once(status: int, message: str) -> None:
    with server(refusing("logprobs", status, message)) as (model, asked):
        assert [odds(model), odds(model)] == [None, None]
        assert len(asked) == 2
        assert reply(model) == SAID


def test_a_server_that_leaves_the_odds_out_is_asked_for_them_once() -> None:
    with server(lambda _: (200, told(logprobs=None))) as (model, asked):
        assert [odds(model), odds(model)] == [None, None]
        assert len(asked) == 1


def test_a_server_that_tells_fewer_odds_is_asked_for_fewer() -> None:
    def habit(request: Request) -> Response:
        if request.get("top_logprobs", 0) > 8:
            return 400, {"error": {"message": "top_logprobs: at most 8"}}
        return usual(request)

    with server(habit) as (model, asked):
        assert odds(model) == pytest.approx(2.4)
        assert asked[-1]["top_logprobs"] == 5


def test_a_server_that_does_not_stream_is_asked_for_all_at_once() -> None:
    def habit(request: Request) -> Response:
        if request.get("stream"):
            return 400, {"error": {"message": "stream is not supported"}}
        return 200, {"choices": [{"message": {"content": SAID}, "finish_reason": "stop"}]}

    with server(habit) as (model, asked):
        assert [reply(model), reply(model)] == [SAID, SAID]
    assert len(asked) == 3


def test_a_template_without_a_system_is_asked_without_one() -> None:
    def habit(request: Request) -> Response:
        if request["messages"][0]["role"] == "system":
            return 400, {"error": {"message": "System role not supported"}}
        return usual(request)

    with server(habit) as (model, asked):
        assert reply(model) == SAID
    assert asked[-1]["messages"] == [
        {"role": "user", "content": "Answer in few words.\n\nHow high is the lighthouse?"}
    ]


def test_one_stumble_is_not_remembered() -> None:
    failed = iter([True])

    def habit(request: Request) -> Response:
        return (500, {"error": "?"}) if next(failed, False) else usual(request)

    with server(habit) as (model, _):
        assert odds(model) is None
        assert odds(model) == pytest.approx(2.4)


def test_a_server_that_fails_whatever_it_is_asked_says_why() -> None:
    with server(lambda _: (500, {"error": {"message": "no memory"}})) as (model, asked):
        with pytest.raises(GenerationError, match=r"500\): no memory"):
            odds(model)
        assert len(asked) <= 4
    with server(lambda _: (401, {"error": {"message": "who?"}})) as (model, asked):
        with pytest.raises(GenerationError, match=r"401\): who\?"):
            odds(model)
        assert len(asked) == 1


def test_neither_word_among_the_likeliest_is_as_unlikely_as_can_be() -> None:
    with server(lambda _: (200, told())) as (model, _):
        assert llm.log_odds(model, ASKED, "up", "down", 10)[0] == -math.inf
