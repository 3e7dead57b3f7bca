"""Proposals for tests: made, versioned and carried on through the services, so that no impossible one exists."""

from __future__ import annotations

import copy
import itertools
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.domain.access import Actor, ActorType, Permission
from lotus_web.domain.proposals.rules import Expected, ProposalRules
from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent, ProposalState
from lotus_web.domain.surface import Surface
from lotus_web.services.command import CommandContext
from lotus_web.services.decisions.approvals import approve_proposal, transition_proposal
from lotus_web.services.proposals.create import create_proposal
from lotus_web.services.proposals.keys import Keyed, Recorded
from lotus_web.services.proposals.steps import Asked
from lotus_web.services.proposals.versions import create_version
from lotus_web.store.session import transaction
from lotus_web.wire.proposals.lifecycle import CreateProposalBody, ProposalVersionBody
from tests.support.histories import NOW

DEMOS = Path(__file__).parents[1] / "data" / "advisory-demos"
ADVISER = Actor(ActorType.PERSON, "leo.marti", "default", frozenset({Permission.RUNS_READ, Permission.PROPOSALS_WRITE}))
RISK = Actor(ActorType.PERSON, "rosa.risk", "default", frozenset({Permission.RUNS_READ, Permission.WORKFLOW_REVIEW}))
LENIENT = ProposalRules(require_expected_state=False)
_numbers = itertools.count(1)


def demo(number: int) -> dict[str, Any]:
    """Return one of the sample payloads."""
    (path,) = DEMOS.glob(f"{number}_*.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def create_json(**changes: Any) -> dict[str, Any]:
    """Return a small proposal in which one purchase waits for a risk review."""
    return copy.deepcopy(demo(20)) | changes


def version_json(**changes: Any) -> dict[str, Any]:
    """Return a version of it with a larger purchase."""
    return copy.deepcopy(demo(21)) | changes


def blocked(body: dict[str, Any]) -> dict[str, Any]:
    """Return a create or version in which a sale exceeds what is held, so that it is BLOCKED."""
    body = copy.deepcopy(body)
    held = body["simulate_request"]["portfolio_snapshot"]["positions"][0]["instrument_id"]
    body["simulate_request"]["proposed_trades"] = [{"side": "SELL", "instrument_id": held, "quantity": "1000000"}]
    return body


def called(text: str) -> dict[str, Any]:
    """Return a proposal in which everything is called ``text``."""
    body = create_json()
    request = body["simulate_request"]
    request["portfolio_snapshot"] |= {"portfolio_id": text, "snapshot_id": text}
    request["market_data_snapshot"]["snapshot_id"] = text
    currency = request["portfolio_snapshot"]["base_currency"]
    request["market_data_snapshot"]["prices"].append({"instrument_id": text, "price": "10", "currency": currency})
    request["shelf_entries"].append(
        {"instrument_id": text, "status": "APPROVED", "asset_class": text, "issuer_id": text, "liquidity_tier": "L5"}
    )
    request["proposed_trades"] = [{"side": "BUY", "instrument_id": text, "quantity": "200"}]
    request["proposed_cash_flows"] = [{"currency": currency, "amount": "5000", "description": text}]
    request["reference_model"] = {
        "model_id": text,
        "as_of": text,
        "base_currency": currency,
        "asset_class_targets": [{"asset_class": text, "weight": "1"}],
        "instrument_targets": [{"instrument_id": text, "weight": "1"}],
    }
    metadata = dict.fromkeys(("title", "advisor_notes", "jurisdiction", "mandate_id"), text)
    return {"simulate_request": request, "metadata": metadata}


def context_of(actor: Actor = ADVISER, rules: ProposalRules | None = None) -> CommandContext:
    """Return the context of a command a minute after the one before."""
    number = next(_numbers)
    policy = DeploymentPolicy(proposals=rules or ProposalRules())
    return CommandContext(actor, Surface.RFC, f"corr-{number}", NOW + timedelta(minutes=number), policy)


def proposed(
    actor: Actor = ADVISER, *, key: str | None = None, rules: ProposalRules | None = None, **changes: Any
) -> Recorded:
    """Create a proposal."""
    body = CreateProposalBody.model_validate(create_json(**changes))
    return create_proposal(body, idempotency_key=key or f"key-{next(_numbers)}", context=context_of(actor, rules))


def versioned(
    proposal_id: str,
    actor: Actor = ADVISER,
    *,
    key: str | None = None,
    rules: ProposalRules | None = None,
    **changes: Any,
) -> Recorded:
    """Add a version."""
    body = ProposalVersionBody.model_validate(version_json(**changes))
    return create_version(proposal_id, body, idempotency_key=key, context=context_of(actor, rules))


def posted(
    proposal_id: str, event: ProposalEvent, actor: Actor = ADVISER, *, rules: ProposalRules = LENIENT, **asked: Any
) -> Recorded:
    """Post an event."""
    with transaction() as session:
        return transition_proposal(session, proposal_id, event, _asked(**asked), context_of(actor, rules))


def approved(
    proposal_id: str,
    approval: ApprovalType,
    actor: Actor = RISK,
    *,
    given: bool = True,
    rules: ProposalRules = LENIENT,
    **asked: Any,
) -> Recorded:
    """Record an approval that is given or withheld."""
    with transaction() as session:
        return approve_proposal(
            session, proposal_id, approval, _asked(**asked), context_of(actor, rules), approved=given
        )


def _asked(
    *,
    state: ProposalState | None = None,
    version_no: int | None = None,
    key: str | None = None,
    request_hash: str = "sha256:asked",
    reason: dict[str, Any] | None = None,
) -> Asked:
    return Asked(Keyed(request_hash, key), Expected(state, version_no), reason or {})


STEPS: dict[ProposalState, tuple[ProposalEvent | ApprovalType, ...]] = {
    ProposalState.DRAFT: (),
    ProposalState.RISK_REVIEW: (ProposalEvent.SUBMITTED_FOR_RISK_REVIEW,),
    ProposalState.COMPLIANCE_REVIEW: (ProposalEvent.SUBMITTED_FOR_COMPLIANCE_REVIEW,),
    ProposalState.AWAITING_CLIENT_CONSENT: (ProposalEvent.SUBMITTED_FOR_RISK_REVIEW, ApprovalType.RISK),
    ProposalState.EXECUTION_READY: (
        ProposalEvent.SUBMITTED_FOR_RISK_REVIEW,
        ApprovalType.RISK,
        ApprovalType.CLIENT_CONSENT,
    ),
    ProposalState.CANCELLED: (ProposalEvent.CANCELLED,),
    ProposalState.REJECTED: (ProposalEvent.SUBMITTED_FOR_RISK_REVIEW, ProposalEvent.REJECTED),
}
STEPS[ProposalState.EXECUTED] = (*STEPS[ProposalState.EXECUTION_READY], ProposalEvent.EXECUTED)
STEPS[ProposalState.EXPIRED] = (*STEPS[ProposalState.EXECUTION_READY], ProposalEvent.EXPIRED)


def led_to(proposal_id: str, state: ProposalState) -> str:
    """Carry a draft on to a state and return its id."""
    for step in STEPS[state]:
        if isinstance(step, ApprovalType):
            approved(proposal_id, step, ADVISER if step is ApprovalType.CLIENT_CONSENT else RISK)
        else:
            posted(proposal_id, step, RISK if step is ProposalEvent.REJECTED else ADVISER)
    return proposal_id
