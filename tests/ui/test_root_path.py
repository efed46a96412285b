"""Everything below a path of a proxy's, whether it strips the path or passes it on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from tests.ui.conftest import Open
from tests.ui.serving import ANSWER, QUESTION, engine, served
from tests.ui.test_doors import AS_ADVISED, SITE, WIDGET, behind_nginx

pytestmark = pytest.mark.slow

BELOW = "/notes/rawi"
SAID = f"\nproxy_set_header X-Forwarded-Prefix {BELOW};"


@pytest.fixture(
    scope="module",
    params=[("/", BELOW, ""), ("", BELOW, ""), ("/", "", SAID), ("", "/other", SAID)],
    ids=["stripped", "passed on", "stripped and said", "passed on and said"],
)
def proxied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Serve through nginx below a path; give the address of the page, with a slash."""
    target, root_path, said = request.param
    folder = tmp_path_factory.mktemp("proxied")
    server = {"root_path": root_path, "trusted_proxies": ["127.0.0.1"]}
    keys = {"key_hashes": ["0" * 64]}
    rawi = engine(folder, *[ANSWER] * 8, server=server, widget=WIDGET, api=keys)
    headers = AS_ADVISED + said
    with (
        served(rawi) as url,
        behind_nginx(folder / "nginx", f"{url}{target}", headers, BELOW) as outside,
    ):
        yield f"{outside}{BELOW}/"


def test_the_page_answers_and_asks_for_nothing_above_it(proxied: str, look: Open) -> None:
    page = look(proxied).page
    page.locator("#rawi-question textarea").fill(QUESTION)
    page.locator("#rawi-send").click()
    page.locator("[data-citation]").first.wait_for()
    assert page.locator("#rawi-messages").inner_text().count("30") >= 1
    header = page.locator(".rw-header").first
    assert header.evaluate("e => getComputedStyle(e).display") == "flex", "its own stylesheet"


def test_the_widget_opens_below_it(proxied: str, look: Open) -> None:
    assert httpx.get(f"{proxied}widget.js").status_code == 200
    issued = httpx.post(f"{proxied}widget/ticket", headers={"Origin": SITE}).json()
    opened = httpx.get(f"{proxied}embed", params=issued, follow_redirects=True)
    assert opened.status_code == 200
    assert str(opened.url).startswith(f"{proxied}embed/")
    script = re.search(r"src=.{1,3}?([./]*ui/rawi\.js)", opened.text)
    assert script is not None
    assert httpx.get(opened.url.join(script[1])).status_code == 200
    assert httpx.get(f"{opened.url}embed.js").status_code == 200
    assert httpx.get(f"{opened.url}theme.css").status_code == 200


def test_api_mcp_and_health_are_there(proxied: str, tmp_path: Path) -> None:
    assert httpx.get(f"{proxied}healthz").json()["ready"]
    assert httpx.get(f"{proxied}openapi.json").json()["servers"] == [{"url": BELOW}]
    for path in ("v1/models", "mcp", "search"):
        assert httpx.post(f"{proxied}{path}", json={}).status_code == 401
    with served(engine(tmp_path / "own", ANSWER, server={"root_path": BELOW})) as url:
        client = openai.OpenAI(base_url=f"{url}{BELOW}/v1", api_key="none", max_retries=0)
        asked = [{"role": "user", "content": QUESTION}]
        reply = client.chat.completions.create(model="rawi", messages=asked)  # type: ignore[arg-type]
        assert reply.choices[0].message.content == f"{ANSWER} [1]"
        assert httpx.get(f"{url}/v1/models").status_code == 200, "this machine's own needn't know"
        assert httpx.get(f"{url}{BELOW}").headers["location"] == f"{BELOW}/"


@pytest.mark.parametrize("trusted", [[], ["127.0.0.1"]], ids=["unknown", "trusted"])
def test_a_path_is_believed_of_a_trusted_proxy_and_where_it_is_one(
    tmp_path: Path, trusted: list[str]
) -> None:
    own = {"root_path": "/own", "trusted_proxies": trusted}
    with served(engine(tmp_path, server=own)) as url, httpx.Client() as client:

        def below(prefix: str) -> tuple[str, bool]:
            headers = {"X-Forwarded-Prefix": prefix}
            described = client.get(f"{url}/openapi.json", headers=headers).json()
            page = client.get(url, headers=headers)
            assert page.status_code == 200
            return described["servers"][0]["url"], "/said" in page.text

        assert below("/said/") == (("/said", True) if trusted else ("/own", False))
        for wrong in ("//evil.example/said", "https://evil.example/said", "/said, /more", "said",
                      '/said"><script>', "/" + "said/" * 1_000, ""):  # fmt: skip
            assert below(wrong) == ("/own", False), wrong
