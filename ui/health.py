"""Whether it lives, whether it can answer, and what Prometheus reads."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.responses import Response

from ui.work import Work


class Health(BaseModel):
    """``ready`` is false while the models are being loaded.

    ``llm`` is failing where it failed when it was last asked: answers are quotes until it doesn't.
    Why is in the log; who asks here may be anybody.
    """

    status: Literal["ok", "loading"]
    ready: bool
    llm: Literal["ok", "failing"] = "ok"


def router(work: Work) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    loading: dict[int | str, dict[str, Any]] = {503: {"model": Health, "description": "Not ready"}}

    @routes.get("/healthz", responses=loading)
    async def healthz(response: Response, ready: bool = False) -> Health:
        """Say that the process lives; with ``?ready=true``, 503 until it can answer."""
        engine = work.engine()
        if ready and engine is None:
            response.status_code = 503
            return Health(status="loading", ready=False)
        llm: Literal["ok", "failing"] = "failing" if engine and engine.llm_failure else "ok"
        return Health(status="ok", ready=engine is not None, llm=llm)

    @routes.get("/metrics", include_in_schema=False)
    def scrape() -> Response:
        """Return the metrics in Prometheus's text format."""
        return Response(generate_latest(work.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return routes
