"""Which doors there are: every route and function that is served, for whom, and by what name.

The routes are listed from the application as it runs, so that a new version of a framework can't
open one unseen.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser
from pydantic import ValidationError

from tests.ui.hosts import hosted
from tests.ui.serving import ANSWER, QUESTION, Loaded, built, engine, listening, served
from ui import gate
from ui.page import STATIC

pytestmark = pytest.mark.slow

SITE = "https://www.example.org"
WIDGET = {"allowed_origins": [SITE], "secret": "s" * 40}

# What is served beside Gradio's application, and for what.
OWN = {
    "/openapi.json": "what the API can do",
    "/v1/chat/completions": "the API; with a key, or this machine alone",
    "/v1/models": "as above",
    "/v1/models/{model:path}": "as above",
    "/search": "as above",
    "/translate": "as above",
    "/mcp": "as above",
    "/metrics": "as above",
    "/documents/upload": "for whom the folder is open",
    "/documents/original": "PDFs of the index, where nothing in them runs",
    "/healthz": "whether it lives; says nothing else",
    "/widget.js": "the script that sites embed",
    "/widget/ticket": "for allowed sites' pages",
    "/embed": "with a ticket, once",
    "/ui": "our own stylesheet, script and fonts",
}  # fmt: skip
# What of Gradio is open; why is said in ``gate.ROUTES``.
GRADIO = {
    "/", "/assets/{path:path}", "/static/{path:path}", "/theme.css", "/favicon.ico",
    "/gradio_api/run/{api_name}", "/gradio_api/queue/join", "/gradio_api/queue/data",
}  # fmt: skip
# One value for each parameter with which an open route is open.
SAMPLES = {
    "/assets/{path:path}": "/assets/index.js",
    "/static/{path:path}": "/static/js/a.js",
    "/gradio_api/run/{api_name}": "/gradio_api/run/predict",
}
PLAIN = {
    "AskEvents.ask", "AskEvents.ask_example", "AskEvents.retry", "AskEvents.stop",
    "ReadEvents.edit", "ReadEvents.rate", "ReadEvents.reason", "ReadEvents.cite",
    "ReadEvents.turn", "ReadEvents.translate",
    "ReadEvents.close", "ReadEvents.new", "ReadEvents.pick", "ReadEvents.delete",
    "ReadEvents.export", "ReadEvents.restore", "ReadEvents.forget", "AskEvents.ask_near",
    "ReadEvents.choose", "ReadEvents.chosen", "ReadEvents.all", "Chat.scope_html",
    "Chat.tick", "Chat.load", "Chat.refresh", "build.<locals>.measured",
    "ReadEvents.open", "ReadEvents.rename",
}  # fmt: skip
FULL = PLAIN | {
    "DocumentsTab._add", "DocumentsTab._remove", "DocumentsTab._reindex", "DocumentsTab.load",
}  # fmt: skip


def walked(routes: Any, prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    """Yield the path and the methods of every route, those of included routers too."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from walked(included.routes, prefix + route.include_context.prefix)
        elif getattr(route, "path", ""):
            yield prefix + route.path, set(getattr(route, "methods", None) or {"GET"})


@contextmanager
def opened(folder: Path, **sections: Any) -> Iterator[str]:
    with served(engine(folder, ANSWER, widget=WIDGET, **sections)) as url:
        yield url


@pytest.fixture(scope="module")
def app() -> Any:
    """An application that isn't served, to be looked into."""
    with TemporaryDirectory() as folder:
        yield built(Loaded(engine(Path(folder))))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of its own for all that changes nothing."""
    with TemporaryDirectory() as folder, opened(Path(folder)) as address:
        yield address


@pytest.fixture(scope="module")
def locked() -> Iterator[str]:
    """A server whose API wants a key."""
    api = {"key_hashes": ["0" * 64]}
    with TemporaryDirectory() as folder, opened(Path(folder), api=api) as address:
        yield address


def session(url: str) -> str:
    """Return the path of an opened widget."""
    ticket = httpx.post(f"{url}/widget/ticket", headers={"Origin": SITE}).json()["ticket"]
    return "/" + httpx.get(f"{url}/embed", params={"ticket": ticket}).headers["location"]


def event(function: int, *data: Any, **more: Any) -> dict[str, Any]:
    return {"fn_index": function, "data": [*data], "session_hash": "abcdef123", **more}


class TestEveryRoute:
    def test_is_known(self, app: Any) -> None:
        *own, last = app.router.routes
        assert {path for path, _ in walked(own)} == set(OWN)
        for page in (last.app.plain, last.app.full):
            found = dict(walked(page.app.routes))
            assert len(found) > 50
            open_ = {
                path
                for path, methods in found.items()
                for method in methods
                if gate.is_served(method, SAMPLES.get(path, path))
            }
            assert open_ == GRADIO

    def test_that_the_page_does_not_use_is_refused(self, app: Any, url: str) -> None:
        routes = list(walked(app.router.routes[-1].app.full.app.routes))
        closed = [(path, methods) for path, methods in routes if path not in GRADIO | set(OWN)]
        with httpx.Client() as client:
            for below in ("", session(url).rstrip("/")):
                for path, methods in closed:
                    filled = path.replace("{", "").replace("}", "").replace(":path", "")
                    for method in methods:
                        reply = client.request(method, f"{url}{below}{filled}")
                        assert reply.status_code == 404, (method, below, path)

    def test_answers_to_no_other_method(self, url: str) -> None:
        for path in ("/", "/gradio_api/queue/join", "/theme.css", "/assets/a.js"):
            for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
                assert httpx.request(method, f"{url}{path}").status_code in (404, 405)

    def test_of_gradio_with_another_name_in_its_place(self, url: str) -> None:
        names = ("run/other", "api/predict", "call/predict", "run/predict/", "queue/join/")
        for name in names:
            reply = httpx.post(f"{url}/gradio_api/{name}", json=event(0))
            assert reply.status_code == 404, name


class TestEveryFunction:
    def test_is_known(self, app: Any) -> None:
        pages = app.router.routes[-1].app
        for page, names in ((pages.plain, PLAIN), (pages.full, FULL)):
            functions = page.app.get_blocks().fns.values()
            assert {fn.fn.__qualname__ for fn in functions} == names
            assert {fn.fn.__module__.partition(".")[0] for fn in functions} == {"ui"}
            assert {fn.api_visibility for fn in functions} == {"private"}

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"{", b"[]", b"null", b'{"data": [], "fn_index": 1}',
            json.dumps(event(0)).encode(),  # too few inputs
            json.dumps(event(0, "x", {}, "", "")).encode(),
            json.dumps(event(99)).encode(),
            json.dumps(event(-1)).encode(),
            b'{"fn_index": ' + b"9" * 5_000 + b', "data": [], "session_hash": "abcdef123"}',
            json.dumps(event(0, 5, {}, "")).encode(),
            json.dumps(event(0, ["x"], {}, "")).encode(),
            json.dumps(event(0, "x", [], "")).encode(),
            json.dumps(event(0, "x", {}, "", event_data=5)).encode(),
            json.dumps(event(0, "x", {}, "", event_data={"id": {"a": []}})).encode(),
            json.dumps(event(0, "x", {}, "", trigger_id="x")).encode(),
            json.dumps({**event(0, "x", {}, ""), "session_hash": "../x"}).encode(),
            json.dumps({**event(0, "x", {}, ""), "session_hash": None}).encode(),
            b'{"fn_index": 0, "data": ' + b"[" * 50_000,
        ],
    )  # fmt: skip
    def test_refuses_what_the_page_would_not_send(self, url: str, body: bytes) -> None:
        for path in ("queue/join", "run/predict"):
            headers = {"Content-Type": "application/json"}
            reply = httpx.post(f"{url}/gradio_api/{path}", content=body, headers=headers)
            assert reply.status_code in (404, 422), reply.text

    def test_takes_a_folder_of_as_many_files_as_the_page_sends(self) -> None:
        most = int(re.search(r"MOST_FILES = (\d+)", (STATIC / "rawi.js").read_text())[1])
        files = [{"name": f"{n}.txt"} for n in range(most + 1)]  # the last says that there are more
        assert gate.Call.model_validate(event(0, event_data={"files": files}))
        with pytest.raises(ValidationError):
            gate.Call.model_validate(event(0, event_data={"files": [*files, *files]}))

    def test_takes_numbers_of_any_length_for_what_they_are(self, app: Any, url: str) -> None:
        digits = "9" * 5_000
        carried = {"at": digits, "start": digits, "end": "٣" * 5_000, "doc": "a\0b", "id": "\ud800"}
        functions = app.router.routes[-1].app.full.app.get_blocks().fns
        for index, fn in functions.items():
            if fn.queue:
                continue
            given = [{}, ""][: len(fn.inputs)]
            body = json.dumps(event(index, *given, event_data=carried))
            reply = httpx.post(f"{url}/gradio_api/run/predict", content=body)
            assert reply.status_code in (200, 422), fn.fn.__qualname__

    @pytest.mark.parametrize(
        "path", ["/%00", "/assets/%00.js", "/v1/models/a%0ab", "/ui/%00", "/a%0d"]
    )
    def test_no_path_holds_what_is_not_text(self, locked: str, path: str) -> None:
        assert httpx.get(f"{locked}{path}").status_code == 400


class TestNothingIsFetchedForAClient:
    TRIES = (
        "gradio_api/file={0}", "gradio_api/file/{0}", "gradio_api/proxy={0}", "file={0}",
        "proxy={0}", "gradio_api/custom_component/{0}/client/x/y", "static/{0}", "assets/{0}",
        "gradio_api/stream/{0}", "svelte/{0}",
    )  # fmt: skip

    def test_by_any_route(self, url: str) -> None:
        with hosted("127.0.0.1") as other:
            other.pages["/x.png"] = "<script>parent.pwned = 1</script>"
            for below in ("", session(url).rstrip("/")):
                for template in self.TRIES:
                    target = f"{url}{below}/{template.format(f'{other.origin}/x.png')}"
                    reply = httpx.get(target, follow_redirects=False)
                    assert reply.status_code == 404, target
            assert other.asked == []

    def test_by_what_a_function_is_given(self, url: str) -> None:
        with hosted("127.0.0.1") as other:
            file = {"path": f"{other.origin}/x.png", "meta": {"_type": "gradio.FileData"}}
            for kept in (file, {**file, "url": file["path"]}, {"kept": [file]}, {"open": file}):
                body = event(16, {**kept, "open": "", "kept": []} | kept, "")
                reply = httpx.post(f"{url}/gradio_api/run/predict", json=body)
                assert reply.status_code in (200, 422)
                assert other.origin not in reply.text
            assert other.asked == []

    @pytest.mark.browser
    @pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # Gradio's own
    def test_in_a_readers_browser(self, tmp_path: Path, browser: Browser) -> None:
        corpus = tmp_path / "corpus"
        corpus.mkdir()
        (corpus / "a.txt").write_text("A cat sat here.", encoding="utf-8")
        script = """<script>
          localStorage.setItem("pwned", "1");
          fetch("/v1/models").then((r) => r.text()).then((t) => localStorage.setItem("api", t));
        </script>"""
        with hosted("localhost") as other, opened(tmp_path / "s", corpus=corpus) as url:
            other.pages["/x.png"] = script
            other.pages["/click"] = (
                f'<a id="a" href="{url}/gradio_api/file={other.origin}/x.png">x</a>'
                f'<form id="f" method="post" action="{url}/gradio_api/queue/join"></form>'
                f'<iframe src="{url}/"></iframe><iframe src="{url}/gradio_api/info"></iframe>'
            )
            page = browser.new_page()
            for selector, act in (("#a", "click()"), ("#f", "submit()")):
                page.goto(f"{other.origin}/click")
                with page.expect_navigation() as went:
                    page.evaluate(f"document.querySelector('{selector}').{act}")
                assert went.value.status in (403, 404)
                assert page.evaluate("location.origin") == url
                assert page.evaluate("localStorage.getItem('pwned')") is None
            # Even what is written into our own page by its scripts runs none of it.
            page.goto(url)
            page.locator("#rawi-question textarea").fill(QUESTION)
            page.evaluate(
                """() => {
                  const script = document.createElement("script");
                  script.textContent = "window.pwned = 1";
                  document.body.append(script);
                  document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='pwned=2'>");
                  const data = document.createElement("script");
                  data.src = "data:text/javascript,window.pwned=3";
                  document.body.append(data);
                }"""
            )
            page.wait_for_timeout(500)
            assert page.evaluate("window.pwned") is None
            assert page.evaluate(f"fetch('{other.origin}/x.png').then(() => 1, () => 0)") == 0
            page.close()


class TestNames:
    FOREIGN = ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a b", "::1")

    @pytest.mark.parametrize("host", FOREIGN)
    def test_of_others_are_served_nothing(self, url: str, host: str) -> None:
        port = httpx.URL(url).port
        for path in ("/", "/healthz", "/ui/rawi.js", "/widget.js", "/v1/models", "/embed/x/"):
            for name in (host, f"{host}:{port}"):
                headers = {"Host": name, "Origin": f"http://{name}"}
                assert httpx.get(f"{url}{path}", headers=headers).status_code in (400, 421)

    def test_a_rebound_name_changes_nothing(self, url: str) -> None:
        evil = f"evil.example:{httpx.URL(url).port}"
        headers = {"Host": evil, "Origin": f"http://{evil}"}
        for path in ("queue/join", "run/predict"):
            reply = httpx.post(f"{url}/gradio_api/{path}", json=event(17), headers=headers)
            assert reply.status_code == 421
        assert "server.hosts" in reply.text

    def test_of_our_own_are_served(self, tmp_path: Path) -> None:
        server = {"hosts": ["rawi.example.org", "[2001:db8::1]"]}
        with opened(tmp_path, server=server) as url:
            for name in ("localhost", "127.0.0.1:80", "[::1]:7860", "RAWI.example.org",
                         "rawi.example.org:443", "[2001:db8::1]:443"):  # fmt: skip
                assert httpx.get(url, headers={"Host": name}).status_code == 200, name

    def test_said_by_a_trusted_proxy_are_our_own_too(self, tmp_path: Path) -> None:
        server = {"trusted_proxies": ["127.0.0.0/8"]}
        with opened(tmp_path, server=server) as url:
            headers = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Host": "evil.example"}
            assert httpx.get(url, headers=headers).status_code == 421


NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location {path}/ {{ proxy_pass {upstream}; {headers} }} }}
}}
"""
# As SECURITY.md says.
ADVICE = (Path(__file__).parents[2] / "SECURITY.md").read_text(encoding="utf-8")
AS_ADVISED = "\n".join(re.findall(r"^    (proxy_(?!pass).*)$", ADVICE, re.MULTILINE))
BARE = ""


@contextmanager
def behind_nginx(folder: Path, upstream: str, headers: str, path: str = "") -> Iterator[str]:
    """Serve an address through nginx, below a path of it; give the address of nginx."""
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if nginx is None:
        pytest.skip("no nginx here: apt-get install nginx-light, and these tests run")
    folder.mkdir()
    with listening() as port:
        config = folder / "nginx.conf"
        config.write_text(
            NGINX.format(folder=folder, port=port, upstream=upstream, headers=headers, path=path)
        )
        proxy = subprocess.Popen([nginx, "-c", str(config), "-e", str(folder / "error.log")])
    try:
        until = time.monotonic() + 20
        while True:
            assert proxy.poll() is None
            assert time.monotonic() < until
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        proxy.terminate()
        proxy.wait(10)


class TestBehindAProxy:
    @pytest.mark.parametrize("headers", [AS_ADVISED, BARE], ids=["as advised", "bare"])
    @pytest.mark.parametrize("trusted", [[], ["127.0.0.0/8"]], ids=["unknown", "trusted"])
    def test_the_folder_is_closed(
        self, app: Any, tmp_path: Path, headers: str, trusted: list[str]
    ) -> None:
        corpus = tmp_path / "corpus"
        corpus.mkdir()
        for name in ("a.txt", "b.txt"):
            (corpus / name).write_text("A cat sat here.", encoding="utf-8")
        server = {"hosts": ["rawi.example.org"], "trusted_proxies": trusted}
        outside = {"Host": "rawi.example.org", "Origin": "http://rawi.example.org"}
        functions = app.router.routes[-1].app.full.app.get_blocks().fns
        changing = [i for i, fn in functions.items() if fn.fn.__qualname__ not in PLAIN]
        assert {functions[i].fn.__qualname__ for i in changing} == FULL - PLAIN
        with opened(tmp_path / "s", corpus=corpus, server=server) as url:
            assert "rawi-upload" in httpx.get(url).text
            with behind_nginx(tmp_path / "nginx", url, headers) as proxied:
                for sent in (outside, {"Host": "rawi.example.org"}, {}):
                    page = httpx.get(proxied, headers=sent)
                    assert page.status_code == (
                        403 if headers == BARE and "Origin" in sent else 200
                    )
                    assert "rawi-upload" not in page.text
                    assert httpx.get(f"{proxied}/v1/models", headers=sent).status_code == 401
                    for index in changing:
                        body = event(index, event_data={"doc": "a.txt"})
                        for path in ("queue/join", "run/predict"):
                            target = f"{proxied}/gradio_api/{path}"
                            httpx.post(target, json=body, headers=sent)
                    reply = httpx.post(f"{proxied}/documents/upload?name=b.txt", headers=sent)
                    assert reply.status_code in (403, 404)
                time.sleep(0.5)  # what was joined would run by now
        assert {path.name for path in corpus.iterdir()} == {"a.txt", "b.txt"}

    def test_it_is_open_to_whom_the_operator_opens_it(self, tmp_path: Path) -> None:
        with (
            opened(tmp_path / "s", page={"documents_tab": "on"}) as url,
            behind_nginx(tmp_path / "nginx", url, AS_ADVISED) as proxied,
        ):
            assert "rawi-upload" in httpx.get(proxied).text
