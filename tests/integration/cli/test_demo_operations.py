"""The demo's operations: one done, one with a scenario that failed, one waiting, and no review because of them."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from lotus_web.config import current
from lotus_web.demo.operations import QUESTIONS, load_operations
from lotus_web.demo.portfolios import demo_runs
from lotus_web.models import WorkflowItem
from lotus_web.queries.audit.chain import verify_chain
from lotus_web.queries.operations.lookup import latest_operation
from lotus_web.queries.operations.page import operation_detail
from lotus_web.services.operations.leases import LeaseTerms
from lotus_web.store.session import db


def told(correlation_id: str) -> tuple[str, int, int]:
    """Return the status of a question, how many scenarios are done and how many of them failed."""
    row = latest_operation(db.session(), "default", correlation_id).row
    detail = operation_detail(db.session(), "default", row.operation_id)
    return row.status, row.progress.scenarios_done, detail.failed


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true")
def test_the_demo_has_asked_in_every_way(app: Flask) -> None:
    with app.app_context():
        now = current.utcnow()
        asked = load_operations(demo_runs(seed=1, count=60), policy=current.policy(), terms=LeaseTerms(), now=now)
        assert asked == len(QUESTIONS)
        assert {question.correlation_id: told(question.correlation_id) for question in QUESTIONS} == {
            "corr_demo_what_if": ("SUCCEEDED", 3, 0),
            "corr_demo_turnover": ("SUCCEEDED", 3, 1),
            "corr_demo_waiting": ("PENDING", 0, 0),
        }
        assert db.session.scalar(select(func.count()).select_from(WorkflowItem)) == 0
        assert verify_chain(db.session(), "default").intact
        assert latest_operation(db.session(), "default", "corr_demo_turnover").row.finished_at <= now
