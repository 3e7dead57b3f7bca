"""The transaction of an action that leaves a trace when it fails: a refusal goes into the audit log, a failure to the holder too.

``audited_transaction`` takes the place of ``transaction()`` around an action on an item. The action's own transaction is
rolled back whole; a second, small one then writes the line (workflow.md §2, §4). What is refused elsewhere, by a route or a
form, is passed to ``log_refusal`` from there; the refusal remembers that it is logged, so it is logged once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain import notifications
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
from lotus_web.services.command import CommandContext
from lotus_web.services.events.item_rows import find_item, store_notices
from lotus_web.store.session import db, transaction

# Details of a refusal that its line stores: short ones, which name a permission or a person.
RECORDED_DETAILS = ("permission", "actor_id", "tenant_id")

Subject = str | Callable[[Session], str]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuditedAction:
    """An action on an item (or run, trace, person, route) in the context of its command.

    ``subject`` is an id, or how to find it: only a refusal or a failure needs it. ``unseen`` says that it is only what the
    caller named: nobody has looked yet whether there is such an item.
    """

    context: CommandContext
    action: str
    subject: Subject
    unseen: bool = False

    def subject_id(self, session: Session) -> str:
        """Return the id, asking the store where it must be found."""
        return self.subject if isinstance(self.subject, str) else self.subject(session)


@contextmanager
def audited_transaction(audited: AuditedAction) -> Iterator[Session]:
    """Open the transaction of an action; what the action raises is written to the audit log and raised again."""
    try:
        with transaction() as session:
            yield session
    except (GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except LotusError as refused:
        if isinstance(refused, StoreUnavailable):
            _afterwards(notify_failure, audited, refused)
        else:
            log_refusal(audited, refused)
        raise
    except Exception as failed:
        _afterwards(notify_failure, audited, failed)
        raise


# What does not exist, comes from nobody, or is only to be sent again later was not refused. Unknown ids stay out of a log
# that is never deleted, or anyone could fill it with invented ones.
NO_REFUSALS = (NotFound, Unauthenticated, TooManyAttempts, InProgress, StoreUnavailable)


def log_refusal(audited: AuditedAction, refused: LotusError) -> None:
    """Write the line of a refused action in a transaction of its own, once, whoever catches the refusal later."""
    if refused.logged or isinstance(refused, NO_REFUSALS):
        return
    refused.logged = True
    _afterwards(record_refusal, audited, refused)


def _afterwards(write: Callable[..., None], audited: AuditedAction, error: Exception) -> None:
    """Write in a transaction of its own; where the store itself fails, this fails too and is only logged."""
    try:
        with transaction(aside=True) as session:
            write(session, audited, error)
    except Exception as lost:
        db.session.rollback()
        log.warning("action_not_audited", action=audited.action, error=type(lost).__name__)


def record_refusal(session: Session, audited: AuditedAction, refused: LotusError) -> None:
    """Add the line: who, what, through which surface, why not. What was typed into a form is no part of it."""
    if audited.unseen and _item_of(session, audited) is None:
        return
    record_audit(
        session,
        AuditCategory.REFUSED,
        actor=audited.context.actor,
        action=audited.action,
        subject=audited.subject_id(session),
        code=refused.code,
        message=refused.message,
        surface=audited.context.surface,
        now=audited.context.now,
        request_id=audited.context.correlation_id,
        details={name: refused.details[name] for name in RECORDED_DETAILS if name in refused.details},
    )


def _item_of(session: Session, audited: AuditedAction) -> WorkflowItem | None:
    """Return the item that the action was on, named by its own id or by its run's."""
    tenant_id, subject = audited.context.actor.tenant_id, audited.subject_id(session)
    found = find_item(session, tenant_id, subject)
    if found is None:
        of_run = (WorkflowItem.tenant_id == tenant_id, WorkflowItem.rebalance_run_id == subject)
        found = session.scalars(select(WorkflowItem).where(*of_run)).one_or_none()
    return found


def notify_failure(session: Session, audited: AuditedAction, failed: Exception) -> None:
    """Notify whoever holds the item that an action could not be recorded, once a request, and write it to the audit log.

    Neither says more of the cause than its class.
    """
    row = _item_of(session, audited)
    kind = type(failed).__name__
    if row is not None:
        told = notifications.failure(
            item_state(row),
            action=audited.action,
            request_id=audited.context.correlation_id,
            reason=kind,
            now=audited.context.now,
        )
        store_notices(session, told)
    record_audit(
        session,
        AuditCategory.FAILED,
        actor=audited.context.actor,
        action=audited.action,
        subject=audited.subject_id(session),
        code=kind,
        message="The action could not be recorded; nothing of it was written.",
        surface=audited.context.surface,
        now=audited.context.now,
        request_id=audited.context.correlation_id,
    )
