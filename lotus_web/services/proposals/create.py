"""Creating a proposal: computed with nothing open, then recorded whole or not at all, once for each key (deltas 29, 39)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from lotus_web.domain.access import Permission, check_permission
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.proposals.refusals import simulation_disabled
from lotus_web.domain.proposals.states import ProposalEvent, ProposalState
from lotus_web.domain.support import Counter
from lotus_web.models import Proposal
from lotus_web.services.command import CommandContext
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.proposals.compute import ComputedVersion, compute_version
from lotus_web.services.proposals.events import append_proposal_events, trace_started, version_made
from lotus_web.services.proposals.keys import CREATES, Keyed, Recorded, first_answer, keep_key
from lotus_web.services.proposals.records import ID_DIGITS, event_row
from lotus_web.services.proposals.versions import Origin, add_version
from lotus_web.services.support import count
from lotus_web.store.new_ids import new_id
from lotus_web.store.session import db, transaction
from lotus_web.wire.proposals.lifecycle import CreateProposalBody, ProposalMetadataBody, request_hash


def create_proposal(
    body: CreateProposalBody, *, idempotency_key: str, context: CommandContext, caused_by: str | None = None
) -> Recorded:
    """Create a proposal with its first version as a draft, or return what the key created before.

    ``context`` is in the name of whose proposal it is, ``caused_by`` the operation that does this, if one does. Raises Forbidden, Conflict for a key that was used with another
    request, InvalidInput where the request does not ask for a simulation: its key stays free then.
    """
    check_permission(context.actor, Permission.PROPOSALS_WRITE)
    tenant_id, keyed = context.actor.tenant_id, Keyed(request_hash(body), idempotency_key)
    reader = db.session()
    found = first_answer(reader, tenant_id, CREATES, keyed)
    reader.rollback()
    if found is not None:
        return found
    rules = context.policy.proposals
    if rules.require_simulation_flag and not body.simulate_request.options.enable_proposal_simulation:
        raise simulation_disabled()
    computed = compute_version(
        body.simulate_request,
        request_hash=keyed.request_hash,
        idempotency_key=idempotency_key,
        correlation_id=context.correlation_id,
        now=context.now,
        store_evidence=rules.store_evidence,
    )
    with transaction() as session:
        lock_tenant(session, tenant_id)
        # Of several with one key, the first to get here wins; under the lock nobody else can be in between.
        return first_answer(session, tenant_id, CREATES, keyed) or _record(
            session, body, computed, Origin(keyed, caused_by), context
        )


def _record(
    session: Session, body: CreateProposalBody, computed: ComputedVersion, origin: Origin, context: CommandContext
) -> Recorded:
    proposal = _proposal(body.metadata, computed, context)
    session.add(proposal)
    version = add_version(session, proposal.proposal_id, 1, computed, context, origin)
    event = event_row(
        proposal.proposal_id,
        ProposalEvent.CREATED,
        (None, ProposalState.DRAFT),
        context,
        reason={"correlation_id": context.correlation_id},
        version_no=1,
    )
    session.add(event)
    keep_key(session, CREATES, origin.keyed, event, context)
    count(session, proposal.tenant_id, Counter.PROPOSALS, proposal.current_state)
    session.flush()
    told = ((EventType.TRACE_STARTED, trace_started(proposal)), *version_made(version, computed))
    append_proposal_events(session, proposal.proposal_id, version.proposal_version_id, told, context)
    return Recorded.of(event)


def _proposal(metadata: ProposalMetadataBody, computed: ComputedVersion, context: CommandContext) -> Proposal:
    return Proposal(
        tenant_id=context.actor.tenant_id,
        proposal_id=new_id("pp_", ID_DIGITS),
        portfolio_id=computed.portfolio_id,
        mandate_id=metadata.mandate_id,
        jurisdiction=metadata.jurisdiction,
        title=metadata.title,
        advisor_notes=metadata.advisor_notes,
        created_by=context.actor.decider_id,
        recorded_by=context.actor.actor_id,
        created_at=context.now,
        last_event_at=context.now,
        current_state=ProposalState.DRAFT.value,
        current_version_no=1,
    )
