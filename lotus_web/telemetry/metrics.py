"""Figures of this process for GET /metrics: requests by route and status with their times, and conflicts.

Under gunicorn each worker counts in files of ``PROMETHEUS_MULTIPROC_DIR`` and whichever is asked adds them up.
"""

from __future__ import annotations

import os
import time

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
NO_ROUTE = "(none)"
CONFLICT = 409
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

# When each series began is of no use to anyone here and doubles what is sent.
disable_created_metrics()  # type: ignore[no-untyped-call]
OWN = CollectorRegistry()
LABELS = ("method", "route", "status")
REQUESTS = Counter("lotus_requests", "Requests answered", LABELS, registry=OWN)
SECONDS = Histogram("lotus_request_seconds", "Time to answer", LABELS, registry=OWN, buckets=BUCKETS)
CONFLICTS = Counter("lotus_conflicts", "Requests refused for the state that things were in", ("route",), registry=OWN)
# Looking a label set up costs more than counting it.
_known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}


def count(response: Response) -> Response:
    """Count an answer and the time since its request began (``g.began``)."""
    rule = request.url_rule
    route = rule.rule if rule else NO_ROUTE
    method = request.method if request.method in METHODS else "other"
    key = (method, route, response.status_code)
    found = _known.get(key)
    if found is None:
        labels = (method, route, str(response.status_code))
        found = _known[key] = REQUESTS.labels(*labels), SECONDS.labels(*labels)
        if method not in LOOKS:
            CONFLICTS.labels(route)  # at 0 until there is one: who watches it grow must have seen it before
    requests, seconds = found
    requests.inc()
    began = g.get("began")
    if began is not None:
        seconds.observe(time.perf_counter() - began)
    if response.status_code == CONFLICT:
        CONFLICTS.labels(route).inc()
    return response


def exposition(store: Collector) -> bytes:
    """Return everything in Prometheus' text format: what processes counted and what ``store`` collects now."""
    asked = CollectorRegistry()
    asked.register(store)
    return generate_latest(counted()) + generate_latest(asked)


def counted() -> CollectorRegistry:
    """Return what was counted here, or by all workers where there are several."""
    if MULTIPROCESS not in os.environ:
        return OWN
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together


def init_app(app: Flask) -> None:
    """Count every request of ``app``."""
    app.after_request(count)
