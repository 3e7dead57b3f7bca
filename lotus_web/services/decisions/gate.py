"""The RFC-0020 gate of runs: decisions of JSON clients, applied to the run's item, and reviews opened for a run later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor, ActorType, Permission, check_permission
from lotus_web.domain.decisions.gate import ITEM_ACTION, GateAction, check_gate_transition, gate_status
from lotus_web.domain.errors import Conflict, Forbidden, RunNotFound
from lotus_web.domain.items.evidence import Presented
from lotus_web.domain.items.four_eyes import CODE as FOUR_EYES
from lotus_web.domain.items.values import ItemStatus
from lotus_web.domain.sentences import Sentence
from lotus_web.models import Run, RunPayload
from lotus_web.services.command import CommandContext
from lotus_web.services.events.item_rows import LockedItem, lock_item_of_run
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.services.items.actions import Reviewed, apply_action
from lotus_web.services.runs.events import append_run_events
from lotus_web.wire.packed import unpack_document


@dataclass(frozen=True, slots=True)
class DecidedRun:
    """A run after a decision: its status, whether runs of that status need a review, and what the decision did."""

    run_status: str
    requires_review: bool
    reviewed: Reviewed


def decide_run(
    session: Session,
    run_id: str,
    *,
    action: GateAction,
    reason_code: str,
    comment: str | None,
    context: CommandContext,
    presented: Callable[[str], Presented | None] = lambda _workflow_id: None,
) -> DecidedRun:
    """Apply APPROVE, REJECT or REQUEST_CHANGES to a run (dpm-api §8.3).

    Raises NotFound ``DPM_RUN_NOT_FOUND``, Forbidden (``FOUR_EYES`` too), Conflict ``DPM_WORKFLOW_NOT_REQUIRED_FOR_RUN_STATUS`` or
    ``DPM_WORKFLOW_INVALID_TRANSITION``. A run recorded while the workflow was off gets its item first. ``presented``
    tells by the item's id what evidence the caller says it was given.
    """
    actor, policy = context.actor, context.policy
    check_permission(actor, Permission.WORKFLOW_REVIEW)
    lock_tenant(session, actor.tenant_id)
    found = lock_item_of_run(session, actor.tenant_id, run_id)
    run = session.get(Run, (actor.tenant_id, run_id)) if found is None else found.run
    if run is None:
        raise RunNotFound
    required = policy.requires_review(run.status)
    item_status = ItemStatus(found.row.status) if found else None
    check_gate_transition(gate_status(required=required, item_status=item_status), action, item_status)
    locked = found or open_item_for_run(session, run, now=context.now, policy=policy)
    asked = ReviewAction(
        action=ITEM_ACTION[action],
        reason_code=reason_code,
        text=comment,
        presented=presented(locked.row.workflow_id),
    )
    try:
        reviewed = apply_action(session, locked.row.workflow_id, asked, context, locked=locked)
    except Forbidden as refused:
        if refused.code != FOUR_EYES:
            raise
        raise Forbidden(FOUR_EYES.upper(), refused.sentence) from None
    return DecidedRun(run.status, required, reviewed)


def open_review(session: Session, run_id: str, context: CommandContext) -> str:
    """Return the id of a run's item; a run recorded while reviews were off gets one, due from now on.

    Raises Forbidden, NotFound, and Conflict ``DPM_WORKFLOW_NOT_REQUIRED_FOR_RUN_STATUS``.
    """
    actor, policy = context.actor, context.policy
    check_permission(actor, Permission.WORKFLOW_REVIEW)
    lock_tenant(session, actor.tenant_id)
    run = session.get(Run, (actor.tenant_id, run_id))
    if run is None:
        raise RunNotFound
    found = lock_item_of_run(session, run.tenant_id, run.rebalance_run_id)
    if found is not None:
        return found.row.workflow_id
    if not policy.requires_review(run.status):
        raise Conflict(
            "DPM_WORKFLOW_NOT_REQUIRED_FOR_RUN_STATUS",
            Sentence("{status} runs need no review.", status=run.status),
        )
    return open_item_for_run(session, run, now=context.now, policy=policy).row.workflow_id


def open_item_for_run(session: Session, run: Run, *, now: datetime, policy: DeploymentPolicy) -> LockedItem:
    """Append the events of a run that was recorded while the workflow was off; its clock starts now."""
    submitter = Actor(ActorType.SERVICE_ACCOUNT, run.submitted_by, run.tenant_id)
    append_run_events(session, run, _result(session, run), actor=submitter, now=now, policy=policy)
    found = lock_item_of_run(session, run.tenant_id, run.rebalance_run_id)
    if found is None:
        raise RunNotFound
    return found


def _result(session: Session, run: Run) -> dict[str, Any]:
    payload = session.get(RunPayload, (run.tenant_id, run.rebalance_run_id))
    if payload is None:
        raise RunNotFound
    return unpack_document(payload.result)
