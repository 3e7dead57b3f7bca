"""A loaded store with an app on it, a bearer token and a signed-in reviewer: what the measured requests need."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import select, text

from lotus_web import create_app, current
from lotus_web.db import db, transaction
from lotus_web.demo.bulk import BulkLoad
from lotus_web.demo.portfolios import demo_runs, demo_variant
from lotus_web.demo.timeline import moments
from lotus_web.domain.access import DEFAULT_TENANT, Permission, Role
from lotus_web.domain.idents import exception_workflow_id
from lotus_web.models import Run, WorkflowItem
from lotus_web.services.new_ids import repeatable_ids
from lotus_web.services.people import create_person
from lotus_web.services.tokens import create_token
from lotus_web.settings import Settings

SEED = 1
PASSWORD = "a long enough password"
REVIEWER = "rita.reviewer"


@dataclass
class Desk:
    """The app under measurement and what its clients send."""

    app: Flask
    client: FlaskClient
    page: FlaskClient
    headers: dict[str, str]
    run_ids: list[str]
    reviewable: dict[str, Any]

    def simulate(self, number: int, label: str) -> str:
        """Record one run that needs a review; return its id."""
        headers = {**self.headers, "Idempotency-Key": f"{label}-{number}", "X-Correlation-Id": f"corr-{label}-{number}"}
        answer = self.client.post("/rebalance/simulate", json=self.reviewable, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json["rebalance_run_id"]


def open_desk(url: str, runs: int) -> Desk:
    """Migrate and load a store with ``runs`` runs, then open the app on it."""
    environ = {
        "DPM_SUPPORTABILITY_STORE_BACKEND": "SQL",
        "DPM_SUPPORTABILITY_DATABASE_URL": url,
        "DPM_WORKFLOW_ENABLED": "true",
        "DPM_LINEAGE_APIS_ENABLED": "true",
        "LOTUS_LOG_FORMAT": "json",
        "LOTUS_SECRET_KEY": "benchmarks " * 4,
    }
    app = create_app(Settings.from_environ(environ))
    with app.app_context():
        upgrade()
        with repeatable_ids(SEED):
            story = moments(demo_runs(seed=SEED, count=runs), now=current.utcnow())
            BulkLoad(current.policy(), SEED).load(story, lambda _count: None)
        token = _open_accounts()
        run_ids = _sample_of_runs()
        _refresh_statistics()
    page = app.test_client()
    _sign_in(page)
    return Desk(app, app.test_client(), page, {"Authorization": f"Bearer {token}"}, run_ids, _reviewable())


def _open_accounts() -> str:
    now = current.utcnow()
    with transaction() as session:
        create_person(session, name=REVIEWER, password=PASSWORD, role=Role.REVIEWER, tenant_id=DEFAULT_TENANT, now=now)
        return create_token(
            session,
            account="bench",
            tenant_id=DEFAULT_TENANT,
            permissions=list(Permission),
            expires_at=None,
            now=now,
        ).secret_text


def _sample_of_runs() -> list[str]:
    with_item = select(WorkflowItem.rebalance_run_id).where(WorkflowItem.tenant_id == DEFAULT_TENANT).limit(200)
    return [run_id for run_id in db.session.scalars(with_item) if run_id]


def _refresh_statistics() -> None:
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


def _sign_in(page: FlaskClient) -> None:
    form = page.get("/login").text
    csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert csrf is not None
    answer = page.post("/login", data={"name": REVIEWER, "password": PASSWORD, "csrf_token": csrf.group(1)})
    assert answer.status_code == 303, answer.status_code


def workflow_id_of(desk: Desk, run_id: str) -> str:
    """Return the id of a run's item."""
    with desk.app.app_context():
        run = db.session.get(Run, (DEFAULT_TENANT, run_id))
        assert run is not None
        return exception_workflow_id(run.correlation_id, run_id)


def store_bytes(url: str) -> int:
    """Return the size of a SQLite store, 0 for others."""
    path = Path(url.removeprefix("sqlite:///"))
    return path.stat().st_size if url.startswith("sqlite") and path.exists() else 0
