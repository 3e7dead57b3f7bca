"""Examples that hold together: one small run of the real engine, and around it values that read as they do in use."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import BaseModel

from lotus_web.api.openapi.schemas import Schema, SchemaBook, name_of
from lotus_web.domain.artifact import artifact_document
from lotus_web.domain.idents import artifact_id, exception_workflow_id
from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.wire.rebalance_request import BatchRequestBody, RebalanceRequestBody, request_hash
from lotus_web.wire.rebalance_result import result_document

RUN_ID = "rr_4f8c1a2e"
CORRELATION_ID = "corr_9d1f03b7a652"
KEY = "pf-1042-2026-03-02-close"
PORTFOLIO = "pf-1042"
CREATED_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
STAMP = CREATED_AT.isoformat(timespec="microseconds")
DEEPEST = 8

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
SIMULATE: dict[str, Any] = SNAPSHOT | {"options": {"cash_band_max_weight": "0.05"}}
ANALYZE: dict[str, Any] = SNAPSHOT | {
    "scenarios": {
        "baseline": {"description": "as the model has it", "options": {}},
        "slow": {"options": {"max_turnover_pct": "0.10"}},
    }
}
BODIES: dict[str, Any] = {RebalanceRequestBody.__name__: SIMULATE, BatchRequestBody.__name__: ANALYZE}


@cache
def known() -> dict[str, Any]:
    """Return what is known by the name of a schema or of a member, taken from a run of the engine."""
    body = RebalanceRequestBody.model_validate(SIMULATE)
    digest = request_hash(body)
    run = rebalance(
        body.to_domain(), run_id=RUN_ID, correlation_id=CORRELATION_ID, request_hash=digest, idempotency_key=KEY
    )
    result = result_document(run)
    artifact = artifact_document(
        result, request_hash=digest, idempotency_key=KEY, portfolio_id=PORTFOLIO, created_at=CREATED_AT
    )
    return {
        "RebalanceResult": result,
        "ArtifactBody": artifact,
        "State": result["before"],
        "Diagnostics": result["diagnostics"],
        "request_hash": digest,
        "artifact_hash": artifact["evidence"]["hashes"]["artifact_hash"],
        "engine_version": artifact["evidence"]["engine_version"],
    } | NAMED


NAMED: dict[str, Any] = {
    "rebalance_run_id": RUN_ID,
    "run_id": RUN_ID,
    "correlation_id": CORRELATION_ID,
    "idempotency_key": KEY,
    "portfolio_id": PORTFOLIO,
    "artifact_id": artifact_id(RUN_ID),
    "batch_run_id": "batch_7b20c9d4",
    "operation_id": "dop_2c9e51ab8f04",
    "operation_type": "ANALYZE_SCENARIOS",
    "status_url": "/api/v1/rebalance/operations/dop_2c9e51ab8f04",
    "decision_id": "dwd_81b2f6c0d937",
    "reason_code": "REVIEW_APPROVED",
    "comment": "Within the mandate.",
    "actor_id": "rosa.reviewer",
    "account_id": "rosa.reviewer",
    "assigned_account_id": "rosa.reviewer",
    "assigned_role": "reviewer",
    "tenant_id": "default",
    "trace_id": CORRELATION_ID,
    "workflow_id": exception_workflow_id(CORRELATION_ID, RUN_ID),
    "workflow_name": "rebalance",
    "subject_id": RUN_ID,
    "entity_id": RUN_ID,
    "source_entity_id": CORRELATION_ID,
    "target_entity_id": RUN_ID,
    "edge_type": "CORRELATION_TO_RUN",
    "source_kind": "correlation",
    "target_kind": "run",
    "next_cursor": None,
    "reason": "Cash is above its band.",
    "title": "pf-1042: cash above its band",
    "store_backend": "SQL",
    "currency": "SGD",
    "instrument_id": "UOB_EQ",
}


def body_example(model: type[BaseModel], book: SchemaBook, schema: Schema) -> Any:
    """Return an example of a body: the model's own, one kept here, or one made from its schema."""
    own = schema.get("example") or next(iter(schema.get("examples", ())), None)
    if own is not None:
        return own
    return BODIES[model.__name__] if model.__name__ in BODIES else example_of(schema, book)


def example_of(schema: Schema, book: SchemaBook, name: str = "", depth: int = 0) -> Any:
    """Return a value that fits a schema; ``name`` is the member it stands under."""
    if "$ref" in schema:
        target = name_of(schema)
        return known().get(target) or example_of(book.schemas[target], book, name, depth + 1)
    if "const" in schema or "enum" in schema:
        return schema.get("const", next(iter(schema.get("enum", ())), None))
    for own in schema.get("examples", ()):
        return own
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            kinds = [kind for kind in schema[choice] if kind != {"type": "null"}]
            return None if depth > DEEPEST else example_of(kinds[0], book, name, depth + 1)
    return _of_type(schema, book, name, depth)


def _of_type(schema: Schema, book: SchemaBook, name: str, depth: int) -> Any:
    match schema.get("type"):
        case "object":
            members = schema.get("properties", {})
            return {key: example_of(part, book, key, depth + 1) for key, part in members.items()}
        case "array":
            items = schema.get("items", {})
            plain = items.get("type") == "string" and "enum" not in items
            return [] if plain or not items or depth > DEEPEST else [example_of(items, book, name, depth + 1)]
        case "string":
            return _text(schema, name)
        case "integer" | "number":
            return schema.get("default", schema.get("minimum", 1))
        case "boolean":
            return schema.get("default", True)
    return None


def _text(schema: Schema, name: str) -> Any:
    if schema.get("format") == "date-time":
        return STAMP
    found = known().get(name)
    return found if isinstance(found, str) else schema.get("default", name or "text")
