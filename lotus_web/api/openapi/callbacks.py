"""How the document describes a callback: the signed POST to the address that a request names."""

from __future__ import annotations

from typing import Any

from lotus_web.api.endpoint.refusals import JSON
from lotus_web.api.endpoint.routing import Endpoint
from lotus_web.api.openapi.examples import example_of
from lotus_web.api.openapi.schemas import GIVES, SchemaBook
from lotus_web.wire.deliveries import CallbackBody

HEADERS = {
    "webhook-id": "The same each time a callback is sent; receivers drop repeats by it",
    "webhook-timestamp": "Seconds since 1970 at which this attempt was made",
    "webhook-signature": "One or more signatures `v1,…` with a space between them; one that verifies is enough",
}
DESCRIPTION = (
    "Sent when the operation has ended, at least once, and again with longer and longer pauses until it is answered with 2xx."
    " Nothing of the answer but its status is read."
)


def calls_back(declared: Endpoint) -> bool:
    """Return whether the body of a route may name an address to call back."""
    return declared.body is not None and "callback_url" in declared.body.model_fields


def callbacks(book: SchemaBook) -> dict[str, Any]:
    """Return the ``callbacks`` of an operation whose request may name a ``callback_url``."""
    asked = [
        {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in HEADERS.items()
    ]
    content = {"schema": book.ref(CallbackBody, GIVES), "example": example_of(book.ref(CallbackBody, GIVES), book)}
    post = {
        "summary": "Say that the operation has ended",
        "description": DESCRIPTION,
        "parameters": asked,
        "requestBody": {"required": True, "content": {JSON: content}},
        "responses": {"2XX": {"description": "Taken"}},
    }
    return {"ended": {"{$request.body#/callback_url}": {"post": post}}}
