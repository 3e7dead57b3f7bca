"""Responses of the routes of idempotency keys: the run of a key, and its history (dpm-api §6)."""

from __future__ import annotations

from lotus_web.api.endpoint.params import Answer, Stamp


class KeyMappingBody(Answer):
    """The run of an idempotency key."""

    idempotency_key: str
    request_hash: str
    rebalance_run_id: str
    created_at: Stamp


class HistoryEntryBody(Answer):
    """One recording or replay under a key."""

    rebalance_run_id: str
    correlation_id: str
    request_hash: str
    created_at: Stamp


class KeyHistoryBody(Answer):
    """The runs of a key, oldest first."""

    idempotency_key: str
    history: list[HistoryEntryBody]
