"""Counters of this process for GET /metrics: requests by route and status with their durations, and conflicts.

Under gunicorn each worker counts in files of ``PROMETHEUS_MULTIPROC_DIR``; the worker that is asked adds them up.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
CONFLICT = 409
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

# The creation time of each series is of no use here and would double the size of the answer.
disable_created_metrics()  # type: ignore[no-untyped-call]
OWN = CollectorRegistry()
LABELS = ("method", "route", "status")
REQUESTS = Counter("lotus_requests", "Requests answered", LABELS, registry=OWN)
SECONDS = Histogram("lotus_request_seconds", "Time to answer", LABELS, registry=OWN, buckets=BUCKETS)
CONFLICTS = Counter("lotus_conflicts", "Requests refused because of a state conflict", ("route",), registry=OWN)
# Looking up a label set costs more than counting with it.
_known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}


def count_request(method: str, route: str, status: int, seconds: float | None) -> None:
    """Count an answered request and the seconds it took, where known; ``route`` is the rule, not the path."""
    method = method if method in METHODS else "other"
    key = (method, route, status)
    found = _known.get(key)
    if found is None:
        labels = (method, route, str(status))
        found = _known[key] = REQUESTS.labels(*labels), SECONDS.labels(*labels)
        if method not in SAFE_METHODS:
            CONFLICTS.labels(route)  # exported as 0 before the first conflict, so that the increase can be seen
    requests, durations = found
    requests.inc()
    if seconds is not None:
        durations.observe(seconds)
    if status == CONFLICT:
        CONFLICTS.labels(route).inc()


def exposition(store: Collector) -> bytes:
    """Return all metrics in Prometheus' text format: the counts of all processes, then what ``store`` collects now."""
    of_store = CollectorRegistry()
    of_store.register(store)
    return generate_latest(counted()) + generate_latest(of_store)


def counted() -> CollectorRegistry:
    """Return this process's counts, or those of all workers together where there are several."""
    if MULTIPROCESS not in os.environ:
        return OWN
    all_workers = CollectorRegistry()
    MultiProcessCollector(all_workers)  # type: ignore[no-untyped-call]
    return all_workers
