"""One simulate request: reserve the key, run the engine, record the run (RFC-0017, dpm-api §3, deltas 1–5).

It opens its own transactions: the reservation must be visible to others before the engine starts, and the engine must
not hold a lock. A crash between the two leaves a reservation that expires by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor
from lotus_web.domain.errors import InProgress, StoreUnavailable
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.policy_packs import AppliedPack
from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.models import Decision, Run, RunPayload
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.idempotency import (
    IN_PROGRESS,
    is_held,
    map_key,
    overwrite_key,
    release_key,
    reserve_key,
)
from lotus_web.services.lineage import add_edge
from lotus_web.services.policy_packs import pack_in_force
from lotus_web.services.runs.events import evaluation_event
from lotus_web.services.runs.record import ComputedRun, add_history, record_run
from lotus_web.services.runs.solver import solve
from lotus_web.store.new_ids import new_id
from lotus_web.store.session import db, transaction
from lotus_web.wire.packed import unpack
from lotus_web.wire.policy_packs import under_pack
from lotus_web.wire.rebalance.request import RebalanceRequestBody, request_hash, stored_request
from lotus_web.wire.rebalance.result import RESULT

WAIT_SECONDS = 10.0
POLL_SECONDS = 0.05
STORE_INCONSISTENT = "DPM_IDEMPOTENCY_STORE_INCONSISTENT"

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Simulated:
    """The stored result as JSON bytes, verbatim, and whose it is."""

    rebalance_run_id: str
    correlation_id: str
    result: bytes
    replayed: bool


def simulate(
    body: RebalanceRequestBody,
    *,
    idempotency_key: str,
    correlation_id: str,
    actor: Actor,
    policy: DeploymentPolicy,
    clock: Clock,
    policy_pack_id: str | None = None,
) -> Simulated:
    """Answer a simulate request once for each key; the policy pack in force changes options, not the request's hash.

    Raises Conflict for a key used with another request, InProgress when its first computation outlasts the wait.
    """
    digest = request_hash(body)
    pack = pack_in_force(db.session(), policy.packs, requested=policy_pack_id, tenant_id=actor.tenant_id)
    work = partial(_compute, body, digest, idempotency_key, correlation_id, pack=pack)
    if not _replays(policy, pack):
        return work(None, actor=actor, policy=policy, clock=clock)
    owner = new_id("own_")
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        with transaction() as session:
            held = reserve_key(
                session, tenant_id=actor.tenant_id, key=idempotency_key, request_hash=digest, owner=owner, now=clock()
            )
            if held.rebalance_run_id is not None:
                return _replay(session, held.rebalance_run_id, idempotency_key, correlation_id, actor, clock())
        if held.owned:
            return work(owner, actor=actor, policy=policy, clock=clock)
        _wait_until_free(actor.tenant_id, idempotency_key, deadline, clock)


def _wait_until_free(tenant_id: str, key: str, deadline: float, clock: Clock) -> None:
    """Wait until somebody else's computation for a key ends or expires; raises InProgress when that outlasts the deadline.

    It only reads, and keeps no transaction open between two reads: a caller that waits must not block writers.
    """
    while True:
        if time.monotonic() >= deadline:
            raise InProgress(IN_PROGRESS)
        time.sleep(POLL_SECONDS)
        held = is_held(db.session(), tenant_id=tenant_id, key=key, now=clock())
        db.session.rollback()
        if not held:
            return


def _replays(policy: DeploymentPolicy, pack: AppliedPack | None) -> bool:
    if pack is None or pack.replay_enabled is None:
        return policy.replay_enabled
    return pack.replay_enabled


def _compute(
    body: RebalanceRequestBody,
    digest: str,
    key: str,
    correlation_id: str,
    owner: str | None,
    *,
    pack: AppliedPack | None,
    actor: Actor,
    policy: DeploymentPolicy,
    clock: Clock,
) -> Simulated:
    try:
        computed = compute_run(
            body,
            run_id=drawn_run_id(actor.tenant_id),
            request_digest=digest,
            idempotency_key=key,
            correlation_id=correlation_id,
            pack=pack,
        )
        with transaction() as session:
            _record(session, computed, key, owner, actor=actor, now=clock(), policy=policy)
    except BaseException:
        if owner is not None:
            _release(actor.tenant_id, key, owner)
        raise
    return Simulated(computed.result["rebalance_run_id"], correlation_id, computed.result_json, replayed=False)


def _record(
    session: Session,
    computed: ComputedRun,
    key: str,
    owner: str | None,
    *,
    actor: Actor,
    now: datetime,
    policy: DeploymentPolicy,
) -> None:
    """Record the run and point its key at it; raises InProgress when ``owner``'s lease went to another.

    The tenant is locked before the key, as in a purge, which removes the keys of its runs: the other way round the two could
    wait for each other.
    """
    lock_tenant(session, actor.tenant_id)
    own = {"tenant_id": actor.tenant_id, "key": key, "run_id": computed.result["rebalance_run_id"]}
    if owner is None:
        overwrite_key(session, **own, request_hash=computed.request_hash, now=now)
    else:
        map_key(session, **own, owner=owner, now=now)
    record_run(session, computed, actor=actor, now=now, policy=policy)


def _release(tenant_id: str, key: str, owner: str) -> None:
    """Free the key after a failure. When the store itself is down this fails too, and the lease frees the key later."""
    try:
        with transaction() as session:
            release_key(session, tenant_id=tenant_id, key=key, owner=owner)
    except Exception:  # the first failure is the one to report
        db.session.rollback()


def compute_run(
    body: RebalanceRequestBody,
    *,
    run_id: str,
    request_digest: str,
    idempotency_key: str | None,
    correlation_id: str,
    pack: AppliedPack | None = None,
) -> ComputedRun:
    """Run the engine on a validated request, under a pack and a run id that is not in use; asks the store nothing.

    What is stored is the request as it came. Raises pydantic's ValidationError for a pack that this version does not accept.
    """
    result = rebalance(
        under_pack(body, pack).to_domain(),
        run_id=run_id,
        correlation_id=correlation_id,
        request_hash=request_digest,
        idempotency_key=idempotency_key,
        solve=solve,
    )
    return ComputedRun(
        request_hash=request_digest,
        idempotency_key=idempotency_key,
        portfolio_id=body.portfolio_snapshot.portfolio_id,
        request=stored_request(body),
        result_json=RESULT.json(result),
        pack=pack,
    )


def drawn_run_id(tenant_id: str) -> str:
    """Return an unused run id and end the transaction that looked: an engine may compute for minutes before it is used."""
    session = db.session()
    run_id = unused_run_id(session, tenant_id)
    session.rollback()
    return run_id


def unused_run_id(session: Session, tenant_id: str) -> str:
    """Return a new run id that neither a stored run nor the decisions and events of a purged one carry."""
    while True:
        run_id = new_id("rr_", 8)
        carriers = (
            select(Run.rebalance_run_id).where(Run.tenant_id == tenant_id, Run.rebalance_run_id == run_id),
            select(Decision.run_id).where(Decision.tenant_id == tenant_id, Decision.run_id == run_id),
            evaluation_event(tenant_id, run_id),
        )
        if not session.scalar(select(or_(*(carrier.exists() for carrier in carriers)))):
            return run_id


def _replay(session: Session, run_id: str, key: str, correlation_id: str, actor: Actor, now: datetime) -> Simulated:
    run = session.get(Run, (actor.tenant_id, run_id))
    payload = session.get(RunPayload, (actor.tenant_id, run_id))
    if run is None or payload is None:
        raise StoreUnavailable(STORE_INCONSISTENT)
    add_edge(
        session,
        EdgeType.REPLAYED_FROM,
        (EntityKind.CORRELATION, correlation_id),
        (EntityKind.RUN, run_id),
        tenant_id=actor.tenant_id,
        now=now,
        metadata={"request_hash": run.request_hash},
    )
    add_history(session, run, idempotency_key=key, correlation_id=correlation_id, now=now)
    return Simulated(run_id, run.correlation_id, unpack(payload.result), replayed=True)
