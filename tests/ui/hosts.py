"""Other people's pages that embed the widget, each on an origin of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What a careless site does to everything, and what a hostile one does to the widget.
HOSTILE_CSS = """
* { font: 40px/3 fantasy !important; color: red !important; text-align: justify !important;
    letter-spacing: 9px !important; text-transform: uppercase !important; cursor: none !important;
    transform: rotate(2deg) !important; box-sizing: content-box !important; }
button, iframe, header, section, h2, p { display: none !important; }
rawi-widget, body > :last-child { display: none !important; opacity: 0 !important;
    visibility: hidden !important; pointer-events: none !important; position: static !important;
    filter: blur(9px) !important; z-index: -1 !important; inset: auto 0 0 auto !important; }
html, body { transform: none !important; }
"""


@dataclass
class Host:
    """A site.

    :ivar origin: "http://localhost:1234".
    :ivar pages: Path → HTML; may be added to while it runs.
    :ivar policy: Its Content-Security-Policy.
    :ivar asked: The paths that it was asked for.
    """

    origin: str
    pages: dict[str, str] = field(default_factory=dict)
    policy: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def hosted(name: str) -> Iterator[Host]:
    """Serve a site on a free loopback port.

    :param name: "localhost" or "127.0.0.1": to a browser they are two sites.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append(self.path)
            page = host.pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if host.policy:
                self.send_header("Content-Security-Policy", host.policy)
            self.end_headers()
            self.wfile.write((page or "").encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host = Host(f"http://{name}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
