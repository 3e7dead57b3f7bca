"""Ends expired claims, so that another reviewer can claim the item."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.jobs.batches import BATCH, work_through
from lotus_web.jobs.context import JobContext
from lotus_web.services.items.claims import end_claim, expired_claims


def release(context: JobContext, now: datetime) -> dict[str, Any]:
    """Release items whose claimant was inactive for ``LOTUS_CLAIM_MINUTES``; returns how many, and how many failed."""
    lease = timedelta(minutes=context.settings.claim_minutes)
    policy = DeploymentPolicy.of(context.settings)
    released, failed = work_through(
        context,
        now,
        lambda session: expired_claims(session, now=now, lease=lease, limit=BATCH),
        lambda session, key: end_claim(session, key, now=now, lease=lease, policy=policy),
    )
    return {"released": released, "failed": failed}
