"""The receipt of a decision (docs/proof.md)."""

from __future__ import annotations

from flask import Response
from pydantic import ConfigDict, RootModel

from lotus_web.api.endpoint.routing import ApiBlueprint, Call, Refuses, endpoint
from lotus_web.api.v1.envelope import (
    EVIDENCE_MISMATCH,
    LOG_KEY_UNKNOWN,
    LOG_MISMATCH,
    NOT_FOUND,
    NOT_SIGNED,
    TOO_MANY_EXPORTS,
    V1Envelope,
)
from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.http.export_slots import answered_in_turn
from lotus_web.queries.decisions.receipt import decision_receipt
from lotus_web.store.session import db

routes = ApiBlueprint("decisions", __name__, envelope=V1Envelope())

RECEIPT_TYPE = "application/vnd.lotus-web.receipt+json"
NO_RECEIPT = Refuses(409, "no_receipt", "the decision is a request for changes, for which there is no receipt")


class ReceiptFile(RootModel[str]):
    """The decision, its entry, proof and checkpoint, as the file that ``lotus_verify.py`` takes: without an envelope, every byte counts."""

    model_config = ConfigDict(json_schema_extra={"contentMediaType": RECEIPT_TYPE})


@routes.get("/decisions/<ident:decision_id>/receipt")
@endpoint(
    "Return the receipt of a decision",
    permission=Permission.WORKFLOW_EXPORT,
    response=ReceiptFile,
    refuses=(NOT_FOUND, NO_RECEIPT, NOT_SIGNED, LOG_KEY_UNKNOWN, LOG_MISMATCH, EVIDENCE_MISMATCH, TOO_MANY_EXPORTS),
    example='{\n "checkpoint": …',
)
def receipt(call: Call, decision_id: str) -> Response:
    """Return the receipt of a decision, of an approval, or of the entry of one, by its id."""
    return answered_in_turn(lambda: _receipt(call.actor.tenant_id, decision_id))


def _receipt(tenant_id: str, decision_id: str) -> Response:
    document = decision_receipt(db.session(), current.settings(), tenant_id, decision_id)
    return Response(document, content_type=RECEIPT_TYPE, headers={"Cache-Control": "no-store"})
