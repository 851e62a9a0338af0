"""Prometheus metrics: tasks, experiments, requests, streams, and this process."""

import time

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deps import StreamsDep, TunerDep
from tuner.domain import ExperimentState

router = APIRouter(tags=["system"])

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = Counter(
            "autotuner_http_requests", "Answered requests.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "autotuner_http_request_seconds",
            "From a request to the start of its answer.",
            ("method", "route"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.streams = Gauge("autotuner_http_streams", "Event streams that are open.", registry=self.registry)
        self.tasks = Gauge("autotuner_tasks", "Tasks by state.", ("state",), registry=self.registry)
        self.experiments = Gauge("autotuner_experiments", "Experiments by state.", ("state",), registry=self.registry)

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        # The template, not the path: ids would make a series each. A router's own lacks the prefix it was given.
        template = getattr(scope.get("route"), "path", None)
        route = "other" if not template else f"/api{template}" if scope["path"].startswith("/api/") else template
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class Meter:
    """Counts and times every answer."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.answered(scope, message["status"], time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, timed)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def get_metrics(request: Request, tuner: TunerDep, streams: StreamsDep) -> Response:
    """Metrics in the text format of Prometheus."""
    metrics: Metrics = request.app.state.metrics
    for state, count in (await tuner.counts()).items():
        metrics.tasks.labels(state).set(count)
    for one in ExperimentState:
        _, total = await tuner.experiments_page(state=one, limit=1)
        metrics.experiments.labels(one.value).set(total)
    metrics.streams.set(streams.open)
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
