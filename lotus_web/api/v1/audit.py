"""The exports of an item and of a proposal with their proof (workflow.md §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response
from pydantic import ConfigDict, RootModel

from lotus_web.api.endpoint.params import Answer
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint, json_response
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
from lotus_web.config.features import PROPOSALS
from lotus_web.domain.access import Permission
from lotus_web.domain.canonical import canonical_json
from lotus_web.http.export_slots import answered_in_turn
from lotus_web.queries.audit.archive import item_archive
from lotus_web.queries.audit.export import export_item
from lotus_web.queries.audit.proposal_export import export_proposal
from lotus_web.store.session import db

routes = ApiBlueprint("admin", __name__, envelope=V1Envelope())


class ExportAnswer(Answer):
    """Everything stored about an item; ``flask --app app audit verify --file`` takes it."""

    export_version: int
    exported_at: str
    workflow: dict[str, Any]
    workflow_actions: list[dict[str, Any]]
    workflow_notifications: list[dict[str, Any]]
    trace_reference: dict[str, Any]
    audit_summary: dict[str, Any]
    proof: dict[str, Any]


class ProposalExportAnswer(Answer):
    """Everything stored about a proposal; ``flask --app app audit verify --file`` takes it."""

    export_version: int
    exported_at: str
    proposal: dict[str, Any]
    versions: list[dict[str, Any]]
    events: list[dict[str, Any]]
    approvals: list[dict[str, Any]]
    edges: list[dict[str, Any]]
    proof: dict[str, Any]


class ArchiveFile(RootModel[bytes]):
    """A zip of an item's entries with their proofs, the checkpoint, and the verifier that takes all of it."""

    model_config = ConfigDict(json_schema_extra={"contentMediaType": "application/zip"})


@routes.get("/admin/workflows/<ident:workflow_id>/export")
@endpoint(
    "Export an item with its proof",
    permission=Permission.WORKFLOW_EXPORT,
    response=ExportAnswer,
    refuses=(NOT_FOUND, TOO_MANY_EXPORTS),
)
def export(call: Call, workflow_id: str) -> Response:
    """Return the export document, in the very form that its hashes are over."""
    session, tenant_id = db.session(), call.actor.tenant_id
    return _document(lambda: export_item(session, tenant_id, workflow_id, now=call.now))


def _document(found: Callable[[], Mapping[str, Any]]) -> Response:
    return answered_in_turn(lambda: json_response(V1Envelope().wrap(canonical_json(found()).encode())))


@routes.get("/admin/workflows/<ident:workflow_id>/archive")
@endpoint(
    "Export an item as an archive that verifies without this deployment",
    permission=Permission.WORKFLOW_EXPORT,
    response=ArchiveFile,
    refuses=(NOT_FOUND, NOT_SIGNED, LOG_KEY_UNKNOWN, LOG_MISMATCH, EVIDENCE_MISMATCH, TOO_MANY_EXPORTS),
    example="a zip",
)
def archive(call: Call, workflow_id: str) -> Response:
    """Return the archive; all entries of the item must be in the tree of the last checkpoint."""
    session, tenant_id = db.session(), call.actor.tenant_id
    settings = current.settings()

    def answer() -> Response:
        data = item_archive(session, settings, tenant_id, workflow_id, now=call.now)
        return Response(data, content_type="application/zip", headers={"Cache-Control": "no-store"})

    return answered_in_turn(answer)


@routes.get("/admin/proposals/<ident:proposal_id>/export")
@endpoint(
    "Export a proposal with its proof",
    permission=Permission.WORKFLOW_EXPORT,
    features=(PROPOSALS,),
    response=ProposalExportAnswer,
    refuses=(NOT_FOUND, TOO_MANY_EXPORTS),
)
def export_of_proposal(call: Call, proposal_id: str) -> Response:
    """Return the export document, in the very form that its hashes are over."""
    session, tenant_id = db.session(), call.actor.tenant_id
    return _document(lambda: export_proposal(session, tenant_id, proposal_id, now=call.now))
