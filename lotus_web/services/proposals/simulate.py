"""Simulations of proposals: computed once for each key, and answered from the store ever after (proposals-api §5, §6)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from lotus_web.domain.errors import Conflict, StoreUnavailable
from lotus_web.domain.proposals.refusals import simulation_disabled
from lotus_web.models import ProposalSimulation
from lotus_web.services.command import CommandContext
from lotus_web.services.idempotency import HASH_MISMATCH
from lotus_web.services.proposals.compute import simulated
from lotus_web.store.session import db, transaction
from lotus_web.store.upserts import insert_into
from lotus_web.wire.packed import dump, pack, unpack
from lotus_web.wire.proposals.artifact import proposal_artifact
from lotus_web.wire.proposals.lifecycle import request_hash
from lotus_web.wire.proposals.request import SimulateRequestBody


@dataclass(frozen=True, slots=True)
class StoredSimulation:
    """The first answer to a key; ``correlation_id`` is that of the call that it was given to."""

    correlation_id: str
    artifact: bytes

    @property
    def result(self) -> bytes:
        """The result as JSON."""
        found = json.loads(self.artifact)["evidence_bundle"]["engine_outputs"]["proposal_result"]
        return dump(found)


def simulate_once(body: SimulateRequestBody, *, idempotency_key: str, context: CommandContext) -> StoredSimulation:
    """Return the simulation of a key, computing and storing it the first time.

    The engine has no effects, so nothing is reserved: of calls at the same time the first to store wins, and all
    answer with what it stored. Raises InvalidInput where the request does not ask for a simulation, Conflict for a key
    that was used with another request.
    """
    if not body.options.enable_proposal_simulation:
        raise simulation_disabled()
    digest = request_hash(body)
    found = _stored(context.actor.tenant_id, idempotency_key, digest)
    if found is not None:
        return found
    run_id, artifact = _computed(body, digest, idempotency_key, context)
    with transaction() as session:
        session.execute(
            insert_into(session, ProposalSimulation)
            .values(
                tenant_id=context.actor.tenant_id,
                idempotency_key=idempotency_key,
                request_hash=digest,
                correlation_id=context.correlation_id,
                proposal_run_id=run_id,
                submitted_by=context.actor.decider_id,
                created_at=context.now,
                artifact=pack(artifact),
            )
            .on_conflict_do_nothing()
        )
    found = _stored(context.actor.tenant_id, idempotency_key, digest)
    if found is None:
        raise StoreUnavailable
    return found


def _stored(tenant_id: str, key: str, digest: str) -> StoredSimulation | None:
    session, row = db.session(), ProposalSimulation
    query = select(row.request_hash, row.correlation_id, row.artifact).where(
        row.tenant_id == tenant_id, row.idempotency_key == key
    )
    found = session.execute(query).one_or_none()
    session.rollback()
    if found is None:
        return None
    if found.request_hash != digest:
        raise Conflict(HASH_MISMATCH)
    return StoredSimulation(found.correlation_id, unpack(found.artifact))


def _computed(body: SimulateRequestBody, digest: str, key: str, context: CommandContext) -> tuple[str, dict[str, Any]]:
    """Return the id of the simulation and its artifact."""
    result = simulated(body, request_hash=digest, idempotency_key=key, correlation_id=context.correlation_id)
    return result.proposal_run_id, proposal_artifact(result, body, created_at=context.now)
