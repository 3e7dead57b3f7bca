"""Request bodies that can be sent as they are, by the name of their model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lotus_web.domain.items.subjects import SubjectType, item_id

RUN_ID = "rr_4f8c1a2e"
CORRELATION_ID = "corr_9d1f03b7a652"
KEY = "pf-1042-2026-03-02-close"
PORTFOLIO = "pf-1042"
REVIEWER = "rosa.reviewer"
ADVISER = "leo.adviser"
WORKFLOW_ID = item_id(CORRELATION_ID, SubjectType.RUN, RUN_ID)
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

SNAPSHOT: dict[str, Any] = {
    "portfolio_snapshot": {
        "portfolio_id": PORTFOLIO,
        "base_currency": "SGD",
        "positions": [{"instrument_id": "UOB_EQ", "quantity": "600"}],
        "cash_balances": [{"currency": "SGD", "amount": "40000.00"}],
    },
    "market_data_snapshot": {
        "snapshot_id": "md-2026-03-02",
        "prices": [
            {"instrument_id": "UOB_EQ", "price": "100.00", "currency": "SGD"},
            {"instrument_id": "DBS_EQ", "price": "50.00", "currency": "SGD"},
        ],
        "fx_rates": [],
    },
    "model_portfolio": {
        "targets": [{"instrument_id": "UOB_EQ", "weight": "0.50"}, {"instrument_id": "DBS_EQ", "weight": "0.40"}]
    },
    "shelf_entries": [
        {"instrument_id": "UOB_EQ", "status": "APPROVED", "asset_class": "EQUITY"},
        {"instrument_id": "DBS_EQ", "status": "APPROVED", "asset_class": "EQUITY"},
    ],
}
# Ten percent stay in cash where the band ends at five: a run that waits for a person.
SIMULATE: dict[str, Any] = SNAPSHOT | {"options": {"cash_band_max_weight": "0.05"}}
# A part of the cash goes into an instrument that is bought in another currency.
PROPOSE: dict[str, Any] = {
    "portfolio_snapshot": SNAPSHOT["portfolio_snapshot"],
    "market_data_snapshot": {
        "snapshot_id": "md-2026-03-02",
        "prices": [
            *SNAPSHOT["market_data_snapshot"]["prices"],
            {"instrument_id": "US_EQ_ETF", "price": "100.00", "currency": "USD"},
        ],
        "fx_rates": [{"pair": "USD/SGD", "rate": "1.35"}],
    },
    "shelf_entries": [
        *SNAPSHOT["shelf_entries"],
        {"instrument_id": "US_EQ_ETF", "status": "APPROVED", "asset_class": "EQUITY"},
    ],
    "options": {"enable_proposal_simulation": True},
    "proposed_cash_flows": [],
    "proposed_trades": [{"side": "BUY", "instrument_id": "US_EQ_ETF", "quantity": "60"}],
}
CREATE_PROPOSAL: dict[str, Any] = {
    "created_by": ADVISER,
    "simulate_request": PROPOSE,
    "metadata": {"title": "More US equity", "mandate_id": "mandate-7", "jurisdiction": "SG"},
}
ANALYZE: dict[str, Any] = SNAPSHOT | {
    "scenarios": {
        "baseline": {"description": "as the model has it", "options": {}},
        "slow": {"options": {"max_turnover_pct": "0.10"}},
    }
}
EVENT: dict[str, Any] = {
    "event_id": "evt-7f21",
    "tenant_id": "default",
    "trace_id": "credit-case-88",
    "trace_seq": 0,
    "event_type": "TraceStarted",
    "occurred_at": "2026-03-02T09:30:00Z",
    "source": {"system": "credit-desk", "producer_id": "credit-desk-1"},
    "actor": {"actor_type": "service_account", "actor_id": "credit-desk"},
    "idempotency_key": "credit-case-88:0",
    "payload": {
        "workflow": "credit_limit",
        "title": "Limit of client 88",
        "primary_entity": {"entity_type": "client", "entity_id": "88"},
    },
}

BODIES: dict[str, dict[str, Any]] = {
    "RebalanceRequestBody": SIMULATE,
    "BatchRequestBody": ANALYZE,
    "BatchOperationBody": ANALYZE,
    "SimulateRequestBody": PROPOSE,
    "CreateProposalBody": CREATE_PROPOSAL,
    "CreateProposalOperationBody": CREATE_PROPOSAL,
    "ProposalVersionBody": {"created_by": ADVISER, "simulate_request": PROPOSE},
    "ProposalVersionOperationBody": {"created_by": ADVISER, "simulate_request": PROPOSE},
    "TransitionBody": {
        "event_type": "SUBMITTED_FOR_RISK_REVIEW",
        "actor_id": ADVISER,
        "expected_state": "DRAFT",
        "related_version_no": 1,
        "reason": {"comment": "Ready for review."},
    },
    "ProposalApprovalRequest": {
        "approval_type": "RISK",
        "approved": True,
        "actor_id": REVIEWER,
        "expected_state": "RISK_REVIEW",
        "related_version_no": 1,
        "details": {"comment": "Within the mandate."},
    },
    "EventBody": EVENT,
    "ActionBody": {
        "action": "approve",
        "reason": "The client asked for the cash.",
        "reason_code": "REVIEW_APPROVED",
        "version": 2,
    },
    "NextBody": {"skip": WORKFLOW_ID},
    "StartBody": {
        "template_id": "precedent_gap_review",
        "reason": "Nothing like it was decided before.",
        "priority": "normal",
    },
}
