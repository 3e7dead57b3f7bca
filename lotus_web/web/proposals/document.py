"""A proposal as a JSON document, pasted or uploaded: what the JSON routes take, with the same refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request

from lotus_web.domain.free_text import without_untaken
from lotus_web.wire.json_text import UnreadableJson, parse_json

WHOLE = "simulate_request"


@dataclass(frozen=True, slots=True)
class TypedDocument:
    """The text as pasted, or as the file had it, and the key that makes the form safe to send twice."""

    key: str
    text: str

    @classmethod
    def of_request(cls) -> TypedDocument:
        """Read the form; a file goes before the text. Bytes that are no text become marks, which no JSON takes."""
        upload = request.files.get("upload")
        sent = upload.read() if upload is not None and upload.filename else b""
        text = sent.decode(errors="replace").removeprefix("\N{BYTE ORDER MARK}") if sent else None
        return cls(request.form.get("key", ""), request.form.get("document", "") if text is None else text)

    @property
    def shown(self) -> TypedDocument:
        """The same without characters that no page can hold."""
        return TypedDocument(without_untaken(self.key), without_untaken(self.text))

    def parsed(self) -> dict[str, Any]:
        """Return the document; raises UnreadableJson."""
        value = parse_json(self.text.encode(errors="surrogatepass"))
        if not isinstance(value, dict):
            raise UnreadableJson("dict_type", "The document must be an object in braces")
        return value


def as_request(document: dict[str, Any], *, created_by: str) -> dict[str, Any]:
    """Return the request that a document makes: the document itself, or around one that only says what to simulate."""
    return {"created_by": created_by, **(document if WHOLE in document else {WHOLE: document})}
