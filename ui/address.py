"""Who asks: the client's address, seen through the proxies that are trusted, and no others."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from rag.config import ServerSettings

# Any of these says that the peer asks for somebody else.
_FORWARDING = ("x-forwarded-for", "forwarded", "via", "x-real-ip")
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HOST = re.compile(r"([a-zA-Z0-9_.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?")


def client(scope: Scope, trusted: Sequence[str]) -> str:
    """Return the client's address.

    ``X-Forwarded-For`` is read from its end, where our own proxy wrote, and only as far as the
    writers are trusted: what stands before is the client's own invention.
    """
    address = peer(scope)
    forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
    for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
        if not is_within(address, trusted) or _parsed(hop) is None:
            break
        address = hop
    return address


def asker(scope: Scope) -> str:
    """Return whom the guard found to ask: an API key's hash, or what an address has to itself."""
    return str(scope["rawi.asker"])


def bucket(address: str) -> str:
    """Return what one client has to itself: an IPv4 address, or the /64 of an IPv6 one."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def is_this_machine(scope: Scope, server: ServerSettings) -> bool:
    """Tell whether a program on this machine asks for itself, under this machine's own name.

    A proxy on this machine asks for others, and says so in a header, or by the old HTTP that it
    speaks. A page of another site that the user has open can send requests here too, or make its
    own name point here: its ``Origin`` or its ``Host`` give it away.
    """
    headers = Headers(scope=scope)
    if not (is_loopback(server.host) and is_loopback(peer(scope))):
        return False
    if scope.get("http_version") == "1.0" or any(name in headers for name in _FORWARDING):
        return False
    if host_name(headers.get("host", "")) not in LOCAL_NAMES:
        return False
    origin = headers.get("origin")
    return origin is None or origin == f"{scope.get('scheme', 'http')}://{headers['host']}"


def is_foreign(scope: Scope) -> bool:
    """Tell whether a page of another site asks, by the ``Origin`` that its browser says."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def is_for_us(scope: Scope, server: ServerSettings) -> bool:
    """Tell whether a request is for a name of this server: a foreign one may point here as well.

    https://en.wikipedia.org/wiki/DNS_rebinding
    """
    headers = Headers(scope=scope)
    asked = [*headers.getlist("host"), *headers.getlist("x-forwarded-host")]
    return bool(headers.getlist("host")) and all(
        host_name(host) in {*LOCAL_NAMES, server.host, *server.hosts} for host in asked
    )


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header, in lower case; empty when it is not one."""
    found = _HOST.fullmatch(host)
    return found[1].lower() if found else ""


def is_loopback(address: str) -> bool:
    """Tell whether an address, or the name ``localhost``, is this machine's own."""
    parsed = _parsed(address)
    return address == "localhost" or (parsed is not None and parsed.is_loopback)


def peer(scope: Scope) -> str:
    """Return the address at the other end of the connection."""
    return str(scope["client"][0]) if scope.get("client") else ""


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


def is_within(address: str, networks: Sequence[str]) -> bool:
    """Tell whether an address is one of these, or in one of these networks."""
    parsed = _parsed(address)
    return parsed is not None and any(parsed in ipaddress.ip_network(net) for net in networks)
