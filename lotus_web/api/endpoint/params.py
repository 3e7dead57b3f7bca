"""The kinds of fields that requests and answers share: instants, account names, texts to filter by, list parameters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from lotus_web.domain.items.values import Priority
from lotus_web.domain.paging import invalid_cursor
from lotus_web.wire.scalars import ActorId as ActorId
from lotus_web.wire.scalars import storable_text

DEFAULT_LIMIT = 50
MOST_ROWS = 200


def to_utc(value: datetime) -> datetime:
    """Return an instant in UTC; a bound without a zone is UTC (delta 12). Raises ValueError beyond the calendar's ends."""
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("instant out of range") from None


def stamp(value: datetime) -> str:
    """Return an instant as every answer writes it: UTC as ``+00:00``, always with microseconds (delta 12)."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def given_out(cursor: str) -> str:
    """Return a cursor; raises InvalidInput ``INVALID_CURSOR`` for the empty one, which no page gives out."""
    if not cursor:
        raise invalid_cursor()
    return cursor


def no_earlier_than(start_name: str, start: datetime | None, end_name: str, end: datetime | None) -> datetime | None:
    """Return the end of a range; raises PydanticCustomError where it is before the start."""
    if start is not None and end is not None and start > end:
        raise PydanticCustomError("range_order", f"'{start_name}' must not be later than '{end_name}'")
    return end


Bound = Annotated[datetime, AfterValidator(to_utc)]
Stamp = Annotated[
    datetime,
    PlainSerializer(stamp, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
FilterText = Annotated[str, AfterValidator(storable_text)]
Cursor = Annotated[str, AfterValidator(given_out)]
PriorityName = Annotated[str, Field(pattern=f"^({'|'.join(priority.word for priority in Priority)})$")]


class QueryParams(BaseModel):
    """Query parameters; unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ListParams(QueryParams):
    """What every paged list takes; bounds are inclusive."""

    from_: Annotated[Bound | None, Field(alias="from", description="earliest instant, inclusive")] = None
    to: Annotated[Bound | None, Field(description="latest instant, inclusive")] = None
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = DEFAULT_LIMIT
    cursor: Annotated[Cursor | None, Field(description="next_cursor of the page before")] = None

    @field_validator("to")
    @classmethod
    def _in_order(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        return no_earlier_than("from", info.data.get("from_"), "to", value)


class Answer(BaseModel):
    """An answer's model: optional parts are always present, null where there is nothing."""

    model_config = ConfigDict(from_attributes=True, frozen=True)
