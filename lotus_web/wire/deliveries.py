"""The address of a callback in a request, and what is sent to it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lotus_web.domain.deliveries.callback_url import LONGEST

CallbackUrlText = Annotated[
    str,
    Field(
        max_length=LONGEST,
        description=(
            "Where to send a signed POST when the operation has ended (Standard Webhooks). It must lead to a public address,"
            " by https in production; redirects are not followed. Not part of any request hash."
        ),
        json_schema_extra={"format": "uri"},
    ),
]


class CallbackData(BaseModel):
    """The operation that has ended; its result is at ``status_url``."""

    model_config = ConfigDict(extra="forbid")

    operation_id: str
    operation_type: str
    status: Literal["SUCCEEDED", "FAILED"]
    correlation_id: str
    status_url: str
    error_code: str | None


class CallbackBody(BaseModel):
    """What a callback says: that an operation has ended, and how."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["operation.succeeded", "operation.failed"]
    timestamp: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    data: CallbackData
