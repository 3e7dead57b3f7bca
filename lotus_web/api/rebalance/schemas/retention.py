"""What the routes of legal holds take and give (delta 16)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lotus_web.api.endpoint.params import ActorId, Answer, Stamp
from lotus_web.domain.retention import REASON_MAX


class LegalHoldRequest(BaseModel):
    """Setting or lifting a hold; ``actor_id`` is the token's account, or whom it may speak for."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        json_schema_extra={
            "example": {"action": "SET", "reason": "Court order 7 of 2 March", "actor_id": "ada.osei"},
        },
    )

    action: Literal["SET", "LIFT"]
    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]
    actor_id: ActorId


class HoldEntryBody(Answer):
    """One setting or lifting."""

    entry_type: Literal["HOLD_SET", "HOLD_LIFTED"]
    actor_id: str
    reason: str
    recorded_at: Stamp


class LegalHoldBody(Answer):
    """Whether a run is held, and every setting and lifting, oldest first."""

    rebalance_run_id: str
    legal_hold: bool
    history: list[HoldEntryBody]


class ProposalHoldBody(Answer):
    """Whether a proposal is held, and every setting and lifting, oldest first."""

    proposal_id: str
    legal_hold: bool
    history: list[HoldEntryBody]
