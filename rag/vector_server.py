"""A Chroma server as ``vectors`` in the settings names it; whatever is wrong there in one line.

Not by ``chromadb.HttpClient``, which waits without end and tells many errors as a bare
``Exception``: by the client within it, whose every request goes through a session of Rawi's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import chromadb.config
import httpx
from chromadb import Collection
from chromadb.api.fastapi import FastAPI

from rag.config import VectorsSettings
from rag.errors import IndexStorageError, NoIndexError

logger = logging.getLogger(__name__)

AGAIN = "run: rawi index, which embeds nothing again"

_CONNECT_S = 5.0
_REFUSED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


def connect(
    settings: VectorsSettings, name: str, configuration: Any, *, writing: bool
) -> tuple[httpx.Client, Collection]:
    """Return the session with the server, for who closes it, and a collection.

    :param configuration: Of the collection, where it is made.
    :param writing: Whether it is made where there is none.
    :raises NoIndexError: When there is none.
    :raises IndexStorageError: When the server can't be asked.
    """
    api = _client(settings)
    try:
        with _speaking(settings):
            model = (
                api.get_or_create_collection(name, configuration=configuration)
                if writing
                else api.get_collection(name)
            )
            return api._session, Collection(api, model, embedding_function=None)
    except IndexStorageError:
        api._session.close()
        raise


def reach(settings: VectorsSettings) -> None:
    """See that the server answers.

    :raises IndexStorageError: When it doesn't.
    """
    api = _client(settings)
    with api._session, _speaking(settings):
        api.count_collections()


def forget(settings: VectorsSettings, name: str) -> None:
    """Delete a collection; where that fails, the log names what is left on the server."""
    api = _client(settings)
    try:
        with api._session, _speaking(settings):
            api.delete_collection(name)
    except NoIndexError:
        pass
    except IndexStorageError as exc:
        logger.warning("%s; the collection %s, no longer used, may be left there", exc, name)


def _client(settings: VectorsSettings) -> FastAPI:
    api = FastAPI(
        chromadb.config.System(
            chromadb.config.Settings(
                chroma_server_host=settings.url.rstrip("/"),
                chroma_server_http_port=0,  # has to be given; the address has its own
                chroma_server_ssl_verify=False,  # of a session that nothing is sent by, for speed
                anonymized_telemetry=False,
            )
        )
    )
    api._session.close()
    api._session = _Session(settings)
    return api


@contextmanager
def _speaking(settings: VectorsSettings) -> Iterator[None]:
    """Translate what Chroma's client makes of JSON that isn't Chroma's."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise _other(settings.url, type(exc).__name__) from exc


class _Session(httpx.Client):
    """Gives each request a bound of time, and raises what says what is wrong and what to do."""

    def __init__(self, settings: VectorsSettings) -> None:
        headers = {"Content-Type": "application/json"}
        if token := settings.token.get_secret_value().strip():
            headers["Authorization"] = f"Bearer {token}"
        connect_s = min(_CONNECT_S, settings.timeout_s)
        super().__init__(
            headers=headers, timeout=httpx.Timeout(settings.timeout_s, connect=connect_s)
        )
        self._url = settings.url
        self._timeout_s = settings.timeout_s

    def send(self, request: httpx.Request, **kwargs: Any) -> httpx.Response:
        """Send a request.

        :raises NoIndexError: When the server doesn't hold what is asked for.
        :raises IndexStorageError: When it can't be reached, or answers with anything but success.
        """
        try:
            response = super().send(request, **kwargs)
        except (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as exc:
            raise IndexStorageError(
                f"vectors.url {self._url}: the Chroma server gave no answer within"
                f" {self._timeout_s} seconds (vectors.timeout_s); see what keeps it busy"
            ) from exc
        except httpx.HTTPError as exc:
            # Of a header that can't be sent, httpx says what is in it: the token.
            unsent = isinstance(exc, httpx.LocalProtocolError)
            reason = "vectors.token can't be sent" if unsent else str(exc) or type(exc).__name__
            raise IndexStorageError(
                f"vectors.url {self._url}: no Chroma server can be reached there ({reason});"
                " start it, or set vectors.url"
            ) from exc
        self._check(response)
        return response

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in _REFUSED:
            raise IndexStorageError(
                f"vectors.url {self._url}: the Chroma server refused vectors.token ({status});"
                " set RAWI_VECTORS__TOKEN"
            )
        is_json = "json" in response.headers.get("content-type", "")
        if response.is_success and is_json:
            return
        try:
            body = response.json() if is_json and status != httpx.codes.GONE else {}
            kind, message = body["error"], " ".join(body["message"].split())
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise _other(self._url, f"{status}") from exc
        if kind == "NotFoundError":
            raise NoIndexError(
                f"vectors.url {self._url}: the Chroma server doesn't hold the index's vectors;"
                f" {AGAIN}"
            )
        raise IndexStorageError(
            f"vectors.url {self._url}: the Chroma server failed ({status}: {message});"
            " its log may say more"
        )


def _other(url: str, found: str) -> IndexStorageError:
    return IndexStorageError(
        f"vectors.url {url}: what answers there doesn't speak Chroma's API v2 ({found});"
        " set vectors.url, or install Chroma 1.0 or newer there"
    )
