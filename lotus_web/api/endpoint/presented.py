"""The evidence that a program says it decides on: in the body, or as the ETag of what it read."""

from __future__ import annotations

from lotus_web.api.endpoint.inputs import HeaderParam
from lotus_web.api.endpoint.routing import Call
from lotus_web.config import current
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.items.evidence import Presented
from lotus_web.queries.items.evidence import presented
from lotus_web.store.session import db

IF_MATCH = "If-Match"


def _entity_tag(value: str | None) -> str | None:
    """Return the digest in an entity tag; None where there is none, or where any will do."""
    text = (value or "").strip().removeprefix("W/").strip('"')
    return None if text in ("", "*") else text


EVIDENCE_TAG = HeaderParam(
    IF_MATCH,
    _entity_tag,
    "The ETag of the item as it was read: the digest of the evidence that the decision is taken on.",
    required=False,
)


def presented_by(call: Call, workflow_id: str, evidence_digest: str | None) -> Presented | None:
    """Return what a call says was presented, None where it says nothing.

    Raises InvalidInput where body and header name two documents, and NotFound for an item that is not there.
    """
    tag = call.headers.get(IF_MATCH)
    if tag and evidence_digest and tag != evidence_digest:
        raise InvalidInput(
            "invalid_argument", "evidence_digest and If-Match name two documents.", loc=("body", "evidence_digest")
        )
    digest = evidence_digest or tag
    if not digest:
        return None
    codes = current.settings().reason_codes
    return presented(db.session(), call.actor.tenant_id, workflow_id, digest, opened_at=call.now, codes=codes)
