"""Look-ups of runs (RFC-0017, dpm-api §6) and the artifact of one (dpm-api §10)."""

from __future__ import annotations

import json

from flask import Response

from lotus_web.api.endpoint.params import stamp
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint, json_response
from lotus_web.api.rebalance.refusals import INVALID_CURSOR, KEY_NOT_FOUND, RUN_NOT_FOUND
from lotus_web.api.rebalance.schemas.idempotency import KeyMappingBody
from lotus_web.api.rebalance.schemas.runs import ArtifactBody, RunBody, RunList, RunListParams
from lotus_web.config import current
from lotus_web.config.features import ARTIFACTS, SUPPORT
from lotus_web.domain.access import Permission
from lotus_web.queries.idempotency.keys import key_mapping
from lotus_web.queries.runs.artifact import run_artifact
from lotus_web.queries.runs.lookup import (
    RunFilter,
    StoredRun,
    latest_by_correlation,
    latest_by_request_hash,
    run_page,
    stored_run,
)
from lotus_web.store.session import db

routes = ApiBlueprint("runs", __name__)


@routes.get("/runs")
@endpoint(
    "List runs, newest first",
    permission=Permission.RUNS_READ,
    features=(SUPPORT,),
    query=RunListParams,
    response=RunList,
    refuses=(INVALID_CURSOR,),
)
def list_runs(call: Call, query: RunListParams) -> RunList:
    """Return a page of runs without their results."""
    filters = RunFilter(query.status, query.request_hash, query.portfolio_id, query.from_, query.to)
    page = run_page(db.session(), call.actor.tenant_id, filters, limit=query.limit, cursor=query.cursor)
    return RunList.of(page)


@routes.get("/runs/<ident:rebalance_run_id>")
@endpoint(
    "Look a run up by its id",
    permission=Permission.RUNS_READ,
    features=(SUPPORT,),
    response=RunBody,
    refuses=(RUN_NOT_FOUND,),
)
def get_run(call: Call, rebalance_run_id: str) -> Response:
    """Return a run with its result."""
    return run_response(stored_run(db.session(), call.actor.tenant_id, rebalance_run_id))


@routes.get("/runs/by-correlation/<ident:correlation_id>")
@endpoint(
    "Look up the newest run of a correlation id",
    permission=Permission.RUNS_READ,
    features=(SUPPORT,),
    response=RunBody,
    refuses=(RUN_NOT_FOUND,),
)
def get_run_by_correlation(call: Call, correlation_id: str) -> Response:
    """Return a run with its result."""
    return run_response(latest_by_correlation(db.session(), call.actor.tenant_id, correlation_id))


@routes.get("/runs/by-request-hash/<ident:request_hash>")
@endpoint(
    "Look up the newest run of a request",
    permission=Permission.RUNS_READ,
    features=(SUPPORT,),
    response=RunBody,
    refuses=(RUN_NOT_FOUND,),
)
def get_run_by_request_hash(call: Call, request_hash: str) -> Response:
    """Return a run with its result."""
    return run_response(latest_by_request_hash(db.session(), call.actor.tenant_id, request_hash))


@routes.get("/runs/idempotency/<ident:idempotency_key>")
@endpoint(
    "Look up the run of an idempotency key",
    permission=Permission.RUNS_READ,
    features=(SUPPORT,),
    response=KeyMappingBody,
    refuses=(KEY_NOT_FOUND,),
)
def get_key_mapping(call: Call, idempotency_key: str) -> KeyMappingBody:
    """Return the mapping of a key."""
    return KeyMappingBody.model_validate(key_mapping(db.session(), call.actor.tenant_id, idempotency_key))


@routes.get("/runs/<ident:rebalance_run_id>/artifact")
@endpoint(
    "Return the artifact of a run",
    permission=Permission.RUNS_READ,
    features=(SUPPORT, ARTIFACTS),
    response=ArtifactBody,
    refuses=(RUN_NOT_FOUND,),
)
def get_artifact(call: Call, rebalance_run_id: str) -> Response:
    """Return the artifact: the run with its hashes."""
    persisted = current.settings().artifacts_are_persisted
    return json_response(run_artifact(db.session(), call.actor.tenant_id, rebalance_run_id, persisted=persisted))


def run_response(run: StoredRun) -> Response:
    """Return a run as an answer."""
    return json_response(run_document(run))


def run_document(run: StoredRun) -> bytes:
    """Return a run with its stored result spliced in unparsed."""
    row = run.row
    facts = {
        "rebalance_run_id": row.rebalance_run_id,
        "correlation_id": row.correlation_id,
        "request_hash": row.request_hash,
        "idempotency_key": row.idempotency_key,
        "portfolio_id": row.portfolio_id,
        "created_at": stamp(row.created_at),
    }
    return json.dumps(facts)[:-1].encode() + b', "result": ' + run.result + b"}"
