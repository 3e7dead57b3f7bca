"""Accepting operations: the work, its whole request and its submitter are stored before the answer is sent (delta 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, ActorType
from lotus_web.domain.accounts.acting import credential_of
from lotus_web.domain.lineage import EdgeType, EntityKind
from lotus_web.domain.operations import FAMILY, ID_PREFIXES, OperationStatus, OperationType
from lotus_web.models import Operation, OperationPayload
from lotus_web.services.lineage import add_edge
from lotus_web.services.support import count_operation
from lotus_web.store.clock import store_now
from lotus_web.store.new_ids import new_id
from lotus_web.wire.packed import pack


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is answered when an operation is accepted: it is stored, and PENDING."""

    operation_id: str
    operation_type: str
    correlation_id: str
    created_at: datetime
    status: str = OperationStatus.PENDING.value

    @classmethod
    def of(cls, operation: Operation) -> Accepted:
        """Return the answer for a new operation."""
        return cls(operation.operation_id, operation.operation_type, operation.correlation_id, operation.created_at)


def submit_operation(
    session: Session,
    operation_type: OperationType,
    *,
    request: Mapping[str, Any],
    subject_id: str,
    steps_total: int,
    correlation_id: str,
    actor: Actor,
    now: datetime,
    policy_pack_id: str | None = None,
    callback_url: str | None = None,
    idempotency_key: str | None = None,
) -> Operation:
    """Store a PENDING operation with its whole request and the edge to its correlation id.

    ``callback_url`` was checked (services/deliveries/callbacks.py) and is told when the operation has ended.
    """
    tenant_id = actor.tenant_id
    operation = Operation(
        tenant_id=tenant_id,
        operation_id=new_id(ID_PREFIXES[FAMILY[operation_type]], 12),
        family=FAMILY[operation_type].value,
        operation_type=operation_type.value,
        status=OperationStatus.PENDING.value,
        correlation_id=correlation_id,
        subject_id=subject_id,
        created_at=now,
        due_at=store_now(session),
        attempts=0,
        steps_done=0,
        steps_total=steps_total,
        **_submitted_by(actor),
        callback_url=callback_url,
        idempotency_key=idempotency_key,
    )
    payload = OperationPayload(request=pack(request), policy_pack_id=policy_pack_id)
    payload.tenant_id, payload.operation_id = tenant_id, operation.operation_id
    session.add_all((operation, payload))
    count_operation(session, tenant_id, operation.family, operation.status)
    _connect(session, operation)
    session.flush()
    return operation


def _submitted_by(actor: Actor) -> dict[str, Any]:
    """Return the columns that ``submitter`` reads back."""
    return {
        "actor_type": actor.actor_type.value,
        "actor_id": actor.actor_id,
        "on_behalf_of": actor.on_behalf_of,
        "acted_by": actor.acted_by,
    }


def _connect(session: Session, operation: Operation) -> None:
    """Add the edge from a new operation to its correlation id."""
    add_edge(
        session,
        EdgeType.OPERATION_TO_CORRELATION,
        (EntityKind.OPERATION, operation.operation_id),
        (EntityKind.CORRELATION, operation.correlation_id),
        tenant_id=operation.tenant_id,
        now=operation.created_at,
        metadata={"operation_type": operation.operation_type},
    )


def submitter(operation: Operation) -> Actor:
    """Return who submitted an operation: its runs are attributed to them and who was behind them, whoever executes it."""
    acted_by = operation.acted_by or {}
    return Actor(
        ActorType(operation.actor_type),
        operation.actor_id,
        operation.tenant_id,
        on_behalf_of=operation.on_behalf_of,
        token_id=acted_by.get("token_id"),
        credential=credential_of(acted_by),
    )
