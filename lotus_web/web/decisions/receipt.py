"""The receipt of a decision, to read and print on one page and as the file that proves it."""

from __future__ import annotations

import json
from typing import Any

import segno
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.errors import Conflict
from lotus_web.queries.decisions.receipt import decision_receipt
from lotus_web.store.session import db
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.shell.downloads import file_export
from lotus_web.wire.lotus_verify import fingerprint, signature_of

blueprint = Blueprint("receipts", __name__)


@blueprint.get("/decisions/<ident:decision_id>/receipt")
@requires(Permission.WORKFLOW_EXPORT)
def show(decision_id: str) -> ResponseReturnValue:
    """Show the receipt as a page to print, or why there is none yet; raises NotFound."""
    try:
        receipt = json.loads(_receipt(decision_id))
    except Conflict as why:
        return render_template("decisions/no_receipt.html", why=page_message(why)), 409
    by = signature_of(receipt["entry"]["event"]) or {}
    return render_template(
        "decisions/receipt.html",
        decision_id=decision_id,
        receipt=receipt,
        signed=_signed(receipt),
        passkey=fingerprint(by) if "public_key" in by else None,
    )


@blueprint.get("/decisions/<ident:decision_id>/receipt.json")
@requires(Permission.WORKFLOW_EXPORT)
def download(decision_id: str) -> ResponseReturnValue:
    """Download the receipt, for ``lotus_verify.py``; raises NotFound and Conflict."""
    return file_export(lambda: _receipt(decision_id), f"receipt-{decision_id}", "json")


def _receipt(decision_id: str) -> bytes:
    return decision_receipt(db.session(), current.settings(), current_actor().tenant_id, decision_id)


def _signed(receipt: dict[str, Any]) -> dict[str, Any]:
    """Return what the checkpoint of a receipt says, who signed it, and its origin, size and root as a QR code."""
    origin, size, root, *_ = receipt["checkpoint"].split("\n")
    keys, code = receipt["keys"], segno.make(f"{origin}\n{size}\n{root}\n", error="m", micro=False)
    # No text of others is in the drawing: it is squares.
    drawn = Markup(code.svg_inline(scale=3, border=2, light="#fff", title="QR code of the root"))  # nosec B704
    signers = [keys["log"], *keys["witnesses"]]
    return {"origin": origin, "size": int(size), "root": root, "signers": signers, "code": drawn}
