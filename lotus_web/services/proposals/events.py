"""What a proposal says in the tenant's log: one trace holds all its versions, its id is the proposal's (workflow.md §1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.events.envelope import SOURCE, EventDraft, EventType, own_event_key
from lotus_web.domain.proposals.reviews import POLICY_ID
from lotus_web.domain.proposals.states import ProposalEvent, ProposalState
from lotus_web.domain.rebalance.values.codes import Gate
from lotus_web.models import Proposal, ProposalEventRow, ProposalVersion
from lotus_web.services.command import CommandContext
from lotus_web.services.events.log import append_events, trace_history
from lotus_web.services.proposals.compute import ComputedVersion
from lotus_web.store.new_ids import new_id

VIOLATIONS_MAX = 50  # a payload is bounded, a portfolio is not
_DECISIONS = {
    Gate.BLOCKED: "deny",
    Gate.RISK_REVIEW_REQUIRED: "require_exception",
    Gate.COMPLIANCE_REVIEW_REQUIRED: "require_exception",
}
# How a trace ends; a proposal that was turned down ends in failure, one that nobody wants any more is abandoned.
OUTCOMES = {
    ProposalState.EXECUTED: "success",
    ProposalState.REJECTED: "failure",
    ProposalState.CANCELLED: "abandoned",
    ProposalState.EXPIRED: "abandoned",
}

COMMITTED = frozenset(
    {
        ProposalEvent.CLIENT_CONSENT_RECORDED,
        ProposalEvent.EXECUTED,
        ProposalEvent.CANCELLED,
        ProposalEvent.EXPIRED,
    }
)

Payloads = Sequence[tuple[EventType, Mapping[str, Any]]]


def append_proposal_events(
    session: Session, proposal_id: str, key: str, payloads: Payloads, context: CommandContext
) -> None:
    """Append events of one step to the proposal's trace; ``key`` is the id of what they tell of."""
    drafts = [
        EventDraft(
            event_id=new_id("evt_"),
            tenant_id=context.actor.tenant_id,
            trace_id=proposal_id,
            event_type=event_type,
            occurred_at=context.now,
            source=SOURCE,
            actor={"actor_type": context.actor.actor_type.value, "actor_id": context.actor.decider_id},
            idempotency_key=own_event_key(key, event_type),
            payload=payload,
            correlation_id=context.correlation_id,
        )
        for event_type, payload in payloads
    ]
    if drafts:
        history = trace_history(session, drafts)
        append_events(session, drafts, history, defaults=context.policy.defaults, now=context.now)


def proposal_title(proposal: Proposal) -> str:
    """Return what a proposal is called where it has no title."""
    return proposal.title or f"Proposal {proposal.portfolio_id}"


def trace_started(proposal: Proposal) -> dict[str, Any]:
    """Return the payload that says what a proposal's trace is about."""
    return {
        "workflow": "proposal",
        "title": proposal_title(proposal),
        "primary_entity": {"entity_type": "portfolio", "entity_id": proposal.portfolio_id},
    }


def version_made(version: ProposalVersion, computed: ComputedVersion) -> Payloads:
    """Return what a new version means for the log: what the rules said of it, and that it is proposed."""
    return (
        (EventType.POLICY_EVALUATED, policy_evaluated(version, computed)),
        (EventType.ACTION_PROPOSED, {"action_id": version.proposal_version_id, **_locators(version)}),
    )


def _locators(version: ProposalVersion) -> dict[str, Any]:
    return {
        "proposal_id": version.proposal_id,
        "version_no": version.version_no,
        "artifact_hash": version.artifact_hash,
    }


def policy_evaluated(version: ProposalVersion, computed: ComputedVersion) -> dict[str, Any]:
    """Return the payload that says what the rules said of a version, with locators of the evidence and no copy of it."""
    found = list(_violations(computed.result))
    return {
        "policy": {"policy_id": POLICY_ID, "policy_version": version.engine_version},
        "inputs": {**_locators(version), "request_hash": version.request_hash},
        "decision": _DECISIONS.get(computed.gate, "allow"),
        "violations": found[:VIOLATIONS_MAX],
        "violation_count": len(found),
    }


def _violations(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rules that failed and the suitability findings that are new."""
    for rule in result["rule_results"]:
        if rule["status"] == "FAIL":
            yield {name: rule[name] for name in ("rule_id", "severity", "reason_code", "measured", "threshold")}
    scan = result["suitability"]
    for issue in scan["issues"] if scan else ():
        if issue["status_change"] == "NEW":
            yield {"rule_id": issue["issue_id"], "severity": issue["severity"], "reason_code": issue["dimension"]}


def step_taken(version: ProposalVersion, event: ProposalEventRow) -> Payloads:
    """Return what consent, execution, cancellation, expiry and the end of a proposal mean for the log."""
    after = ProposalState(event.to_state)
    payloads: list[tuple[EventType, Mapping[str, Any]]] = []
    if event.event_type in COMMITTED:
        committed = {"action_id": version.proposal_version_id, "step": event.event_type, **_locators(version)}
        payloads.append((EventType.ACTION_COMMITTED, committed))
    if after in OUTCOMES:
        payloads.append((EventType.TRACE_FINISHED, {"outcome": OUTCOMES[after], "proposal_state": after.value}))
    return payloads
