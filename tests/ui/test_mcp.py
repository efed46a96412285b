"""The MCP server, by the official client."""

from __future__ import annotations

from mcp import Client

from tests.ui.serving import ANSWER, QUESTION, QUOTE, engine, run, served


def test_the_official_client_searches_and_asks(tmp_path):
    async def use(url):
        async with Client(f"{url}/mcp") as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            found = await client.call_tool("search", {"question": QUESTION})
            answer = await client.call_tool("ask", {"question": QUESTION})
            return names, found.structured_content, answer.structured_content

    with served(engine(tmp_path, ANSWER)) as url:
        names, found, answer = run(use(url))
    assert names == {"search", "ask"}
    assert found["results"][0]["text"] == QUOTE
    assert answer["citations"][0]["quote"] == QUOTE
