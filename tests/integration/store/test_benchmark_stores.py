"""The stores that ``make bench`` measures on: grown rows answer the console and the API as loaded ones do."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from lotus_web.config.current import utcnow
from lotus_web.config.policy import DeploymentPolicy
from lotus_web.demo.bulk import BulkLoad
from lotus_web.demo.portfolios import demo_runs
from lotus_web.demo.timeline import moments
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.models import EventLogEntry, LineageEdge, Run, RunPayload, WorkflowItem
from lotus_web.queries.support.summary import counted
from lotus_web.services.support import recount
from lotus_web.store.session import db
from tests.benchmarks.grow import grow
from tests.support.people import bearer_of

SIZE, LOADED = 400, 60


def rows(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", DPM_LINEAGE_APIS_ENABLED="true")
def test_a_grown_store_holds_whole_runs_that_can_be_asked_for(app: Flask) -> None:
    now = utcnow()
    with app.app_context():
        BulkLoad(DeploymentPolicy.of(app.extensions["lotus_settings"]), 1).load(
            moments(demo_runs(seed=1, count=LOADED), now=now), lambda _count: None
        )
        loaded = set(db.session.scalars(select(Run.rebalance_run_id)))
        grow(SIZE, now=now)
        everything = set(db.session.scalars(select(Run.rebalance_run_id)))
        assert SIZE * 0.9 <= len(everything) <= SIZE
        assert rows(RunPayload) == len(everything)
        assert rows(WorkflowItem) > len(everything) // 2
        assert rows(LineageEdge) > 2 * len(everything)
        assert rows(EventLogEntry) > 3 * (len(everything) - len(loaded))
        assert counted(db.session(), DEFAULT_TENANT) == recount(db.session(), DEFAULT_TENANT)
        newest = select(func.max(Run.created_at))
        assert db.session.scalar(newest.where(Run.rebalance_run_id.not_in(loaded))) <= db.session.scalar(newest)
    client, headers = app.test_client(), {"Authorization": f"Bearer {bearer_of(app)}"}
    copies = sorted(everything - loaded)
    for run_id in (copies[0], copies[-1]):
        for path in (f"runs/{run_id}", f"runs/{run_id}/workflow", f"runs/{run_id}/support-bundle", f"lineage/{run_id}"):
            answer = client.get(f"/rebalance/{path}", headers=headers)
            assert answer.status_code == 200, answer.text
