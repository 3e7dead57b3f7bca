"""GET /metrics for a Prometheus server: what was answered, and what waits in the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import ConfigDict, RootModel

from lotus_web.api.endpoint.routing import ApiBlueprint, Call, PublicIf, endpoint
from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.queries.health.figures import StoreFigures, store_figures
from lotus_web.store.failures import is_store_failure
from lotus_web.store.session import db
from lotus_web.telemetry.metrics import exposition

routes = ApiBlueprint("api_metrics", __name__)
EXAMPLE = 'lotus_requests_total{method="GET",route="/api/v1/workflows",status="200"} 42.0\nlotus_items_overdue 0.0\n'


class MetricsText(RootModel[str]):
    """Prometheus' text format."""

    model_config = ConfigDict(json_schema_extra={"contentMediaType": "text/plain"})


class StoreCollector(Collector):
    """Collects from the store at each scrape; while the store is unavailable, only that fact."""

    def __init__(self, now: datetime):
        self.now = now

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of the store."""
        try:
            found = store_figures(db.session(), now=self.now)
        except Exception as error:
            if not is_store_failure(error):
                raise
            db.session.rollback()
            yield GaugeMetricFamily("lotus_store_up", "Whether the store responds", value=0)
            return
        yield GaugeMetricFamily("lotus_store_up", "Whether the store responds", value=1)
        yield from families(found)


def families(found: StoreFigures) -> Iterator[Metric]:
    """Yield the figures as Prometheus metrics."""
    yield _counter("lotus_decisions", "Decisions on runs", "action", found.decisions)
    yield _gauge("lotus_items_open", "Items waiting for a person", "status", found.open_items)
    yield GaugeMetricFamily("lotus_items_overdue", "Open items past their due time", value=found.overdue_items)
    yield GaugeMetricFamily(
        "lotus_sla_sweep_lag_seconds",
        "How long the longest-waiting item has been late for escalation",
        value=found.sweep_lag,
    )
    yield _gauge("lotus_job_age_seconds", "Time since a job last ended well", "job", found.jobs)
    yield _gauge("lotus_operations_unfinished", "Operations that are not finished", "status", found.operations)
    yield GaugeMetricFamily(
        "lotus_operation_queue_lag_seconds",
        "How long the oldest unfinished operation has been ready for a worker",
        value=found.queue_lag,
    )
    yield CounterMetricFamily("lotus_chain_entries", "Entries of the event log", value=found.chain_entries)
    if found.chain_head_age is not None:
        yield GaugeMetricFamily(
            "lotus_chain_head_age_seconds", "Time since the newest entry of any chain", value=found.chain_head_age
        )


def _counter(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, number in sorted(values.items()):
        family.add_metric([value], number)
    return family


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in sorted(values.items()):
        family.add_metric([value], number)
    return family


@routes.get("/metrics")
@endpoint(
    "Return metrics for a Prometheus server",
    permission=Permission.RUNS_READ,
    opened=PublicIf("metrics_public", "LOTUS_METRICS_ACCESS"),
    response=MetricsText,
    example=EXAMPLE,
)
def metrics(call: Call | None = None) -> Response:
    """Return the figures of all tenants together; no tenant, account or id is named."""
    text = exposition(StoreCollector(current.utcnow() if call is None else call.now))
    return Response(text, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
