"""The SLA sweep: each item in a transaction of its own, so that one bad row holds up nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from lotus_web.db import db
from lotus_web.domain.errors import Conflict
from lotus_web.jobs.context import JobContext
from lotus_web.services.review_policy import ReviewPolicy
from lotus_web.services.sla import ItemKey, escalate, push_back, to_escalate, to_warn, warn

BATCH = 200
log = structlog.get_logger(__name__)


def sweep(context: JobContext, now: datetime) -> dict[str, Any]:
    """Warn about what falls due soon and escalate what is late; returns how many of each, and how many failed."""
    window = timedelta(minutes=context.settings.deadline_risk_warning_minutes)
    policy = ReviewPolicy.of(context.settings)
    late, late_failed = _each(
        context,
        now,
        lambda session: to_escalate(session, now=now, limit=BATCH),
        lambda session, key: escalate(session, key, now=now, policy=policy),
    )
    near, near_failed = _each(
        context,
        now,
        lambda session: to_warn(session, now=now, window=window, limit=BATCH),
        lambda session, key: warn(session, key, now=now, window=window),
    )
    return {"escalated": late, "warned": near, "failed": late_failed + near_failed}


def _each(
    context: JobContext,
    now: datetime,
    find: Callable[[Session], list[ItemKey]],
    act: Callable[[Session, ItemKey], bool],
) -> tuple[int, int]:
    done = failed = 0
    seen: set[ItemKey] = set()
    while not context.stop.is_set():
        found = [key for key in find(db.session()) if key not in seen]
        db.session.rollback()
        if not found:
            break
        for key in found:
            if context.stop.is_set():
                break
            seen.add(key)
            try:
                with context.unit() as session:
                    done += act(session, key)
            except Conflict:
                raise
            except Exception:
                failed += 1
                log.exception("sweep_item_failed", tenant=key[0], workflow_id=key[1])
                with context.unit() as session:
                    push_back(session, key, now=now)
    return done, failed
