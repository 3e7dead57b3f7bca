"""What becomes of an action that did not happen: a refusal is put on record, a failure is told to who holds the item.

``attempt`` stands in for ``transaction()`` around an action on an item. The action's own transaction is undone whole; a
second, small one then writes the record (workflow.md §2, §4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.db import db, transaction
from lotus_web.domain import notices
from lotus_web.domain.access import Actor
from lotus_web.domain.errors import LotusError, NotFound, StoreUnavailable
from lotus_web.models import WorkflowItem
from lotus_web.models.values import item_state
from lotus_web.services.audit_records import AuditCategory, record_audit
from lotus_web.services.items import find_item, store_notice

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries what on which item (or run, or trace), through which surface, in which request.

    ``unseen`` says that the subject is only what the caller named: nobody has looked yet whether there is such an item.
    """

    actor: Actor
    subject: str
    action: str
    surface: str
    request_id: str
    now: datetime
    unseen: bool = False


@contextmanager
def attempt(trial: Attempt) -> Iterator[Session]:
    """Open the transaction of an action; what the action raises is put on record and raised again.

    An unknown item leaves no record, or anyone could fill the store with ids that they make up.
    """
    try:
        with transaction() as session:
            yield session
    except (NotFound, GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except LotusError as refused:
        if isinstance(refused, StoreUnavailable):
            _afterwards(notify_failure, trial, refused)
        else:
            _afterwards(record_refusal, trial, refused)
        raise
    except Exception as failed:
        _afterwards(notify_failure, trial, failed)
        raise


def _afterwards(write: Callable[..., None], trial: Attempt, error: Exception) -> None:
    """Write in a transaction of its own; when the store itself is the trouble this fails too and is only logged."""
    try:
        with transaction() as session:
            write(session, trial, error)
    except Exception as lost:
        db.session.rollback()
        log.warning("attempt_not_recorded", action=trial.action, error=type(lost).__name__)


def record_refusal(session: Session, trial: Attempt, refused: LotusError) -> None:
    """Put a refused action on an item of the tenant on record: who, what, through which surface, why not."""
    if trial.unseen and _item_of(session, trial) is None:
        return
    record_audit(
        session,
        AuditCategory.REFUSED,
        actor=trial.actor,
        action=trial.action,
        subject=trial.subject,
        code=refused.code,
        message=refused.message,
        surface=trial.surface,
        now=trial.now,
        request_id=trial.request_id,
    )


def _item_of(session: Session, trial: Attempt) -> WorkflowItem | None:
    """Return the item that was tried, named by its own id or by its run's."""
    tenant_id, subject = trial.actor.tenant_id, trial.subject
    found = find_item(session, tenant_id, subject)
    if found is None:
        of_run = (WorkflowItem.tenant_id == tenant_id, WorkflowItem.rebalance_run_id == subject)
        found = session.scalars(select(WorkflowItem).where(*of_run)).one_or_none()
    return found


def notify_failure(session: Session, trial: Attempt, failed: Exception) -> None:
    """Tell who holds the item that an action could not be recorded, once a request, and put it on record.

    Neither says more of the cause than its kind.
    """
    row = _item_of(session, trial)
    kind = type(failed).__name__
    if row is not None:
        told = notices.failure(
            item_state(row), action=trial.action, request_id=trial.request_id, reason=kind, now=trial.now
        )
        for notice in told:
            store_notice(session, notice)
    record_audit(
        session,
        AuditCategory.FAILED,
        actor=trial.actor,
        action=trial.action,
        subject=trial.subject,
        code=kind,
        message="The action could not be recorded; nothing of it was written.",
        surface=trial.surface,
        now=trial.now,
        request_id=trial.request_id,
    )
