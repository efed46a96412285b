"""A real server with the real weights over a folder of its own, and Debian's Chromium before it."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from rag import config, index
from rag.embedding import load_embedder
from tests.ui.hosts import Host, hosted

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")

# Run as code or followed as a link, any of this sets a variable of the page.
ATTACK = (
    '<script>window.pwned="script"</script><img src=x onerror="window.pwned=1">'
    '<a href="javascript:window.pwned=2">here</a> [link](javascript:window.pwned=3)'
    "<svg/onload=window.pwned=4> ${window.pwned=5} {{constructor}} @children"
)
BRIDGE = f"قال المهندس سامي {ATTACK} إن طول جسر الياسمين يبلغ 912 مترًا."
# A million characters; most are line breaks, which take no time to embed.
MARKDOWN = (
    "# **[x](javascript:window.pwned=6)** `<b onclick=window.pwned=7>`" + "\n" * 99_900
) * 10
HOSTILE = f"# جسر \u202eالياسمين <i>\n\n{BRIDGE}\n\n{MARKDOWN}\n"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run only what keeps pictures, where they are wanted."""
    if os.environ.get("PICTURES"):
        items[:] = [item for item in items if "picture" in getattr(item, "fixturenames", ())]


@dataclass(frozen=True)
class Site:
    """A running server, and what it serves."""

    url: str
    corpus: Path
    storage: Path


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium, and these tests run")
    return found


@dataclass(frozen=True)
class Hosts:
    """Sites that embed the widget: two that may, and one that may not."""

    arabic: Host
    strict: Host
    foreign: Host


@pytest.fixture(scope="session")
def hosts() -> Iterator[Hosts]:
    with (
        hosted("localhost") as arabic,
        hosted("127.0.0.1") as strict,
        hosted("localhost") as foreign,
    ):
        yield Hosts(arabic, strict, foreign)


@pytest.fixture(scope="session")
def site(chromium: str, hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    corpus, storage = folder / "corpus", folder / "storage"
    shutil.copytree(ROOT / "seeds", corpus)
    (corpus / "bridge.md").write_text(HOSTILE, encoding="utf-8")
    settings = config.load(ROOT / "config.yaml", corpus=corpus, storage=storage)
    index.update(settings, load_embedder(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from ui.cli import main; main()", "serve"]
    command += ["--port", str(port), "--corpus", str(corpus), "--storage", str(storage)]
    allowed = json.dumps([hosts.arabic.origin, hosts.strict.origin])
    environment = {
        **os.environ,
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
        "RAWI_WIDGET__ALLOWED_ORIGINS": allowed,
    }
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}", server)
            yield Site(f"http://127.0.0.1:{port}", corpus, storage)
        finally:
            server.terminate()
            server.wait(30)


def wait_for(url: str, server: subprocess.Popen[Any]) -> None:
    until = time.monotonic() + 120
    while True:
        assert server.poll() is None, "the server ended by itself"
        assert time.monotonic() < until, "the server did not come up"
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.3)


@pytest.fixture(scope="session")
def playwright(chromium: str) -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    # As root, as in a container, Chromium has no sandbox.
    launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    yield launched
    launched.close()


@dataclass
class Visit:
    """A page that is open, in a browser that knows nothing yet, and where it sent requests to."""

    page: Page
    context: BrowserContext
    requests: list[str]
    errors: list[str]


Open = Callable[..., Visit]


@pytest.fixture
def look(browser: Browser) -> Iterator[Open]:
    """Open any page: ``look(url, locale="ar", width=390, dark=True)``.

    At the end no page may have run what a document holds, raised an error or asked another host.
    """
    visits: list[tuple[str, Visit]] = []

    def open_(
        url: str,
        locale: str = "en",
        width: int = 1280,
        height: int = 800,
        dark: bool = False,
        timezone: str | None = None,
    ) -> Visit:
        context = browser.new_context(
            locale=locale,
            timezone_id=timezone,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            accept_downloads=True,
        )
        context.set_default_timeout(60_000)
        page = context.new_page()
        opened = Visit(page, context, [], [])
        visits.append((url, opened))
        context.on("request", lambda request: opened.requests.append(request.url))
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.on("dialog", lambda dialog: opened.errors.append(f"dialog: {dialog.message}"))
        page.goto(url)
        page.locator("#rawi-question textarea:enabled").wait_for()
        return opened

    yield open_
    for url, opened in visits:
        assert opened.page.evaluate("window.pwned") is None
        assert opened.errors == []
        foreign = [u for u in opened.requests if not u.startswith((url, "data:", "blob:"))]
        assert foreign == []
        opened.context.close()


Keep = Callable[..., None]


@pytest.fixture
def picture() -> Keep:
    """Keep a picture of a state of the page in the folder of ``$PICTURES``, if that is given.

    ``picture(page, "refusal", "ar")``: named by the state and the page's language.
    """
    folder = os.environ.get("PICTURES")

    def keep(page: Page, state: str, locale: str) -> None:
        if folder:
            shot = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
            shot.convert("RGB").quantize(64).save(Path(folder) / f"{state}-{locale}.png")

    return keep


@pytest.fixture
def visit(look: Open, site: Site) -> Open:
    """Open the page of ``site`` and wait until it can answer: ``visit(locale="ar", …)``."""

    def open_(**options: Any) -> Visit:
        opened = look(site.url, **options)
        opened.page.locator(".rw-example").first.wait_for(timeout=180_000)
        return opened

    return open_
