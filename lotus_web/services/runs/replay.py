"""Replaying a run: its stored request through today's engine, recorded as a run of its own (delta 27)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pydantic import ValidationError

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor
from lotus_web.domain.errors import Conflict, RunNotFound
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.policy_packs import AppliedPack
from lotus_web.models import Run, RunPayload
from lotus_web.services.lineage import add_edge
from lotus_web.services.runs.evidence import check_as_recorded
from lotus_web.services.runs.record import record_run
from lotus_web.services.runs.simulate import compute_run, drawn_run_id
from lotus_web.store.session import db, transaction
from lotus_web.wire.packed import unpack_document
from lotus_web.wire.rebalance.request import RebalanceRequestBody

NOT_REPLAYABLE = "DPM_RUN_NOT_REPLAYABLE"
NOT_REPLAYABLE_MESSAGE = "The stored request is not one that this version of the engine accepts."


def replay_run(
    run_id: str, *, correlation_id: str, actor: Actor, policy: DeploymentPolicy, clock: Callable[[], datetime]
) -> str:
    """Record a new run from a run's stored request, with an edge REPLAYED_FROM the new to the old; return the new id.

    The new run has the old one's request hash and policy pack, no key, and goes through the gate like any other. Raises NotFound
    ``DPM_RUN_NOT_FOUND`` or Conflict ``DPM_RUN_NOT_REPLAYABLE``, ``EVIDENCE_MISMATCH`` for a run that is not as it was recorded.
    """
    reader = db.session()
    run = reader.get(Run, (actor.tenant_id, run_id), populate_existing=True)
    payload = reader.get(RunPayload, (actor.tenant_id, run_id), populate_existing=True)
    if run is None or payload is None:
        raise RunNotFound
    check_as_recorded(reader, actor.tenant_id, run_id)
    was = {"request_hash": run.request_hash, "engine_version": run.engine_version}
    request, pack = unpack_document(payload.request), payload.policy_pack
    try:
        computed = compute_run(
            RebalanceRequestBody.model_validate(request),
            run_id=drawn_run_id(actor.tenant_id),
            request_digest=was["request_hash"],
            idempotency_key=None,
            correlation_id=correlation_id,
            pack=None if pack is None else AppliedPack.of_record(pack),
        )
    except ValidationError:
        raise Conflict(NOT_REPLAYABLE, NOT_REPLAYABLE_MESSAGE) from None
    with transaction() as session:
        now = clock()
        new = record_run(session, computed, actor=actor, now=now, policy=policy)
        # Looked at again and held to the end: retention may have taken it meanwhile. After the recording, which takes the
        # tenant's lock before any run's, as a purge does.
        if session.get(Run, (actor.tenant_id, run_id), populate_existing=True, with_for_update=True) is None:
            raise RunNotFound
        add_edge(
            session,
            EdgeType.REPLAYED_FROM,
            (EntityKind.RUN, new.rebalance_run_id),
            (EntityKind.RUN, run_id),
            tenant_id=actor.tenant_id,
            now=now,
            metadata=was,
        )
        return new.rebalance_run_id
