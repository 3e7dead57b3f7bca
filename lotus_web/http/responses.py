"""Text as it leaves: what no UTF-8 can hold is replaced, so that one odd record never keeps an answer from being given.

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


def sendable_json(document: BaseModel) -> bytes:
    """Return a model as JSON."""
    try:
        return document.model_dump_json(by_alias=True).encode()
    except PydanticSerializationError:
        return utf8_safe(json.dumps(document.model_dump(mode="json", by_alias=True), ensure_ascii=False))


class Utf8SafeResponse(Response):
    """An answer whose text can always be sent, whole or in parts."""

    def set_data(self, value: bytes | str) -> None:
        """Take the text of the answer."""
        super().set_data(utf8_safe(value) if isinstance(value, str) else value)

    def iter_encoded(self) -> Iterator[bytes]:
        """Yield the parts of the answer."""
        parts: Any = self.response
        return (utf8_safe(part) if isinstance(part, str) else part for part in parts)


def init_app(app: Flask) -> None:
    """Answer so wherever a view returns text."""
    app.response_class = Utf8SafeResponse
