"""Support bundles: everything about one run in one JSON file, by its run or by its operation (RFC-0023, dpm-api §7)."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.config.features import SUPPORT, SUPPORT_BUNDLE
from lotus_web.domain.access import Permission
from lotus_web.queries.support.bundle import BundleParts, SupportBundle, bundle_by_operation, bundle_of_run
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.features import part_of
from lotus_web.web.shell.downloads import file_export

blueprint = Blueprint("bundles", __name__)
# Set by the JSON routes: (SupportBundle) -> the bytes that they answer with.
BUNDLE_DOCUMENT = "lotus_bundle_document"
FindBundle = Callable[[Session, str, str, BundleParts], SupportBundle]


@blueprint.get("/runs/<ident:run_id>/support-bundle")
@requires(Permission.RUNS_READ)
@part_of(SUPPORT, SUPPORT_BUNDLE)
def of_run(run_id: str) -> ResponseReturnValue:
    """Send the bundle of a run as a file."""
    return _file(run_id, bundle_of_run)


@blueprint.get("/operations/<ident:operation_id>/support-bundle")
@requires(Permission.RUNS_READ)
@part_of(SUPPORT, SUPPORT_BUNDLE)
def of_operation(operation_id: str) -> ResponseReturnValue:
    """Send the bundle of an operation's first run as a file."""
    return _file(operation_id, bundle_by_operation)


def _file(named: str, find: FindBundle) -> Response:
    parts = BundleParts(
        artifact=_is_included("include_artifact"),
        async_operation=_is_included("include_async_operation"),
        idempotency_history=_is_included("include_idempotency_history"),
        artifact_persisted=current.settings().artifacts_are_persisted,
    )
    written: Callable[[SupportBundle], bytes] = current_app.extensions[BUNDLE_DOCUMENT]
    session, tenant_id = db.session(), current_actor().tenant_id
    return file_export(lambda: written(find(session, tenant_id, named, parts)), f"support-bundle-{named}", "json")


def _is_included(name: str) -> bool:
    """Return whether a part is asked for: a form sends ``false`` for each, and ``true`` after it where the box is ticked."""
    return (request.args.getlist(name) or ["true"])[-1] == "true"
