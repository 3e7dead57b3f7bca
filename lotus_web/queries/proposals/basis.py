"""What a new proposal starts from: the newest portfolio, prices and shelf that are stored of a portfolio (proposals-api §5.1)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from lotus_web.domain.proposals.refusals import ProposalVersionNotFound
from lotus_web.models import Proposal, Run, RunPayload
from lotus_web.queries.proposals.lookup import proposal_version
from lotus_web.wire.packed import unpack_document

Document = Mapping[str, Any]
RUN, PROPOSAL = "run", "proposal"
CASH = "CASH"
# What a proposal takes over from what is stored; its trades and cash flows are its own.
TAKEN = ("portfolio_snapshot", "market_data_snapshot", "shelf_entries", "options", "reference_model")


@dataclass(frozen=True, slots=True)
class Basis:
    """A stored request: the run or version it came with, when that was recorded, and what a proposal takes over from it."""

    kind: str
    record_id: str
    version_no: int | None
    recorded_at: datetime
    inputs: Document

    @property
    def reference(self) -> str:
        """Return what names the basis in a form."""
        number = "" if self.version_no is None else f":{self.version_no}"
        return f"{self.kind}{number}:{self.record_id}"

    @property
    def portfolio_id(self) -> str:
        """The portfolio."""
        name: str = self.inputs["portfolio_snapshot"]["portfolio_id"]
        return name

    def cash(self) -> list[tuple[str, Decimal]]:
        """Return currencies and balances."""
        rows = self.inputs["portfolio_snapshot"].get("cash_balances", ())
        return [(row["currency"], Decimal(str(row["amount"]))) for row in rows]

    def price_currencies(self) -> dict[str, str]:
        """Return the currency of each instrument's price."""
        return {row["instrument_id"]: row["currency"] for row in self.inputs["market_data_snapshot"]["prices"]}


def recent_portfolios(session: Session, tenant_id: str, *, limit: int) -> list[str]:
    """Return the portfolios of the newest proposals and runs, each once, sorted by name. Two queries."""
    newest = [
        select(table.portfolio_id)
        .where(table.tenant_id == tenant_id)
        .order_by(table.created_at.desc(), key.desc())
        .limit(limit)
        for table, key in ((Proposal, Proposal.proposal_id), (Run, Run.rebalance_run_id))
    ]
    return sorted({name for query in newest for name in session.scalars(query)})


def newest_basis(
    session: Session, tenant_id: str, portfolio_id: str, *, proposal_id: str | None = None
) -> Basis | None:
    """Return the newest stored request of a portfolio, of a run or of a proposal; None where there is none.

    Of proposals the one that was created last counts, and ``proposal_id`` where a version of it is made.
    """
    found = [_run_basis(session, tenant_id, Run.portfolio_id == portfolio_id)]
    found += [_proposal_basis(session, tenant_id, Proposal.portfolio_id == portfolio_id)]
    if proposal_id is not None:
        found += [_proposal_basis(session, tenant_id, Proposal.proposal_id == proposal_id)]
    return max((basis for basis in found if basis is not None), key=lambda basis: basis.recorded_at, default=None)


def named_basis(session: Session, tenant_id: str, reference: str) -> Basis | None:
    """Return the basis that a form names; None where it is no longer stored."""
    kind, _, rest = reference.partition(":")
    if kind == RUN:
        return _run_basis(session, tenant_id, Run.rebalance_run_id == rest)
    number, _, proposal_id = rest.partition(":")
    if kind != PROPOSAL or not (number.isascii() and number.isdigit()) or len(number) > 9:
        return None
    return _of_version(session, tenant_id, proposal_id, int(number))


def _run_basis(session: Session, tenant_id: str, condition: ColumnElement[bool]) -> Basis | None:
    query = (
        select(Run.rebalance_run_id, Run.created_at, RunPayload.request)
        .join(
            RunPayload,
            (RunPayload.tenant_id == Run.tenant_id) & (RunPayload.rebalance_run_id == Run.rebalance_run_id),
        )
        .where(Run.tenant_id == tenant_id, condition)
        .order_by(Run.created_at.desc(), Run.rebalance_run_id.desc())
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    request = unpack_document(row.request)
    inputs = {name: request[name] for name in TAKEN if name in request}
    inputs["reference_model"] = _model_of_run(row.rebalance_run_id, row.created_at, request)
    return Basis(RUN, row.rebalance_run_id, None, row.created_at, inputs)


def _model_of_run(run_id: str, recorded_at: datetime, request: Document) -> Document:
    """Return a run's model as the one that drift is measured against; what it does not invest is cash."""
    targets: Sequence[Document] = request["model_portfolio"]["targets"]
    classes = {row["instrument_id"]: row.get("asset_class", "UNKNOWN") for row in request["shelf_entries"]}
    by_class: dict[str, Decimal] = defaultdict(Decimal)
    for row in targets:
        by_class[classes.get(row["instrument_id"], "UNKNOWN")] += Decimal(str(row["weight"]))
    rest = 1 - sum(by_class.values())
    if rest > 0:
        by_class[CASH] += rest
    return {
        "model_id": f"Model of run {run_id}",
        "as_of": f"{recorded_at:%Y-%m-%d}",
        "base_currency": request["portfolio_snapshot"]["base_currency"],
        "asset_class_targets": [{"asset_class": name, "weight": str(weight)} for name, weight in by_class.items()],
        "instrument_targets": [
            {"instrument_id": row["instrument_id"], "weight": str(row["weight"])} for row in targets
        ],
    }


def _proposal_basis(session: Session, tenant_id: str, condition: ColumnElement[bool]) -> Basis | None:
    query = (
        select(Proposal.proposal_id, Proposal.current_version_no)
        .where(Proposal.tenant_id == tenant_id, condition)
        .order_by(Proposal.created_at.desc(), Proposal.proposal_id.desc())
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else _of_version(session, tenant_id, row.proposal_id, row.current_version_no)


def _of_version(session: Session, tenant_id: str, proposal_id: str, version_no: int) -> Basis | None:
    """Return a version's basis; None where its evidence was not stored."""
    try:
        found = proposal_version(session, tenant_id, proposal_id, version_no)
    except ProposalVersionNotFound:
        return None
    inputs = json.loads(found.evidence).get("inputs")
    if inputs is None:
        return None
    taken = {name: inputs[name] for name in TAKEN if name in inputs}
    return Basis(PROPOSAL, proposal_id, version_no, found.row.created_at, taken)
