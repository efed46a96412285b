"""Whether it lives, whether it can answer, and what Prometheus reads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
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

    @routes.get("/healthz", response_model=Health, responses=loading)
    async def healthz(ready: Annotated[bool, Query()] = False) -> Response:
        """Say that the process lives; with ``?ready=true``, 503 until it can answer."""
        engine = work.engine()
        llm: Literal["ok", "failing"] = "failing" if engine and engine.llm_failure else "ok"
        health = Health(status="ok", ready=engine is not None, llm=llm)
        if ready and not health.ready:
            return JSONResponse(Health(status="loading", ready=False).model_dump(), 503)
        return JSONResponse(health.model_dump())

    @routes.get("/metrics", include_in_schema=False)
    def scrape() -> Response:
        """Return the metrics in Prometheus's text format."""
        return Response(generate_latest(work.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return routes
