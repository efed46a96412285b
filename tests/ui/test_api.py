"""The API, by the clients that people use, against a real server."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

from rag.errors import GenerationError
from tests.conftest import run
from tests.doubles import JudgingLLM
from tests.ui.serving import (
    ANSWER,
    FOUND,
    QUESTION,
    QUOTE,
    BrokenLLM,
    SlowLLM,
    engine,
    indexed,
    served,
    until,
)
from ui import keys

pytestmark = pytest.mark.slow

ASK = {"model": "rawi", "messages": [{"role": "user", "content": QUESTION}]}


@pytest.fixture
def ask(tmp_path):
    """Serve one reply, and give an OpenAI client."""
    with served(engine(tmp_path, ANSWER, ANSWER), page=False) as url:
        yield openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """A server for what changes nothing; its LLM has nothing to say."""
    with served(engine(tmp_path_factory.mktemp("silent"))) as url:
        yield url


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """A server over an index of ``HOMES``."""
    with indexed(tmp_path_factory.mktemp("homes"), HOMES) as rawi, served(rawi, page=False) as url:
        yield url


def test_the_openai_client_gets_answer_citations_and_evidence(ask):
    reply = ask.chat.completions.create(**ASK)
    assert reply.choices[0].message.content == f"{ANSWER} [1]"
    assert reply.choices[0].finish_reason == "stop"
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (17, 6)
    assert reply.citations[0]["quote"] == QUOTE
    assert reply.citations[0]["marker"] == 1
    assert reply.citations[0]["language"] == "ar"
    assert (reply.citations[0]["title"], reply.citations[0]["date"]) == (FOUND.doc, "")
    assert [QUOTE[a:z] for a, z in reply.citations[0]["marks"]][-1].endswith("30 مليار")
    assert reply.short_answer == ANSWER
    assert reply.evidence[0]["doc"] == FOUND.doc
    assert (reply.abstained, reply.language) == (False, "ar")


def test_a_stream_gives_evidence_then_tokens_then_the_checked_answer(ask):
    chunks = list(ask.chat.completions.create(**ASK, stream=True))
    assert chunks[0].evidence[0]["text"] == QUOTE
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == f"{ANSWER} [1]"
    last = chunks[-1]
    assert last.choices[0].finish_reason == "stop"
    assert last.answer == f"{ANSWER} [1]"
    assert last.citations[0]["quote"] == QUOTE
    assert last.usage.total_tokens == 23
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_sentence_is_translated_by_its_place(tmp_path):
    model = JudgingLLM(replies=deque(["It was 30 billion (1).", "It was 40 billion (1)."]))
    with served(engine(tmp_path, model=model), page=False) as url:
        place = {"doc": FOUND.doc, "start": 0, "end": len(QUOTE)}
        said = httpx.post(f"{url}/translate", json=place).json()
        assert said == {"text": "It was 30 billion (1).", "machine": True}
        assert httpx.post(f"{url}/translate", json=place).json()["text"] == ""  # doesn't hold
        beyond = {**place, "end": len(QUOTE) + 1}
        assert httpx.post(f"{url}/translate", json=beyond).status_code == 400
        assert httpx.post(f"{url}/translate", json={**place, "start": -1}).status_code == 422


def test_llama_index_openai_like_works_whole_and_streamed(ask):
    llm = OpenAILike(model="rawi", api_base=str(ask.base_url), api_key="none", is_chat_model=True)
    asked = [ChatMessage(role="user", content=QUESTION)]
    assert llm.chat(asked).message.content == f"{ANSWER} [1]"
    assert list(llm.stream_chat(asked))[-1].message.content == f"{ANSWER} [1]"


def test_there_is_one_model(ask):
    assert [model.id for model in ask.models.list()] == ["rawi"]
    assert ask.models.retrieve("rawi").owned_by == "rawi"
    for name in ("gpt-5", "org/name", "org/name/v2:free"):
        reply = httpx.get(f"{ask.base_url}models/{name}")
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "model_not_found")
    with pytest.raises(openai.NotFoundError, match="no such model"):
        ask.models.retrieve("org/name")


def test_search_gives_passages(silent):
    found = httpx.post(f"{silent}/search", json={"question": f" {QUESTION} ", "k": 3}).json()
    assert (found["question"], found["language"]) == (QUESTION, "ar")
    assert [result["text"] for result in found["results"]] == [QUOTE]


HOMES = {"a.txt": "The cat is at home.", "b.txt": "The cat sleeps.", "قط.txt": "القط في الحديقة."}
CAT = {"model": "rawi", "messages": [{"role": "user", "content": "Where is the cat?"}]}


@pytest.mark.parametrize("docs", [["b.txt"], ["قط.txt"], ["a.txt", "قط.txt"]])
def test_some_documents_alone_are_asked(homes, docs):
    client = openai.OpenAI(base_url=f"{homes}/v1", api_key="none", max_retries=0)
    reply = client.chat.completions.create(**CAT, extra_body={"docs": docs})
    *_, last = client.chat.completions.create(**CAT, stream=True, extra_body={"docs": docs})
    asked = {"question": "Where is the cat?", "k": 9, "docs": docs}
    found = httpx.post(f"{homes}/search", json=asked).json()["results"]
    everywhere = httpx.post(f"{homes}/search", json={**asked, "docs": None}).json()["results"]
    assert {sentence["doc"] for sentence in reply.evidence} == set(docs)
    assert {sentence["doc"] for sentence in last.evidence} == set(docs)
    assert {quote["doc"] for quote in reply.citations} <= set(docs)
    assert {passage["doc"] for passage in found} == set(docs)
    assert {passage["doc"] for passage in everywhere} == set(HOMES)


@pytest.mark.parametrize(
    ("docs", "named"),
    [(["a.txt", "no [b]\nnotes.md"], "no [b] notes.md"), (["A.txt"], "A.txt"), ([], "no document")],
)
@pytest.mark.parametrize("path", ["chat", "stream", "search"])
def test_documents_that_are_not_there_are_named_in_both_languages(homes, docs, named, path):
    asked = {"question": "Where is the cat?"} if path == "search" else CAT
    body = {**asked, "docs": docs} | ({"stream": True} if path == "stream" else {})
    where = "search" if path == "search" else "v1/chat/completions"
    reply = httpx.post(f"{homes}/{where}", json=body)
    error = reply.json()["error"]
    assert (reply.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error["param"], error["code"]) == ("docs", "document_not_found")
    assert named in error["message"]
    assert "وثيقة" in error["message"]
    assert "a.txt" not in error["message"]


@pytest.mark.parametrize("docs", ["a.txt", [1], ["x" * 5_000], [""], ["a.txt"] * 1_001])
def test_documents_are_a_bounded_list_of_names(silent, docs):
    for path, asked in (("search", {"question": QUESTION}), ("v1/chat/completions", ASK)):
        reply = httpx.post(f"{silent}/{path}", json={**asked, "docs": docs})
        assert reply.status_code == 422, path
        assert reply.json()["error"]["param"].startswith("docs")


REFUSED = {
    "another model": ({**ASK, "model": "gpt-5"}, 404, "no such model"),
    "no messages": ({**ASK, "messages": []}, 422, "messages"),
    "an empty question": ({**ASK, "messages": [{"role": "user", "content": " "}]}, 400, "empty"),
    "a third language": (
        {**ASK, "messages": [{"role": "user", "content": "今日は何曜日ですか"}]}, 400, "Arabic",
    ),
    "too long": ({**ASK, "messages": [{"role": "user", "content": "ق " * 3000}]}, 400, "max_chars"),
    "the last is not the user's": (
        {**ASK, "messages": [{"role": "assistant", "content": "Hi"}]}, 400, "last message",
    ),
    "several choices": ({**ASK, "n": 2}, 422, "n:"),
    "half a character": (
        {**ASK, "messages": [{"role": "user", "content": "\ud800"}]}, 400, "empty",
    ),
}  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("body", "status", "part"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_asked_is_refused_in_openais_form(silent, body, status, part, stream):
    content = json.dumps({**body, "stream": stream})
    headers = {"content-type": "application/json"}
    reply = httpx.post(f"{silent}/v1/chat/completions", content=content, headers=headers)
    assert reply.status_code == status
    error = reply.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["code"] == ("model_not_found" if status == 404 else None)
    assert part in error["message"]


UNREADABLE = {
    "not UTF-8": json.dumps(ASK, ensure_ascii=False).encode("cp1256", "replace"),
    "half a byte order mark": b"\xff" + json.dumps(ASK).encode(),
    "lists without a bottom": b'{"messages":' + b"[" * 100_000,
    "objects without a bottom": b'{"messages":' * 100_000,
    "not whole": b'{"messages":',
}


@pytest.mark.parametrize("path", ["v1/chat/completions", "search"])
@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read_is_refused_in_openais_form(silent, content, path):
    headers = {"content-type": "application/json"}
    reply = httpx.post(f"{silent}/{path}", content=content, headers=headers)
    assert reply.status_code in (400, 422)
    assert reply.json()["error"]["type"] == "invalid_request_error"


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
EARLIER = {
    "an image": [
        {"role": "user", "content": [IMAGE, {"type": "text", "text": "What is this?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "A bank."}]},
    ],
    "texts in other forms": [
        {"role": "user", "content": ["What", {"text": "is this?"}, None, {"type": "x", "text": 5}]},
        {"role": "assistant", "content": {"text": "A bank."}},
    ],
    "texts in objects": [
        {"role": "user", "content": [{"type": "text", "text": {"value": "What?"}}]},
        {"role": "assistant", "content": [{"type": "text", "text": {"value": None}}]},
    ],
    "no roles": [{"role": None, "content": "What?"}, {"content": "A bank."}],
    "an answer without a role": [
        {"role": "user", "content": "What?"},
        {"role": None, "content": "A bank."},
    ],
    "many messages": [
        {"role": role, "content": "So?"} for _ in range(150) for role in ("user", "assistant")
    ],
    "a long message": [
        {"role": "user", "content": "Read this: " + "a word " * 20_000},
        {"role": "assistant", "content": "Yes."},
    ],
    "other roles": [
        {"role": "function", "name": "search", "content": "[]"},
        {"role": "critic", "content": None},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": ""}},
    ],
}


@pytest.mark.parametrize("earlier", EARLIER.values(), ids=EARLIER)
def test_of_what_was_said_before_the_text_that_is_needed_is_read(tmp_path, earlier):
    model = JudgingLLM(replies=deque([ANSWER, ANSWER]))
    last = {"role": "user", "content": [{"type": "text", "text": QUESTION}, IMAGE]}
    with served(engine(tmp_path, model=model), page=False) as url:
        body = {"model": "rawi", "messages": [*earlier, last], "stream": None}
        reply = httpx.post(f"{url}/v1/chat/completions", json=body)
    assert reply.status_code == 200, reply.text
    assert reply.json()["choices"][0]["message"]["content"] == f"{ANSWER} [1]"
    assert QUESTION in model.prompts[0][-1].content
    assert len(model.prompts[0][-1].content) < 1_000


@pytest.mark.parametrize("role", [{"role": None}, {}])
def test_a_message_without_a_role_is_of_whose_turn_it_is(ask, role):
    question = [{"type": "text", "text": {"value": QUESTION}}]
    asked = [{**role, "content": said} for said in ("What?", "A bank.", question)]
    for messages, status in ((asked[:2], 400), (asked, 200)):
        body = {"model": "rawi", "messages": messages}
        reply = httpx.post(f"{ask.base_url}chat/completions", json=body)
        assert reply.status_code == status, reply.text


@pytest.mark.parametrize("path", ["/v1/embeddings", "/chat/completions", "/v1/models/gpt-5"])
def test_what_is_not_there_is_said_in_openais_form(silent, path):
    for reply in (httpx.get(f"{silent}{path}"), httpx.post(f"{silent}{path}", json={})):
        assert reply.status_code == 404
        if reply.request.method == "GET" or "models" not in path:
            assert reply.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("stream", [False, True])
def test_a_front_ends_own_request_needs_no_answer_from_the_documents(silent, stream):
    task = 'Title, as JSON: {"title": "…"}\nUSER: Which ferry?\nASSISTANT: ' + "The first. " * 400
    client = openai.OpenAI(base_url=f"{silent}/v1", api_key="none", max_retries=0)
    asked = {"model": "rawi", "messages": [{"role": "user", "content": task}]}
    reply = client.chat.completions.create(**asked, stream=stream)
    if stream:
        said = "".join(chunk.choices[0].delta.content or "" for chunk in reply)
    else:
        said = reply.choices[0].message.content
        assert (reply.how, reply.citations) == ("told", [])
    assert json.loads(said) == {"title": "Which ferry"}


def test_a_browsers_preflight_needs_no_key_and_a_refusal_can_be_read(tmp_path):
    site = "https://notes.example"
    allowed = {"allowed_origins": [site]}
    with served(
        engine(tmp_path, widget=allowed, api={"key_hashes": [keys.make()[1]]}), page=False
    ) as url:
        path = f"{url}/v1/chat/completions"
        wanted = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,x-stainless-lang",
        }
        reply = httpx.options(path, headers={**wanted, "Origin": site})
        assert reply.status_code == 200
        assert reply.headers["access-control-allow-origin"] == site
        assert "authorization" in reply.headers["access-control-allow-headers"]
        other = httpx.options(path, headers={**wanted, "Origin": "https://other.example"})
        assert "access-control-allow-origin" not in other.headers
        keyless = httpx.post(path, json=ASK, headers={"Origin": site})
        assert keyless.status_code == 401
        assert keyless.headers["access-control-allow-origin"] == site


def test_an_llm_that_fails_leaves_a_quote_and_says_so(tmp_path):
    with served(engine(tmp_path, GenerationError("it broke")), page=False) as url:
        reply = httpx.post(f"{url}/v1/chat/completions", json=ASK).json()
    assert reply["failure"] == "it broke"
    assert reply["how"] == "quoted"
    assert QUOTE in reply["answer"]


def test_an_llm_that_fails_is_told_by_healthz_as_long_as_it_does(tmp_path):
    with served(engine(tmp_path, GenerationError("secret detail"), ANSWER), page=False) as url:

        def llm() -> str:
            told = httpx.get(f"{url}/healthz", params={"ready": True})
            assert told.status_code == 200, "quotes answer, too"
            assert "secret" not in told.text
            return told.json()["llm"]

        said = [llm()]
        for _ in range(2):
            httpx.post(f"{url}/v1/chat/completions", json=ASK)
            said.append(llm())
    assert said == ["ok", "failing", "ok"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_bug_is_an_error_for_its_asker_and_a_place_for_the_next(tmp_path, stream):
    rawi = engine(tmp_path, model=BrokenLLM(replies=deque()), limits={"waiting": 1})
    with served(rawi, page=False) as url:
        for _ in range(3):
            reply = httpx.post(f"{url}/v1/chat/completions", json={**ASK, "stream": stream})
            assert "something went wrong" in reply.text
            assert "secret detail" not in reply.text
            assert "[DONE]" not in reply.text
            assert until(lambda: "rawi_running 0.0" in httpx.get(f"{url}/metrics").text, 5)


def test_answers_with_keys_take_the_right_key_alone(tmp_path):
    key, hashed = keys.make()
    with served(engine(tmp_path, ANSWER, api={"key_hashes": [hashed]}), page=False) as url:
        for given in ("none", "rawi-wrong", hashed, key[:-1], f"{key}x", "é"):
            headers = {"Authorization": f"Bearer {given}".encode()}
            reply = httpx.post(f"{url}/v1/chat/completions", json=ASK, headers=headers)
            assert (reply.status_code, reply.json()["error"]["type"]) == (
                401,
                "authentication_error",
            )
        client = openai.OpenAI(base_url=f"{url}/v1", api_key=key)
        assert client.chat.completions.create(**ASK).choices[0].message.content == f"{ANSWER} [1]"


def test_answers_come_one_at_a_time_and_too_many_are_turned_away(tmp_path):
    slow = SlowLLM(replies=deque(), words=5)
    rawi = engine(tmp_path, model=slow, limits={"waiting": 3})
    with served(rawi, page=False) as url, ThreadPoolExecutor(8) as pool:
        asking = [
            pool.submit(httpx.post, f"{url}/v1/chat/completions", json=ASK, timeout=30)
            for _ in range(8)
        ]
        replies = [asked.result() for asked in asking]
    assert slow.most == 1
    codes = sorted(reply.status_code for reply in replies)
    assert codes[:3] == [200, 200, 200]
    turned_away = [reply for reply in replies if reply.status_code != 200]
    assert {reply.status_code for reply in turned_away} == {429}
    assert all(int(reply.headers["retry-after"]) > 0 for reply in turned_away)


LEAVING = {"mid-answer": "ساهم 30 ", "while it is tried again": "ساهم 77 "}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("words", LEAVING.values(), ids=LEAVING)
def test_twenty_who_go_away_free_their_places_within_two_seconds(tmp_path, stream, words):
    slow = SlowLLM(replies=deque(), words=8, delta=words)

    async def leave_all(url):
        limits = httpx.Limits(max_connections=20)
        async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
            ask = {**ASK, "stream": stream}
            asked = [
                asyncio.create_task(client.post("/v1/chat/completions", json=ask))
                for _ in range(20)
            ]
            assert await asyncio.to_thread(until, lambda: slow.running == 1, 20)
            await asyncio.sleep(0.5)  # the others wait
            for one in asked:
                one.cancel()
            await asyncio.wait(asked)

    with served(engine(tmp_path, model=slow, limits={"waiting_address": 20}), page=False) as url:
        run(leave_all(url))
        assert until(lambda: slow.running == 0, 2)
        assert until(lambda: "rawi_running 0.0" in httpx.get(f"{url}/metrics").text, 2)
        assert slow.most == 1


def test_the_openapi_document_names_what_is_there(tmp_path):
    with served(engine(tmp_path), page=False) as url:
        described = httpx.get(f"{url}/openapi.json").json()
    assert {"/v1/chat/completions", "/v1/models", "/search", "/healthz"} <= set(described["paths"])
    for asked in ("ChatRequest", "SearchRequest"):
        docs = described["components"]["schemas"][asked]["properties"]["docs"]
        assert "citations" in docs["description"]
