"""The widget's server side: who gets a ticket, and what a ticket opens."""

from __future__ import annotations

import httpx

from tests.ui.serving import engine, served

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
