"""What README.md and docs/ show others to write, run as it stands against a real server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import ROOT, Hosts, Site
from tests.ui.hosts import Host

pytestmark = [pytest.mark.weights, pytest.mark.browser]

TEXTS = [
    path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
]
# WordPress, as far as the snippet sees it: one script is queued, and its tag is filtered.
WORDPRESS = """<?php
$filters = array();
function add_action( $name, $then ) { $then(); }
function add_filter( $name, $then, $priority, $count ) { global $filters; $filters[] = $then; }
function wp_enqueue_script( $handle, $src, $needs, $version, $late ) {
    global $tag;
    $tag = array( "<script src='$src' id='$handle-js'></script>\\n", $handle );
}
SNIPPET
foreach ( $filters as $filter ) { $tag[0] = $filter( $tag[0], $tag[1] ); }
echo $tag[0];
"""


def snippets(language: str, site: Site) -> list[str]:
    """Return the code that is shown in a language, for this server."""
    found = [
        code
        for text in TEXTS
        for code in re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
    ]
    assert found
    return [
        code.replace("https://rawi.example.org", site.url).replace(
            "http://127.0.0.1:7860", site.url
        )
        for code in found
    ]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


def opens(page: Page, host: Host) -> None:
    page.goto(host.origin)
    expect(page.locator("rawi-widget")).to_have_count(1)
    page.locator("rawi-widget .launcher").click()
    chat = page.frame_locator("rawi-widget iframe")
    expect(chat.locator("#rawi-question textarea")).to_be_visible(timeout=60_000)


def test_html(page: Page, hosts: Hosts, site: Site) -> None:
    for tag in snippets("html", site):
        hosts.arabic.pages["/"] = f"<!doctype html><html lang=en><head>{tag}</head><body></body>"
        opens(page, hosts.arabic)
        expect(page.locator("rawi-widget h2")).to_have_text("Ask our archive")


def test_policy(page: Page, hosts: Hosts, site: Site) -> None:
    tag, (policy,) = snippets("html", site)[0], snippets("csp", site)
    rest = "default-src 'none'; require-trusted-types-for 'script'"
    hosts.strict.policy = f"{policy.strip()}; {rest}"
    hosts.strict.pages["/"] = f"<!doctype html><html lang=en><head>{tag}</head><body></body>"
    opens(page, hosts.strict)


def test_react(page: Page, hosts: Hosts, site: Site) -> None:
    (code,) = snippets("jsx", site)
    # React in strict mode: an effect runs, is cleaned up, and runs again.
    runs_twice = "const useEffect = (run) => { run()?.(); window.left = run(); };"
    script = code.replace('import { useEffect } from "react";', runs_twice)
    script = script.replace("export function", "window.Rawi = function")
    hosts.arabic.pages["/"] = (
        f"<!doctype html><html lang=en><body><script>{script}; Rawi({{}});</script></body>"
    )
    opens(page, hosts.arabic)
    page.evaluate("left()")
    expect(page.locator("rawi-widget")).to_have_count(0)
    page.evaluate("Rawi({})")
    expect(page.locator("rawi-widget")).to_have_count(1)


def test_wordpress(page: Page, hosts: Hosts, site: Site) -> None:
    php = shutil.which("php")
    if php is None:
        pytest.skip("no PHP here: apt-get install php-cli, and this test runs")
    (code,) = snippets("php", site)
    program = WORDPRESS.replace("SNIPPET", code)
    done = subprocess.run([php], input=program, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert 'async data-lang="auto"' in done.stdout
    hosts.arabic.pages["/"] = f"<!doctype html><html lang=en><body>{done.stdout}</body>"
    opens(page, hosts.arabic)


def test_python(site: Site, tmp_path: Path) -> None:
    asks_a_server = [code for code in snippets("python", site) if site.url in code]
    assert asks_a_server  # the others are run by tests/test_docs.py
    for code in asks_a_server:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert "30" in done.stdout


def test_curl(site: Site) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl here: apt-get install curl, and this test runs")
    commands = "".join(code for code in snippets("sh", site) if "curl" in code)
    for command in re.split(r"(?m)^(?=curl)", commands)[1:]:
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        reply = json.loads(done.stdout)
        assert "30 مليار" in json.dumps(reply, ensure_ascii=False)
