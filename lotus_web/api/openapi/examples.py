"""Consistent examples: one small run of the real engine, and answers that fit it."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from pydantic import BaseModel

from lotus_web.api.openapi.bodies import AT, BODIES, CORRELATION_ID, KEY, PORTFOLIO, PROPOSE, RUN_ID, SIMULATE
from lotus_web.api.openapi.samples import SAMPLES, STAMP
from lotus_web.api.openapi.schemas import Schema, SchemaBook, name_of
from lotus_web.domain.rebalance.engine import rebalance
from lotus_web.domain.runs.artifact import artifact_document
from lotus_web.services.proposals.compute import simulated
from lotus_web.services.runs.solver import solve
from lotus_web.wire.proposals.artifact import proposal_artifact
from lotus_web.wire.proposals.lifecycle import request_hash as proposal_hash
from lotus_web.wire.proposals.request import SimulateRequestBody
from lotus_web.wire.rebalance.request import RebalanceRequestBody, request_hash
from lotus_web.wire.rebalance.result import RESULT

DEEPEST = 8
UNKNOWN = object()


@cache
def known() -> dict[str, Any]:
    """Return examples by the name of a schema or of a member: a run of the engine, and the samples."""
    body = RebalanceRequestBody.model_validate(SIMULATE)
    digest = request_hash(body)
    run = rebalance(
        body.to_domain(),
        run_id=RUN_ID,
        correlation_id=CORRELATION_ID,
        request_hash=digest,
        idempotency_key=KEY,
        solve=solve,
    )
    result = RESULT.document(run)
    artifact = artifact_document(
        result, request_hash=digest, idempotency_key=KEY, portfolio_id=PORTFOLIO, created_at=AT
    )
    return (
        SAMPLES
        | _proposal()
        | {
            "RebalanceResult": result,
            "ArtifactBody": artifact,
            "State": result["before"],
            "Diagnostics": result["diagnostics"],
            "request_hash": digest,
            "artifact_hash": artifact["evidence"]["hashes"]["artifact_hash"],
            "engine_version": artifact["evidence"]["engine_version"],
        }
    )


def _proposal() -> dict[str, Any]:
    """Return a proposal of the engine with its artifact, by the names of their schemas."""
    body = SimulateRequestBody.model_validate(PROPOSE)
    result = simulated(body, request_hash=proposal_hash(body), idempotency_key=KEY, correlation_id=CORRELATION_ID)
    artifact = proposal_artifact(result, body, created_at=AT)
    evidence = artifact["evidence_bundle"]
    document = evidence["engine_outputs"]["proposal_result"]
    return {
        "ProposalResult": document,
        "ProposalArtifact": artifact,
        "VersionArtifact": artifact,
        "evidence_bundle": evidence,
        "gate_decision": document["gate_decision"],
        "last_gate_decision": document["gate_decision"],
        "proposal_run_id": result.proposal_run_id,
    }


def body_example(model: type[BaseModel], book: SchemaBook, schema: Schema) -> Any:
    """Return an example of a body: the model's own, one of ``BODIES``, or one made from its schema."""
    own = schema.get("example") or next(iter(schema.get("examples", ())), None)
    if own is not None:
        return own
    return BODIES.get(model.__name__) or example_of(schema, book)


def example_of(schema: Schema, book: SchemaBook, path: tuple[str, ...] = (), depth: int = 0) -> Any:
    """Return a value that fits a schema; ``path`` ends in the model and the member that hold it."""
    if "$ref" in schema:
        return _named(name_of(schema), book, path, depth)
    if "const" in schema or "enum" in schema:
        return _listed(schema, path)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return _chosen(schema[choice], book, path, depth)
    return _of_type(schema, book, path, depth)


def _named(target: str, book: SchemaBook, path: tuple[str, ...], depth: int) -> Any:
    """Return an example of a named schema: known by that name, or by the member that holds it, or made up."""
    if target in known():
        return known()[target]
    sample, schema = _sample(path), book.schemas[target]
    if isinstance(sample, dict):
        return sample
    return example_of(schema, book, (target,) if "properties" in schema else path, depth + 1)


def _sample(path: tuple[str, ...]) -> Any:
    """Return the sample of the last member of a path, first as a member of its model."""
    return next((known()[name] for name in (".".join(path[-2:]), *path[-1:]) if name in known()), UNKNOWN)


def _listed(schema: Schema, path: tuple[str, ...]) -> Any:
    allowed = [schema["const"]] if "const" in schema else schema["enum"]
    sample = _sample(path)
    return sample if sample in allowed else allowed[0]


def _chosen(kinds: list[Schema], book: SchemaBook, path: tuple[str, ...], depth: int) -> Any:
    optional = {"type": "null"} in kinds
    if optional and (_sample(path) is None or depth > DEEPEST):
        return None
    return example_of(next(kind for kind in kinds if kind != {"type": "null"}), book, path, depth + 1)


def _of_type(schema: Schema, book: SchemaBook, path: tuple[str, ...], depth: int) -> Any:
    kind, sample = schema.get("type"), _sample(path)
    if sample is not UNKNOWN and _is(kind, sample):
        return sample
    match kind:
        case "object":
            members = schema.get("properties", {})
            return {name: example_of(part, book, (*path[-1:], name), depth + 1) for name, part in members.items()}
        case "array":
            return _entries(schema.get("items", {}), book, path, depth)
        case "string":
            return _text(schema, path)
        case "integer" | "number":
            return schema.get("default", schema.get("minimum", 1))
        case "boolean":
            return schema.get("default", True)
    return None


def _is(kind: str | None, value: object) -> bool:
    kinds = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}
    return kind in kinds and type(value) is kinds[kind]


def _entries(items: Schema, book: SchemaBook, path: tuple[str, ...], depth: int) -> list[Any]:
    """Return one entry, or none where an entry would not be informative."""
    empty = not items or items.get("type") == "string" or (items.get("type") == "object" and "properties" not in items)
    return [] if empty or depth > DEEPEST else [example_of(items, book, path, depth + 1)]


def _text(schema: Schema, path: tuple[str, ...]) -> Any:
    name = path[-1] if path else "text"
    if schema.get("format") == "date-time" or name.endswith("_at"):
        return STAMP
    if name.endswith(("_hash", "digest")):
        return "sha256:" + hashlib.sha256(name.encode()).hexdigest()
    return schema.get("default", name)
