"""Opening the review of a run that was recorded while reviews were off, by hand."""

from __future__ import annotations

from sqlalchemy.orm import Session

from lotus_web.domain.access import Permission, check_permission
from lotus_web.domain.errors import Conflict, RunNotFound
from lotus_web.models import Run
from lotus_web.services.command import CommandContext
from lotus_web.services.decisions.gate import find_run_item, open_item_for_run
from lotus_web.services.events.log import lock_tenant


def open_review(session: Session, run_id: str, context: CommandContext) -> str:
    """Return the id of the run's item, making it if there is none; its clock starts now.

    Raises Forbidden, NotFound, and Conflict ``DPM_WORKFLOW_NOT_REQUIRED_FOR_RUN_STATUS``.
    """
    actor, policy = context.actor, context.policy
    check_permission(actor, Permission.WORKFLOW_REVIEW)
    lock_tenant(session, actor.tenant_id)
    run = session.get(Run, (actor.tenant_id, run_id))
    if run is None:
        raise RunNotFound
    item = find_run_item(session, run)
    if item is not None:
        return item.workflow_id
    if not policy.requires_review(run.status):
        raise Conflict("DPM_WORKFLOW_NOT_REQUIRED_FOR_RUN_STATUS", f"The gate asks for no review of {run.status} runs.")
    return open_item_for_run(session, run, now=context.now, policy=policy).workflow_id
