"""Loading the demo tenant: through the ordinary services, one moment after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.demo.actors import FEED, STAFF, asked
from lotus_web.demo.people import PlannedAction
from lotus_web.demo.portfolios import DemoRun
from lotus_web.demo.timeline import Moment
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.items.subjects import SubjectType, item_id
from lotus_web.domain.surface import Surface
from lotus_web.models import Run
from lotus_web.services.command import CommandContext
from lotus_web.services.idempotency import overwrite_key
from lotus_web.services.items.actions import apply_action
from lotus_web.services.runs.record import record_run
from lotus_web.services.runs.simulate import compute_run, unused_run_id
from lotus_web.store.session import db
from lotus_web.wire.rebalance.request import RebalanceRequestBody, request_hash

Progress = Callable[[int], None]


def is_loaded() -> bool:
    """Return whether the demo tenant holds runs already."""
    query = select(Run.rebalance_run_id).where(Run.tenant_id == DEFAULT_TENANT).limit(1)
    return db.session.scalar(query) is not None


def load_through_services(
    session: Session, story: Iterable[Moment], *, policy: DeploymentPolicy, progress: Progress
) -> None:
    """Carry out every moment with the services that the API and the pages use, in the caller's one transaction."""
    run_ids: dict[int, str] = {}
    for moment in story:
        if moment.action is None:
            run_ids[moment.run.index] = _record(session, moment, policy)
            progress(1)
        else:
            _act(session, moment, moment.action, run_ids[moment.run.index], policy)


def _record(session: Session, moment: Moment, policy: DeploymentPolicy) -> str:
    run: DemoRun = moment.run
    body = RebalanceRequestBody.model_validate(run.request)
    computed = compute_run(
        body,
        run_id=unused_run_id(session, DEFAULT_TENANT),
        request_digest=request_hash(body),
        idempotency_key=run.idempotency_key,
        correlation_id=run.correlation_id,
    )
    run_id: str = computed.result["rebalance_run_id"]
    overwrite_key(
        session,
        tenant_id=DEFAULT_TENANT,
        key=run.idempotency_key,
        request_hash=computed.request_hash,
        run_id=run_id,
        now=moment.at,
    )
    record_run(session, computed, actor=FEED, now=moment.at, policy=policy)
    return run_id


def _act(session: Session, moment: Moment, planned: PlannedAction, run_id: str, policy: DeploymentPolicy) -> None:
    workflow_id = item_id(moment.run.correlation_id, SubjectType.RUN, run_id)
    # Nobody saw anything of it, and the decisions say so, whatever the deployment requires of people.
    lenient = replace(policy, require_evidence=False)
    context = CommandContext(STAFF[planned.actor], Surface.FORM, moment.run.correlation_id, moment.at, lenient)
    apply_action(session, workflow_id, asked(planned, workflow_id), context)
