"""The widget's server side: who gets a ticket, and what a ticket opens."""

from __future__ import annotations

import logging
from logging.handlers import BufferingHandler
from pathlib import Path

import httpx
import pytest

from tests.conftest import drop_privileges, in_child
from tests.ui.serving import engine, served

pytestmark = pytest.mark.slow

SITE = "https://www.example.org"


def test_only_a_listed_origin_gets_a_ticket_and_it_opens_the_page_once(tmp_path):
    with served(engine(tmp_path, widget={"allowed_origins": [SITE]})) as url:
        for origin in ("https://evil.example", f"{SITE}.evil.example", "null", f"{SITE}/"):
            headers = {"Origin": origin}
            assert httpx.post(f"{url}/widget/ticket", headers=headers).status_code == 403
        assert httpx.post(f"{url}/widget/ticket").status_code == 403
        reply = httpx.post(f"{url}/widget/ticket", headers={"Origin": SITE})
        assert reply.headers["access-control-allow-origin"] == SITE
        ticket = {"ticket": reply.json()["ticket"]}
        opened = httpx.get(f"{url}/embed", params=ticket, follow_redirects=True)
        assert opened.status_code == 200
        assert opened.headers["content-security-policy"].endswith(f"frame-ancestors {SITE}")
        assert httpx.get(f"{url}/embed", params=ticket).status_code == 403
        assert httpx.get(f"{url}/embed", params={"ticket": "forged"}).status_code == 403
        assert httpx.get(f"{url}/embed/forged/").status_code == 403
        script = httpx.get(f"{opened.url}embed.js").text
        assert f'ORIGIN = "{SITE}"' in script
        assert "افتح المحادثة" in httpx.get(f"{url}/widget.js").text
    assert (tmp_path / "widget.key").stat().st_mode & 0o777 == 0o600


def served_without_rights(storage: Path) -> tuple[list[int], list[str]]:
    """Open page and widget without rights; return the statuses, and what is logged."""
    drop_privileges()
    said = BufferingHandler(1_000)
    logging.getLogger("ui").addHandler(said)
    with served(engine(storage, widget={"allowed_origins": [SITE]})) as url:
        issued = httpx.post(f"{url}/widget/ticket", headers={"Origin": SITE})
        opened = httpx.get(f"{url}/embed", params=issued.json(), follow_redirects=True)
        statuses = [httpx.get(url).status_code, issued.status_code, opened.status_code]
    return statuses, [record.getMessage() for record in said.buffer]


@pytest.mark.parametrize("unreadable", [False, True], ids=["never served", "another's"])
def test_a_storage_that_can_not_be_written_to_is_served(tmp_path: Path, unreadable: bool):
    if unreadable:
        (tmp_path / "widget.key").touch(0)
    tmp_path.chmod(0o555)
    statuses, said = in_child(served_without_rights, tmp_path)
    tmp_path.chmod(0o755)
    assert statuses == [200, 200, 200]
    assert len(said) == 1
    assert said[0].startswith(f"{tmp_path}/widget.key: Permission denied; ")
    assert "RAWI_WIDGET__SECRET" in said[0]
