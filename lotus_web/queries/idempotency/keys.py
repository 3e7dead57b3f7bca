"""Idempotency keys and their runs (RFC-0017, dpm-api §6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import NotFound
from lotus_web.models import IdempotencyKey

KEY_NOT_FOUND = "DPM_IDEMPOTENCY_KEY_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class KeyMapping:
    """A key, the hash of its request and the run that was recorded for it."""

    idempotency_key: str
    request_hash: str
    rebalance_run_id: str
    created_at: datetime


def key_mapping(session: Session, tenant_id: str, key: str) -> KeyMapping:
    """Return a key's mapping; raises NotFound ``DPM_IDEMPOTENCY_KEY_NOT_FOUND``, also while its run is being computed."""
    query = select(
        IdempotencyKey.idempotency_key,
        IdempotencyKey.request_hash,
        IdempotencyKey.rebalance_run_id,
        IdempotencyKey.created_at,
    ).where(IdempotencyKey.tenant_id == tenant_id, IdempotencyKey.idempotency_key == key)
    found = session.execute(query).one_or_none()
    if found is None or found.rebalance_run_id is None:
        raise NotFound(KEY_NOT_FOUND)
    return KeyMapping(found.idempotency_key, found.request_hash, found.rebalance_run_id, found.created_at)
