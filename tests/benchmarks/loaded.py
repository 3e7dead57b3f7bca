"""A loaded store with an app on it, a bearer token and a signed-in reviewer: what the measured requests need."""

from __future__ import annotations

import gc
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import select, text

from lotus_web import create_app
from lotus_web.config import current
from lotus_web.config.settings import Settings
from lotus_web.demo.bulk import BulkLoad
from lotus_web.demo.operations import load_operations
from lotus_web.demo.portfolios import demo_runs, demo_variant
from lotus_web.demo.schedule import PORTFOLIO_COUNT
from lotus_web.demo.timeline import moments
from lotus_web.domain.access import DEFAULT_TENANT, Permission
from lotus_web.models import WorkflowItem
from lotus_web.services.operations.leases import LeaseTerms
from lotus_web.store.new_ids import repeatable_ids
from lotus_web.store.session import db
from tests.benchmarks.grow import grow, loaded_runs
from tests.stores.makers import environment as store_environment
from tests.support.people import bearer_of, hire, sign_in

SEED = 1
SAMPLE = 256


@dataclass(frozen=True)
class SampledRun:
    """A run to ask for, with its item and its portfolio."""

    run_id: str
    workflow_id: str
    portfolio_id: str


@dataclass
class LoadedStore:
    """The app under measurement and what its clients send."""

    app: Flask
    client: FlaskClient
    reviewer: FlaskClient
    manager: FlaskClient
    headers: dict[str, str]
    runs: list[SampledRun]
    filled_at: datetime
    reviewable: dict[str, Any]

    def run(self, number: int) -> SampledRun:
        """Return the run that a call of this number asks for."""
        return self.runs[number % len(self.runs)]

    def simulate(self, number: int, label: str) -> str:
        """Record one run that needs a review; return its id."""
        headers = {**self.headers, "Idempotency-Key": f"{label}-{number}", "X-Correlation-Id": f"corr-{label}-{number}"}
        answer = self.client.post("/rebalance/simulate", json=self.reviewable, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json["rebalance_run_id"]


def environment(url: str) -> dict[str, str]:
    """Return the settings of the measured app: every feature on, nothing that runs by itself."""
    return {
        **store_environment(url),
        "DPM_WORKFLOW_ENABLED": "true",
        "DPM_LINEAGE_APIS_ENABLED": "true",
        "LOTUS_LOG_FORMAT": "json",
    }


def open_loaded(url: str, size: int) -> LoadedStore:
    """Migrate and fill a store with ``size`` runs, then open the app on it."""
    app = create_app(Settings.from_environ(environment(url)))
    with app.app_context():
        upgrade()
        filled_at = _fill(size)
        refresh_statistics()
        runs = _sample_of_runs(size)
    # What filling left in memory is no part of a web or jobs process: its collector would stop for half a second over it.
    gc.collect()
    gc.freeze()
    reviewer, manager = app.test_client(), app.test_client()
    sign_in(reviewer, hire(app, "nora"))
    sign_in(manager, hire(app, "max"))
    headers = {"Authorization": f"Bearer {bearer_of(app, permissions=list(Permission))}"}
    return LoadedStore(app, app.test_client(), reviewer, manager, headers, runs, filled_at, _reviewable())


def _fill(size: int) -> datetime:
    """Load and grow a migrated store; return the instant that its times are relative to."""
    now = current.utcnow()
    with repeatable_ids(SEED):
        story = moments(demo_runs(seed=SEED, count=loaded_runs(size)), now=now)
        BulkLoad(current.policy(), SEED).load(story, lambda _count: None)
        newest = demo_runs(seed=SEED, count=PORTFOLIO_COUNT)
        load_operations(newest, policy=current.policy(), terms=LeaseTerms.of(current.settings()), now=now)
    grow(size, now=now)
    return now


def _sample_of_runs(size: int) -> list[SampledRun]:
    """Return runs with a decided item from all over the store; what was decided has more to tell than what waits."""
    step = max(1, loaded_runs(size) // SAMPLE)
    decided = WorkflowItem.tenant_id == DEFAULT_TENANT, WorkflowItem.resolved_at.is_not(None)
    query = select(WorkflowItem).where(*decided).order_by(WorkflowItem.workflow_id)
    found = []
    for number in range(SAMPLE):
        name = f"corr_demo_{number * step:07d}"
        item = db.session.scalars(query.where(WorkflowItem.workflow_id >= name).offset(number).limit(1)).first()
        if item is not None and item.rebalance_run_id and item.portfolio_id:
            found.append(SampledRun(item.rebalance_run_id, item.workflow_id, item.portfolio_id))
    db.session.rollback()
    return found


def refresh_statistics() -> None:
    """Do what autovacuum would have done by itself on a store that grew to this size over time."""
    db.session.rollback()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if db.engine.dialect.name == "postgresql" else "ANALYZE"))


def _reviewable() -> dict[str, Any]:
    for variant in range(60):
        found = demo_variant(seed=SEED, variant=variant)
        if found.expected_status == "PENDING_REVIEW":
            return json.loads(json.dumps(found.request, default=dict))
    raise LookupError("no demo request needs a review")


def store_mib(url: str) -> int:
    """Return the size of a store in MiB."""
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).stat().st_size // 2**20
    return (db.session.scalar(text("SELECT pg_database_size(current_database())")) or 0) // 2**20
