"""Support bundles: everything about one run, found by any of four ids (RFC-0023, dpm-api §7, delta 18)."""

from __future__ import annotations

import json
from collections.abc import Callable

from flask import Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from lotus_web.api.endpoint.routing import ApiBlueprint, Call, Declare, Refuses, endpoint, json_response
from lotus_web.api.rebalance.operations import operation_document
from lotus_web.api.rebalance.refusals import KEY_NOT_FOUND, OPERATION_NOT_FOUND, RUN_NOT_FOUND, TOO_MANY_EXPORTS
from lotus_web.api.rebalance.runs import run_document
from lotus_web.api.rebalance.schemas.decisions import GateHistoryBody
from lotus_web.api.rebalance.schemas.idempotency import KeyHistoryBody
from lotus_web.api.rebalance.schemas.lineage import LineageBody
from lotus_web.api.rebalance.schemas.support import BundleParams, OperationBundleBody, SupportBundleBody
from lotus_web.config import current
from lotus_web.config.features import SUPPORT, SUPPORT_BUNDLE
from lotus_web.domain.access import Permission
from lotus_web.http.export_slots import answered_in_turn
from lotus_web.http.responses import utf8_json
from lotus_web.queries.support.bundle import (
    BundleParts,
    SupportBundle,
    bundle_by_correlation,
    bundle_by_key,
    bundle_by_operation,
    bundle_of_run,
)
from lotus_web.store.session import db

routes = ApiBlueprint("bundles", __name__)
FindBundle = Callable[[Session, str, str, BundleParts], SupportBundle]


def _gathers(
    summary: str, *refuses: Refuses, response: type[SupportBundleBody | OperationBundleBody] = SupportBundleBody
) -> Declare:
    return endpoint(
        summary,
        permission=Permission.RUNS_READ,
        features=(SUPPORT, SUPPORT_BUNDLE),
        query=BundleParams,
        response=response,
        refuses=(*refuses, TOO_MANY_EXPORTS),
    )


def _bundle(call: Call, query: BundleParams, named: str, find: FindBundle) -> Response:
    parts = BundleParts(
        artifact=query.include_artifact,
        async_operation=query.include_async_operation,
        idempotency_history=query.include_idempotency_history,
        artifact_persisted=current.settings().artifacts_are_persisted,
    )
    session, tenant_id = db.session(), call.actor.tenant_id
    return answered_in_turn(lambda: json_response(bundle_document(find(session, tenant_id, named, parts))))


def bundle_document(bundle: SupportBundle) -> bytes:
    """Return a bundle with stored JSON spliced in unparsed."""
    run_id = bundle.run.row.rebalance_run_id
    history = {"run_id": run_id, "decisions": bundle.workflow_history}
    parts = {
        "run": run_document(bundle.run),
        "artifact": bundle.artifact,
        "async_operation": operation_document(bundle.async_operation) if bundle.async_operation else None,
        "workflow_history": _json(GateHistoryBody.model_validate(history)),
        "lineage": _json(LineageBody.model_validate(bundle.lineage)),
        "idempotency_history": (
            _json(KeyHistoryBody.model_validate(bundle.idempotency_history)) if bundle.idempotency_history else None
        ),
    }
    if bundle.related_run_ids is not None:
        parts["related_run_ids"] = json.dumps(bundle.related_run_ids).encode()
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), part or b"null") for name, part in parts.items()) + b"}"


def _json(model: BaseModel) -> bytes:
    return utf8_json(model)


@routes.get("/runs/<ident:rebalance_run_id>/support-bundle")
@_gathers("Return the support bundle of a run", RUN_NOT_FOUND)
def get_bundle(call: Call, query: BundleParams, rebalance_run_id: str) -> Response:
    """Return the bundle of a run."""
    return _bundle(call, query, rebalance_run_id, bundle_of_run)


@routes.get("/runs/by-correlation/<ident:correlation_id>/support-bundle")
@_gathers("Return the support bundle of the newest run of a correlation id", RUN_NOT_FOUND)
def get_bundle_by_correlation(call: Call, query: BundleParams, correlation_id: str) -> Response:
    """Return the bundle of the newest run of a correlation id."""
    return _bundle(call, query, correlation_id, bundle_by_correlation)


@routes.get("/runs/idempotency/<ident:idempotency_key>/support-bundle")
@_gathers("Return the support bundle of the run of an idempotency key", KEY_NOT_FOUND, RUN_NOT_FOUND)
def get_bundle_by_key(call: Call, query: BundleParams, idempotency_key: str) -> Response:
    """Return the bundle of the run of an idempotency key."""
    return _bundle(call, query, idempotency_key, bundle_by_key)


@routes.get("/runs/by-operation/<ident:operation_id>/support-bundle")
@_gathers(
    "Return the support bundle of an operation's first run",
    OPERATION_NOT_FOUND,
    RUN_NOT_FOUND,
    response=OperationBundleBody,
)
def get_bundle_by_operation(call: Call, query: BundleParams, operation_id: str) -> Response:
    """Return the bundle of an operation's first run in the order of scenarios, naming its other runs."""
    return _bundle(call, query, operation_id, bundle_by_operation)
