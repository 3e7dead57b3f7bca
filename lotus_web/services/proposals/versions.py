"""A new version of a proposal: it sends the proposal back to DRAFT and voids its approvals (deltas 29, 30, 38)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from lotus_web.domain.access import Permission, check_permission
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.proposals.refusals import portfolio_mismatch, simulation_disabled, version_conflict
from lotus_web.domain.proposals.rules import check_new_version
from lotus_web.domain.proposals.states import ProposalEvent, ProposalState
from lotus_web.models import ProposalDocument, ProposalVersion
from lotus_web.services.command import CommandContext
from lotus_web.services.lineage import Edge, add_edges
from lotus_web.services.proposals.compute import ComputedVersion, compute_version
from lotus_web.services.proposals.events import append_proposal_events, version_made
from lotus_web.services.proposals.keys import Keyed, Recorded, first_answer, keep_key
from lotus_web.services.proposals.records import ID_DIGITS, record_event
from lotus_web.services.proposals.reviews import follow_with_review
from lotus_web.services.proposals.standing import LoadedProposal, load_proposal, lock_proposal
from lotus_web.store.new_ids import new_id
from lotus_web.store.session import db, transaction
from lotus_web.wire.packed import pack
from lotus_web.wire.proposals.lifecycle import ProposalVersionBody, request_hash


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version comes from: the request, the operation that carried it out if one did, and the version that it follows."""

    keyed: Keyed
    caused_by: str | None = None
    before: ProposalVersion | None = None


def create_version(
    proposal_id: str,
    body: ProposalVersionBody,
    *,
    idempotency_key: str | None,
    context: CommandContext,
    caused_by: str | None = None,
) -> Recorded:
    """Add a version to a proposal, or return what the key added before; ``caused_by`` is the operation that does this, if one does.

    Raises, in this order: Forbidden; NotFound; Conflict for a key used with another request; Conflict
    ``VERSION_CONFLICT``; InvalidInput for a proposal that has ended, a request that does not ask for a simulation, and
    another portfolio. What can have changed while it was computed is checked again under the lock.
    """
    check_permission(context.actor, Permission.PROPOSALS_WRITE)
    tenant_id, keyed = context.actor.tenant_id, Keyed(request_hash(body), idempotency_key)
    found = _looked_up(proposal_id, body, keyed, context)
    if found is not None:
        return found
    computed = compute_version(
        body.simulate_request,
        request_hash=keyed.request_hash,
        idempotency_key=None,
        correlation_id=context.correlation_id,
        now=context.now,
        store_evidence=context.policy.proposals.store_evidence,
    )
    with transaction() as session:
        loaded = lock_proposal(session, tenant_id, proposal_id)
        found = first_answer(session, tenant_id, proposal_id, keyed)
        return found or _record(session, loaded, body, computed, Origin(keyed, caused_by, loaded.version), context)


def _looked_up(proposal_id: str, body: ProposalVersionBody, keyed: Keyed, context: CommandContext) -> Recorded | None:
    """Look before anything is computed: return what the key added before, None for a version that is possible now."""
    reader = db.session()
    try:
        loaded = load_proposal(reader, context.actor.tenant_id, proposal_id)
        found = first_answer(reader, context.actor.tenant_id, proposal_id, keyed)
        if found is None:
            _check(loaded, body, context)
        return found
    finally:
        reader.rollback()


def _check(loaded: LoadedProposal, body: ProposalVersionBody, context: CommandContext) -> ProposalState:
    """Return the state after the new version; raises what ``create_version`` says."""
    rules, standing = context.policy.proposals, loaded.standing
    if body.expected_version_no not in (None, standing.version_no):
        raise version_conflict(standing.version_no)
    after = check_new_version(standing, rules)
    if rules.require_simulation_flag and not body.simulate_request.options.enable_proposal_simulation:
        raise simulation_disabled()
    portfolio_id = body.simulate_request.portfolio_snapshot.portfolio_id
    if portfolio_id != loaded.row.portfolio_id and not rules.allow_portfolio_change:
        raise portfolio_mismatch(loaded.row.portfolio_id)
    return after


def _record(
    session: Session,
    loaded: LoadedProposal,
    body: ProposalVersionBody,
    computed: ComputedVersion,
    origin: Origin,
    context: CommandContext,
) -> Recorded:
    after = _check(loaded, body, context)
    proposal_id, number = loaded.row.proposal_id, loaded.standing.version_no + 1
    version = add_version(session, proposal_id, number, computed, context, origin)
    event = record_event(
        session,
        loaded,
        ProposalEvent.NEW_VERSION_CREATED,
        after,
        context,
        reason={"correlation_id": context.correlation_id},
        version_no=number,
    )
    keep_key(session, proposal_id, origin.keyed, event, context)
    append_proposal_events(session, proposal_id, version.proposal_version_id, version_made(version, computed), context)
    states = (loaded.standing.state, after)
    kind = ProposalEvent.NEW_VERSION_CREATED
    follow_with_review(session, loaded.row, version, kind, states, event.event_id, context)
    return Recorded.of(event)


def add_version(
    session: Session,
    proposal_id: str,
    number: int,
    computed: ComputedVersion,
    context: CommandContext,
    origin: Origin,
) -> ProposalVersion:
    """Add the rows of a version, its documents and its edges."""
    place = {"tenant_id": context.actor.tenant_id, "proposal_id": proposal_id, "version_no": number}
    version = ProposalVersion(
        **place,
        proposal_version_id=new_id("ppv_", ID_DIGITS),
        portfolio_id=computed.portfolio_id,
        created_by=context.actor.decider_id,
        recorded_by=context.actor.actor_id,
        acted_by=context.actor.acted_by,
        created_at=context.now,
        correlation_id=context.correlation_id,
        request_hash=computed.request_hash,
        simulation_hash=computed.simulation_hash,
        artifact_hash=computed.artifact_hash,
        status_at_creation=computed.status,
        gate=computed.gate.value,
        gate_decision=computed.gate_decision,
        engine_version=computed.engine_version,
    )
    parts = computed.parts
    document = ProposalDocument(
        **place,
        result=pack(parts.result),
        artifact=pack(parts.artifact),
        inputs=None if parts.inputs is None else pack(parts.inputs),
    )
    session.add_all([version, document])
    _add_edges(session, version, origin, context)
    return version


def _add_edges(session: Session, version: ProposalVersion, origin: Origin, context: CommandContext) -> None:
    own, whole = (EntityKind.PROPOSAL, version.proposal_version_id), (EntityKind.PROPOSAL, version.proposal_id)
    metadata = {"request_hash": version.request_hash, "version_no": version.version_no}
    edges = [
        Edge(EdgeType.CORRELATION_TO_PROPOSAL, (EntityKind.CORRELATION, version.correlation_id), whole, metadata),
        Edge(EdgeType.VERSION_OF, own, whole, metadata),
    ]
    if origin.before is not None:
        earlier = (EntityKind.PROPOSAL, origin.before.proposal_version_id)
        edges.append(Edge(EdgeType.DERIVED_FROM, own, earlier, metadata))
    key, operation_id = origin.keyed.key, origin.caused_by
    if operation_id is not None:
        edges.append(Edge(EdgeType.CAUSED_BY, own, (EntityKind.OPERATION, operation_id), metadata))
    # Without a key of its own, the request of an operation is kept under the operation's id.
    if key not in (None, operation_id):
        edges.append(Edge(EdgeType.IDEMPOTENCY_TO_PROPOSAL, (EntityKind.IDEMPOTENCY_KEY, key), whole, metadata))
    add_edges(session, edges, tenant_id=version.tenant_id, now=context.now)
