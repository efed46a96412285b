"""The MCP server, by the official client."""

from __future__ import annotations

import pytest
from mcp import Client

from tests.conftest import run
from tests.ui.serving import ANSWER, QUESTION, QUOTE, engine, indexed, served

pytestmark = pytest.mark.slow

TOOLS = ("search", "ask")


def test_the_official_client_searches_and_asks(tmp_path):
    async def use(url):
        async with Client(f"{url}/mcp") as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            found = await client.call_tool("search", {"question": QUESTION})
            answer = await client.call_tool("ask", {"question": QUESTION})
            return names, found.structured_content, answer.structured_content

    with served(engine(tmp_path, ANSWER), page=False) as url:
        names, found, answer = run(use(url))
    assert names == set(TOOLS)
    assert found["results"][0]["text"] == QUOTE
    assert answer["citations"][0]["quote"] == QUOTE


def test_both_tools_ask_some_documents_alone_and_name_one_that_is_not_there(tmp_path):
    texts = {"a.txt": "The cat is at home.", "b.txt": "The cat sleeps."}
    asked = {"question": "Where is the cat?"}

    async def use(url):
        async with Client(f"{url}/mcp") as client:
            found = await client.call_tool("search", {**asked, "docs": ["b.txt"]})
            answer = await client.call_tool("ask", {**asked, "docs": ["b.txt"]})
            gone = [await client.call_tool(t, {**asked, "docs": ["c.txt"]}) for t in TOOLS]
            return found.structured_content, answer.structured_content, gone

    with indexed(tmp_path, texts) as rawi, served(rawi, page=False) as url:
        found, answer, gone = run(use(url))
    assert {result["doc"] for result in found["results"]} == {"b.txt"}
    assert {sentence["doc"] for sentence in answer["evidence"]} == {"b.txt"}
    for refused in gone:
        assert refused.is_error
        assert "c.txt" in refused.content[0].text
