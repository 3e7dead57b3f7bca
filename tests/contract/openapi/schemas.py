"""Whether values fit the schemas of the OpenAPI document; each schema is compiled once."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs


class Schemas:
    """The schemas that a document names, for those that refer to them."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._named = {"schemas": document["components"]["schemas"]}
        self._compiled: dict[str, Any] = {}

    def fault(self, schema: dict[str, Any], value: object) -> str | None:
        """Return what is wrong with a value, None when it fits."""
        try:
            self._validator(schema).validate(value)
        except jsonschema_rs.ValidationError as wrong:
            return str(wrong)
        return None

    def fits(self, schema: dict[str, Any], value: object) -> bool:
        """Say whether a value fits."""
        return bool(self._validator(schema).is_valid(value))

    def _validator(self, schema: dict[str, Any]) -> Any:
        text = json.dumps(schema)
        if text not in self._compiled:
            self._compiled[text] = jsonschema_rs.validator_for({"components": self._named, "allOf": [schema]})
        return self._compiled[text]
