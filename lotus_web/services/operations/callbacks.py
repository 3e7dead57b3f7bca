"""What is told to the address that an operation calls back, planned in the transaction that ends the operation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.deliveries.states import WEBHOOK, DeliveryKind
from lotus_web.domain.operations import OperationFamily, OperationStatus, status_url
from lotus_web.models.deliveries import planned_delivery


@dataclass(frozen=True, slots=True)
class Ended:
    """An operation that has just ended, as a callback tells of it; ``error_code`` is None for one that succeeded."""

    tenant_id: str
    operation_id: str
    operation_type: str
    family: OperationFamily
    status: OperationStatus
    correlation_id: str
    error_code: str | None
    at: datetime

    def document(self) -> dict[str, Any]:
        """Return the JSON that is sent. The result is not in it: who may read it asks for it at ``status_url``."""
        return {
            "type": f"operation.{self.status.value.lower()}",
            "timestamp": self.at.isoformat(timespec="microseconds"),
            "data": {
                "operation_id": self.operation_id,
                "operation_type": self.operation_type,
                "status": self.status.value,
                "correlation_id": self.correlation_id,
                "status_url": status_url(self.family, self.operation_id),
                "error_code": self.error_code,
            },
        }


def plan_callback(session: Session, ended: Ended, callback_url: str) -> None:
    """Add the delivery of a callback; the table refuses a second one for the same operation."""
    session.add(
        planned_delivery(
            DeliveryKind.OPERATION_CALLBACK,
            ended.operation_id,
            WEBHOOK,
            tenant_id=ended.tenant_id,
            now=ended.at,
            target=callback_url,
            content=ended.document(),
        )
    )
