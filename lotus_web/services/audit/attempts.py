"""What becomes of what did not happen: a refusal is put on record, a failure is told to who holds the item.

``attempt`` stands in for ``transaction()`` around an action on an item. The action's own transaction is undone whole; a
second, small one then writes the record (workflow.md §2, §4). What is refused elsewhere, at a gate or by a form, comes to
``log_refusal`` from there; the refusal itself remembers that it is on record, so it is there once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain import notifications
from lotus_web.domain.access import Actor
from lotus_web.domain.errors import (
    InProgress,
    LotusError,
    NotFound,
    StoreUnavailable,
    TooManyAttempts,
    Unauthenticated,
)
from lotus_web.models import WorkflowItem
from lotus_web.models.to_domain import item_state
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.services.events.item_rows import find_item, store_notice
from lotus_web.store.session import db, transaction

# Facts of a refusal that its line keeps: short ones, which name a permission or a person.
KEPT = ("permission", "actor_id", "tenant_id")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries what on which item (or run, trace, person, route), through which surface, in which request.

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
    """Open the transaction of an action; what the action raises is put on record and raised again."""
    try:
        with transaction() as session:
            yield session
    except (GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except LotusError as refused:
        if isinstance(refused, StoreUnavailable):
            _afterwards(notify_failure, trial, refused)
        else:
            log_refusal(trial, refused)
        raise
    except Exception as failed:
        _afterwards(notify_failure, trial, failed)
        raise


# What is not there, comes from nobody, or is only to be sent again later was not refused. Unknown ids stay out of a record
# that is kept for good, or anyone could fill it with what they make up.
NO_REFUSALS = (NotFound, Unauthenticated, TooManyAttempts, InProgress, StoreUnavailable)


def log_refusal(trial: Attempt, refused: LotusError) -> None:
    """Write the line of a refused attempt in a transaction of its own, once, whoever meets the refusal after."""
    if refused.on_record or isinstance(refused, NO_REFUSALS):
        return
    refused.on_record = True
    _afterwards(record_refusal, trial, refused)


def _afterwards(write: Callable[..., None], trial: Attempt, error: Exception) -> None:
    """Write in a transaction of its own; when the store itself is the trouble this fails too and is only logged."""
    try:
        with transaction(aside=True) as session:
            write(session, trial, error)
    except Exception as lost:
        db.session.rollback()
        log.warning("attempt_not_recorded", action=trial.action, error=type(lost).__name__)


def record_refusal(session: Session, trial: Attempt, refused: LotusError) -> None:
    """Add the line: who, what, through which surface, why not. What a form held is no part of it."""
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
        details={name: refused.details[name] for name in KEPT if name in refused.details},
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
        told = notifications.failure(
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
