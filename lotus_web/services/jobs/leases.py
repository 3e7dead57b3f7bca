"""Leadership by a lease row: one process runs the jobs; another takes over when it stops renewing the lease."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from lotus_web.domain.errors import Conflict
from lotus_web.models import SchedulerLease
from lotus_web.models.jobs import LEASE_NAME
from lotus_web.store.clock import store_now
from lotus_web.store.upserts import insert_into

LEASE_LOST = "LEASE_LOST"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Leadership:
    """Proof of being the leader; ``fence`` grows with each new leader, so that late work of an old one is refused."""

    owner: str
    fence: int


def led_by_another(session: Session, owner: str) -> bool:
    """Return whether another process leads, by a read alone: a process that cannot lead need not write to find out."""
    lease = session.get(SchedulerLease, LEASE_NAME, populate_existing=True)
    return lease is not None and lease.owner != owner and lease.until > store_now(session)


def take_lead(session: Session, owner: str, *, lease: timedelta) -> Leadership | None:
    """Take or renew the lease; None while another process holds it."""
    first = insert_into(session, SchedulerLease).values(name=LEASE_NAME, owner="", until=EPOCH, fence=0)
    session.execute(first.on_conflict_do_nothing())
    now = store_now(session)
    row = session.execute(
        select(SchedulerLease.owner, SchedulerLease.fence)
        .where(SchedulerLease.name == LEASE_NAME, or_(SchedulerLease.owner == owner, SchedulerLease.until <= now))
        .with_for_update()
    ).one_or_none()
    if row is None:
        return None
    fence = row.fence if row.owner == owner else row.fence + 1
    session.execute(
        update(SchedulerLease)
        .where(SchedulerLease.name == LEASE_NAME)
        .values(owner=owner, until=now + lease, fence=fence)
    )
    return Leadership(owner, fence)


def check_lead(session: Session, lead: Leadership) -> None:
    """Raise Conflict ``LEASE_LOST`` if another process leads now; called in the transaction of each unit of work."""
    held = session.scalar(
        select(SchedulerLease.fence)
        .where(SchedulerLease.name == LEASE_NAME, SchedulerLease.owner == lead.owner)
        .with_for_update(read=True)
    )
    if held != lead.fence:
        raise Conflict(LEASE_LOST, "Another process runs the jobs now.")


def is_lead_lost(error: BaseException) -> bool:
    """Return whether this is what ``check_lead`` raises."""
    return isinstance(error, Conflict) and error.code == LEASE_LOST


def release_lead(session: Session, owner: str) -> None:
    """End the lease on an orderly stop, so that the next process need not wait for it to expire."""
    session.execute(
        update(SchedulerLease)
        .where(SchedulerLease.name == LEASE_NAME, SchedulerLease.owner == owner)
        .values(until=store_now(session))
    )
