"""The demo's proposals: one or two in every state, one blocked, one with three versions, a refused approval and a refused consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.demo.actors import STAFF
from lotus_web.demo.portfolios import DemoRun
from lotus_web.demo.story import LENA, NORA, TOMAS
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.proposals.refusals import BLOCKED
from lotus_web.domain.proposals.steps import STEPS
from lotus_web.domain.surface import Surface
from lotus_web.queries.proposals.basis import Basis, newest_basis
from lotus_web.services.command import CommandContext
from lotus_web.services.decisions.approvals import take_step
from lotus_web.services.operations.leases import LeaseTerms, claim_operation
from lotus_web.services.proposals.create import create_proposal
from lotus_web.services.proposals.keys import Keyed
from lotus_web.services.proposals.operation import submit_create
from lotus_web.services.proposals.steps import Asked
from lotus_web.services.proposals.versions import create_version
from lotus_web.store.session import db, transaction
from lotus_web.wire.proposals.lifecycle import CreateProposalBody, ProposalVersionBody

# Portfolios about which nothing is wrong, so that a proposal is about its own trades.
READY = "READY"
Trades = tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Version:
    """A version: trades as (side, place of the position, the largest first, share of what is held of it), and money paid in or out.

    ``position_limit`` is the suitability limit of one position, as a share of the portfolio; ``made`` is in minutes after the
    proposal was.
    """

    trades: Trades
    flow: int = 0
    description: str = ""
    position_limit: str = "0.40"
    made: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that someone took, in minutes after the proposal was made."""

    minute: int
    actor: str
    step: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class DemoProposal:
    """A proposal, how many minutes ago it was made, and what happened to it."""

    title: str
    minutes_ago: int
    versions: tuple[Version, ...]
    taken: tuple[Taken, ...] = ()
    notes: str = ""


TRIM = Version((("SELL", 0, "0.10"), ("BUY", 2, "0.08")))
_RISK, _COMPLIANCE = Taken(9, LENA, "submit_risk"), Taken(9, LENA, "submit_compliance")
_APPROVED = Taken(41, NORA, "approve_risk", "Within the mandate.")
_CONSENT = Taken(190, LENA, "consent", "By phone, recorded.")
PROPOSALS = (
    DemoProposal("Trim the largest position", 12, (TRIM,), notes="The client is away until Thursday."),
    DemoProposal(
        "Double the second position",
        25,
        (Version((("BUY", 1, "4.0"),)),),
        notes="Not enough cash for all of it: find out how much the client can pay in.",
    ),
    DemoProposal(
        "Invest the bonus",
        52,
        (Version((("BUY", 0, "0.05"), ("BUY", 1, "0.05")), 60_000, "Annual bonus", position_limit="0.10"),),
        (_RISK,),
    ),
    DemoProposal(
        "Move the largest position into a smaller one",
        95,
        (Version((("SELL", 0, "0.35"), ("BUY", 6, "0.55")), position_limit="0.13"),),
        (_COMPLIANCE,),
        notes="The client prefers the smaller holding and knows that it becomes the largest.",
    ),
    DemoProposal("Back to the model", 260, (Version((("SELL", 0, "0.05"), ("BUY", 3, "0.06"))),), (_RISK, _APPROVED)),
    DemoProposal(
        "Pay out for the flat",
        420,
        (Version((("SELL", 0, "0.08"), ("SELL", 1, "0.08")), -40_000, "Deposit on a flat"),),
        (_RISK, _APPROVED, _CONSENT),
    ),
    DemoProposal(
        "Invest the maturity",
        1_500,
        (Version((("BUY", 2, "0.10"), ("BUY", 3, "0.10")), 80_000, "Bond that matured"),),
        (_RISK, _APPROVED, _CONSENT, Taken(260, LENA, "execute", "All orders filled.")),
    ),
    DemoProposal(
        "Halve the smallest position",
        1_800,
        (Version((("SELL", 3, "0.50"),)),),
        (_RISK, Taken(66, TOMAS, "reject_risk", "This leaves the mandate. Propose a switch instead.")),
    ),
    DemoProposal(
        "Raise cash for the tax bill",
        2_100,
        (Version((("SELL", 1, "0.12"),), -30_000, "Tax bill"),),
        (Taken(130, LENA, "cancel", "The client pays it from another account."),),
    ),
    DemoProposal(
        "Buy before the quarter ends",
        4_300,
        (Version((("BUY", 0, "0.03"),)),),
        (_RISK, _APPROVED, _CONSENT, Taken(1_900, LENA, "expire", "The quarter ended before the orders were sent.")),
    ),
    DemoProposal(
        "Spread the largest position",
        5_200,
        (
            Version((("SELL", 0, "0.20"), ("BUY", 2, "0.20"))),
            Version((("SELL", 0, "0.25"), ("BUY", 2, "0.15"), ("BUY", 3, "0.10")), made=900),
            Version((("SELL", 0, "0.30"), ("BUY", 2, "0.20"), ("BUY", 3, "0.15")), -5_000, "Fees", made=5_080),
        ),
        (_RISK, _APPROVED, Taken(5_095, LENA, "submit_risk", "The client asked to go further.")),
        notes="The client asked for a bolder step twice.",
    ),
    DemoProposal(
        "Switch into the substitute",
        6_900,
        (Version((("SELL", 1, "0.15"), ("BUY", 0, "0.10"))),),
        (_RISK, _APPROVED, Taken(1_300, LENA, "refuse", "The client wants to wait for the results.")),
    ),
)


# Proposals that were submitted as operations and are being made while the demo opens.
SUBMITTED = ("Invest the dividend", "Sell a tenth of the second position")
SUBMITTED_VERSIONS = (Version((("BUY", 0, "0.02"),), 20_000, "Dividend"), Version((("SELL", 1, "0.10"),)))


def load_running_operations(
    runs: Sequence[DemoRun], *, policy: DeploymentPolicy, terms: LeaseTerms, now: datetime
) -> int:
    """Submit two proposals as operations that a worker has taken up, and return how many; the jobs process ends them."""
    ready = [run.portfolio_id for run in runs if run.expected_status == READY]
    for number, (title, version) in enumerate(zip(SUBMITTED, SUBMITTED_VERSIONS, strict=True) if ready else ()):
        basis = newest_basis(db.session(), DEFAULT_TENANT, ready[number % len(ready)])
        assert basis is not None, "the run was loaded before"
        db.session.rollback()
        correlation_id = f"corr_demo_submitted_{number}"
        accepted = submit_create(
            _body(title, "", _request(basis, version)),
            idempotency_key=f"demo-submitted-{number}",
            callback_url=None,
            context=CommandContext(STAFF[LENA], Surface.FORM, correlation_id, now, policy),
            terms=terms,
            inline=False,
            clock=lambda: now,
        )
        with transaction() as session:
            claim_operation(session, DEFAULT_TENANT, accepted.operation_id, terms=terms, now=now)
    return len(SUBMITTED) if ready else 0


def _body(title: str, notes: str, request: Mapping[str, Any]) -> CreateProposalBody:
    metadata = {"title": title, "advisor_notes": notes or None, "jurisdiction": "SG"}
    return CreateProposalBody.model_validate({"created_by": LENA, "simulate_request": request, "metadata": metadata})


def load_proposals(runs: Sequence[DemoRun], *, policy: DeploymentPolicy, now: datetime) -> int:
    """Make every proposal on a portfolio of its own, oldest first, and return how many; none where no run is ready.

    Each is made and carried on by commands of its own, as over the wire.
    """
    ready = [run.portfolio_id for run in runs if run.expected_status == READY][::-1]
    oldest_first = sorted(enumerate(PROPOSALS), key=lambda pair: -pair[1].minutes_ago)
    for number, proposal in oldest_first if ready else ():
        _load(number, proposal, ready[number % len(ready)], policy, now - timedelta(minutes=proposal.minutes_ago))
    return len(PROPOSALS) if ready else 0


def _load(number: int, proposal: DemoProposal, portfolio_id: str, policy: DeploymentPolicy, made_at: datetime) -> None:
    basis = newest_basis(db.session(), DEFAULT_TENANT, portfolio_id)
    assert basis is not None, "the run was loaded before"
    db.session.rollback()

    def context(actor: str, minute: int) -> CommandContext:
        at, correlation = made_at + timedelta(minutes=minute), f"corr_demo_proposal_{number}_{minute}"
        return CommandContext(STAFF[actor], Surface.FORM, correlation, at, policy)

    first, *later = proposal.versions
    body = _body(proposal.title, proposal.notes, _request(basis, first))
    made = create_proposal(body, idempotency_key=f"demo-proposal-{number}", context=context(LENA, 0))
    happened: list[tuple[int, Version | Taken]] = [(one.made, one) for one in later]
    happened += [(one.minute, one) for one in proposal.taken]
    for minute, one in sorted(happened, key=lambda pair: pair[0]):
        if isinstance(one, Version):
            again = ProposalVersionBody.model_validate({"created_by": LENA, "simulate_request": _request(basis, one)})
            create_version(made.proposal_id, again, idempotency_key=None, context=context(LENA, minute))
            continue
        try:
            _take(made.proposal_id, one, context(one.actor, minute), policy)
        except InvalidInput as refused:
            if refused.code != BLOCKED:
                raise
            # Of a few runs only, a portfolio may lack what a proposal needs: it stays a draft, as it would for an adviser.
            return


def _take(proposal_id: str, taken: Taken, context: CommandContext, policy: DeploymentPolicy) -> None:
    step, reason = STEPS[taken.step], {"comment": taken.comment} if taken.comment else {}
    # What the steps start from follows from their order, so none need say it.
    lenient = replace(
        context, policy=replace(policy, proposals=replace(policy.proposals, require_expected_state=False))
    )
    with transaction() as session:
        take_step(session, proposal_id, step, Asked(Keyed(""), reason=reason), lenient)


def _request(basis: Basis, version: Version) -> dict[str, Any]:
    """Return the simulation request of a version; its limits are those of the portfolio's mandate."""
    options: Mapping[str, Any] = basis.inputs.get("options", {})
    snapshot = basis.inputs["portfolio_snapshot"]
    band = {name: options[name] for name in ("cash_band_min_weight", "cash_band_max_weight") if name in options}
    limits = {"single_position_max_weight": version.position_limit, "issuer_max_weight": "1", **band}
    held = _largest_first(basis)
    return {
        **basis.inputs,
        "options": {**options, "enable_proposal_simulation": True, "suitability_thresholds": limits},
        "proposed_trades": [
            {
                "side": side,
                "instrument_id": held[place % len(held)][0],
                "quantity": _part(held[place % len(held)][1], share),
            }
            for side, place, share in version.trades
        ],
        "proposed_cash_flows": [
            {"currency": snapshot["base_currency"], "amount": version.flow, "description": version.description}
        ]
        if version.flow
        else [],
    }


def _largest_first(basis: Basis) -> list[tuple[str, Decimal]]:
    """Return instruments and quantities by their value, which is compared in the currencies of their prices."""
    prices = {
        row["instrument_id"]: Decimal(str(row["price"])) for row in basis.inputs["market_data_snapshot"]["prices"]
    }
    rows = basis.inputs["portfolio_snapshot"]["positions"]
    held = [(row["instrument_id"], Decimal(str(row["quantity"]))) for row in rows]
    return sorted(held, key=lambda row: (-row[1] * prices.get(row[0], Decimal(0)), row[0]))


def _part(quantity: Decimal, share: str) -> str:
    return str(max(Decimal(1), (quantity * Decimal(share)).to_integral_value(ROUND_DOWN)))
