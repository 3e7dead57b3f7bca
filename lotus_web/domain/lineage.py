"""Kinds of lineage ends and types of edges (dpm-api §9.1, delta 17)."""

from __future__ import annotations

from enum import StrEnum


class EntityKind(StrEnum):
    """What an id at one end of an edge names."""

    RUN = "run"
    CORRELATION = "correlation"
    IDEMPOTENCY_KEY = "idempotency_key"
    OPERATION = "operation"
    BATCH = "batch"
    PROPOSAL = "proposal"
    DECISION = "decision"
    ITEM = "item"
    ARTIFACT = "artifact"


class EdgeType(StrEnum):
    """What an edge says; read as *source* type *target*."""

    CORRELATION_TO_RUN = "CORRELATION_TO_RUN"
    IDEMPOTENCY_TO_RUN = "IDEMPOTENCY_TO_RUN"
    CORRELATION_TO_PROPOSAL = "CORRELATION_TO_PROPOSAL"
    IDEMPOTENCY_TO_PROPOSAL = "IDEMPOTENCY_TO_PROPOSAL"
    VERSION_OF = "VERSION_OF"
    OPERATION_TO_CORRELATION = "OPERATION_TO_CORRELATION"
    CAUSED_BY = "CAUSED_BY"
    DERIVED_FROM = "DERIVED_FROM"
    REPLAYED_FROM = "REPLAYED_FROM"
    DECIDED_BY = "DECIDED_BY"
