"""Responses whose text is always valid UTF-8, so that one odd record cannot make a response fail.

What comes in is checked (domain.identifiers.is_storable); this is for what was stored before that, as half a surrogate pair in JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError


def utf8_safe(text: str) -> bytes:
    """Return a text as UTF-8, with ``?`` for each half of a surrogate pair."""
    return text.encode("utf-8", "replace")


def utf8_json(document: BaseModel) -> bytes:
    """Return a model as JSON."""
    try:
        return document.model_dump_json(by_alias=True).encode()
    except PydanticSerializationError:
        return utf8_safe(json.dumps(document.model_dump(mode="json", by_alias=True), ensure_ascii=False))


class Utf8SafeResponse(Response):
    """A response that replaces characters which UTF-8 cannot encode, in whole and in streamed bodies."""

    def set_data(self, value: bytes | str) -> None:
        """Set the body."""
        super().set_data(utf8_safe(value) if isinstance(value, str) else value)

    def iter_encoded(self) -> Iterator[bytes]:
        """Yield the parts of the body as bytes."""
        parts: Any = self.response
        return (utf8_safe(part) if isinstance(part, str) else part for part in parts)


def init_app(app: Flask) -> None:
    """Use this response class wherever a view returns text."""
    app.response_class = Utf8SafeResponse
