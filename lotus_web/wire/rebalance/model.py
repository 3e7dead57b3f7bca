"""What the models of a result share: decimals as plain texts, and how the engine's values become JSON (engine §2).

Each model is the one description of its JSON: it documents it (OpenAPI), parses it, and writes it. ``domain`` names the
dataclass that it is written from; members have the same names on both sides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from operator import methodcaller
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic_core import CoreSchema, SchemaSerializer, core_schema

from lotus_web.domain.rebalance.arithmetic import to_places
from lotus_web.domain.rebalance.values import money


def four_places(value: Decimal) -> str:
    """Return a weight with four decimal places, rounded half to even; a total near zero makes weights without bound."""
    return format(to_places(value, 4), "f")


# Trailing zeros are kept and there is never an exponent.
Plain = Annotated[Decimal, PlainSerializer(methodcaller("__format__", "f"), return_type=str)]
Weight = Annotated[Decimal, PlainSerializer(four_places, return_type=str)]


class ResultModel(BaseModel):
    """A part of a result: optional members are always present, null where there is nothing."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    domain: ClassVar[type]


class Money(ResultModel):
    """An amount and its currency."""

    domain = money.Money

    amount: Plain
    currency: str


class Writer:
    """Writes the engine's dataclasses in the shape of a model, without building the model first.

    Building it would cost more than the run: a portfolio of 500 positions has 10,000 parts.
    """

    def __init__(self, model: type[ResultModel]) -> None:
        self._serializer = SchemaSerializer(_of_dataclasses(model.__pydantic_core_schema__))

    def document(self, value: object) -> dict[str, Any]:
        """Return a value as JSON's own kinds, members in the model's order."""
        document: dict[str, Any] = json.loads(self.json(value))
        return document

    def json(self, value: object) -> bytes:
        """Return a value as JSON bytes; raises PydanticSerializationError for text that is not Unicode."""
        return self._serializer.to_json(value, warnings="error")


def _of_dataclasses(schema: Any) -> Any:
    """Return a core schema with each model in it replaced by the dataclass that it is written from."""
    if isinstance(schema, list):
        return [_of_dataclasses(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    if schema.get("type") == "model":
        return _dataclass_schema(schema["cls"], schema["schema"]["fields"], schema.get("ref"))
    return {key: _of_dataclasses(part) for key, part in schema.items()}


def _dataclass_schema(model: type[ResultModel], fields: Mapping[str, Any], ref: str | None) -> CoreSchema:
    members = [core_schema.dataclass_field(name, _of_dataclasses(field["schema"])) for name, field in fields.items()]
    arguments = core_schema.dataclass_args_schema(model.__name__, members)
    return core_schema.dataclass_schema(model.domain, arguments, list(fields), ref=ref)
