"""The SLA sweep: warnings before the due time, escalations after it (workflow.md §3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.jobs.batches import BATCH, work_through
from lotus_web.jobs.context import JobContext
from lotus_web.services.sla import escalate, to_escalate, to_warn, warn


def sweep(context: JobContext, now: datetime) -> dict[str, Any]:
    """Warn of items due soon and escalate overdue ones; returns how many of each, and how many failed."""
    window = timedelta(minutes=context.settings.deadline_risk_warning_minutes)
    policy = DeploymentPolicy.of(context.settings)
    late, late_failed = work_through(
        context,
        now,
        lambda session: to_escalate(session, now=now, limit=BATCH),
        lambda session, key: escalate(session, key, now=now, policy=policy),
    )
    near, near_failed = work_through(
        context,
        now,
        lambda session: to_warn(session, now=now, window=window, limit=BATCH),
        lambda session, key: warn(session, key, now=now, window=window),
    )
    return {"escalated": late, "warned": near, "failed": late_failed + near_failed}
