"""What the routes of idempotency keys give: the run that a key stands for, and its history (dpm-api §6)."""

from __future__ import annotations

from lotus_web.api.endpoint.params import Answer, Stamp


class KeyMappingBody(Answer):
    """The run that an idempotency key stands for."""

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
    """What a key has stood for, oldest first."""

    idempotency_key: str
    history: list[HistoryEntryBody]
