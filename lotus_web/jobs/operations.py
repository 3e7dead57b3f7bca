"""Carries out operations that are PENDING or whose lease expired, one after the other (delta 6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lotus_web.config.current import utcnow
from lotus_web.config.policy import DeploymentPolicy
from lotus_web.jobs.context import JobContext
from lotus_web.services.handlers import HANDLERS
from lotus_web.services.operations.leases import LeaseTerms, claim_due, is_due
from lotus_web.services.operations.worker import work_on
from lotus_web.store.session import db

CADENCE_SECONDS = 2


def run_due(context: JobContext, now: datetime) -> dict[str, Any]:
    """Carry out everything that is due; returns how many finished here and how many were released or lost to another worker."""
    terms, policy = LeaseTerms.of(context.settings), DeploymentPolicy.of(context.settings)
    finished = released = 0
    while not context.stop.is_set() and _some_due():
        with context.unit() as session:
            claim = claim_due(session, terms=terms, now=utcnow())
        if claim is None:
            break
        if work_on(claim, handlers=HANDLERS, policy=policy, terms=terms, clock=utcnow, stop=context.stop.is_set):
            finished += 1
        else:
            released += 1
    return {"finished": finished, "released": released}


def _some_due() -> bool:
    found = is_due(db.session())
    db.session.rollback()
    return found
