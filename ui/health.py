"""Whether it lives, whether it can answer, and what Prometheus reads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.responses import Response

from ui.metrics import Metrics
from ui.work import Work


class Health(BaseModel):
    """``ready`` is false while the models are being loaded."""

    status: Literal["ok", "loading"]
    ready: bool


def router(work: Work, metrics: Metrics) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    loading: dict[int | str, dict[str, Any]] = {503: {"model": Health, "description": "Not ready"}}

    @routes.get("/healthz", response_model=Health, responses=loading)
    async def healthz(ready: Annotated[bool, Query()] = False) -> Response:
        """Say that the process lives; with ``?ready=true``, 503 until it can answer."""
        health = Health(status="ok", ready=work.is_ready)
        if ready and not health.ready:
            return JSONResponse({"status": "loading", "ready": False}, 503)
        return JSONResponse(health.model_dump())

    @routes.get("/metrics", include_in_schema=False)
    def scrape() -> Response:
        """Return the metrics in Prometheus's text format."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return routes
