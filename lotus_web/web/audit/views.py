"""The audit log: what happened, who did it and what was refused; the state of the chain; exports of items."""

from __future__ import annotations

from datetime import UTC

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.audit import INTACT
from lotus_web.domain.canonical import canonical_json
from lotus_web.domain.events.envelope import EventType
from lotus_web.domain.items.actions import ACTIONS
from lotus_web.queries.audit.archive import item_archive, verifier_source
from lotus_web.queries.audit.chain_state import chain_state
from lotus_web.queries.audit.explorer import AuditFilter, all_audit_lines, audit_page
from lotus_web.queries.audit.export import export_item
from lotus_web.queries.audit.lines import AuditLine, Source
from lotus_web.queries.transparency.state import checkpoint_state
from lotus_web.services.audit.records import AuditCategory
from lotus_web.store.session import db
from lotus_web.web.audit.chain import too_long, verify_now
from lotus_web.web.audit.words import subject_url, text_of
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.invalid_filters import redisplay_invalid_filters
from lotus_web.web.shell.csv import csv_export
from lotus_web.web.shell.downloads import attachment, file_export
from lotus_web.web.shell.htmx import page_or_fragment, see_other
from lotus_web.web.shell.links import same_page, with_query
from lotus_web.web.shell.query_args import check_order, choice_arg, instant_arg, text_arg

blueprint = Blueprint("audit", __name__)
PAGE_SIZE = 50
COLUMNS = (
    "at",
    "source",
    "kind",
    "actor_id",
    "on_behalf_of",
    "about",
    "trace_id",
    "text",
    "surface",
    "line_id",
    "hash",
    "posted_by",
    "posted_with",
)
KINDS = (
    *((kind.value, kind.value) for kind in AuditCategory),
    *((action.value, spec.label) for action, spec in ACTIONS.items()),
    *((kind.value, kind.value) for kind in EventType),
)


@blueprint.get("/audit")
@requires(Permission.WORKFLOW_EXPORT)
@redisplay_invalid_filters
def show() -> ResponseReturnValue:
    """Show a page of the audit log, newest first, and the state of the chain."""
    filters, session, tenant_id = filter_from_query(), db.session(), current_actor().tenant_id
    cursor = request.args.get("cursor") or None
    chain = chain_state(session, tenant_id)
    return page_or_fragment(
        "audit/audit.html",
        "audit/_audit.html",
        listing=audit_page(session, tenant_id, filters, limit=PAGE_SIZE, cursor=cursor),
        filters=filters,
        is_filtered=filters != AuditFilter(),
        kinds=KINDS,
        sources=[source.word for source in Source],
        chain=chain,
        checkpoint=checkpoint_state(session, current.settings(), tenant_id),
        too_long=too_long(chain.entries),
        cursor=cursor,
        now=current.utcnow(),
        same_page=same_page,
        subject_url=subject_url,
        text_of=text_of,
        export_url=with_query(url_for("audit.export")),
    )


@blueprint.get("/audit.csv")
@requires(Permission.WORKFLOW_EXPORT)
def export() -> ResponseReturnValue:
    """Send every line of the filter as a file, a batch at a time."""
    tenant_id, filters = current_actor().tenant_id, filter_from_query()
    return csv_export(
        "audit",
        (*COLUMNS, "details"),
        lambda session: (cells(line) for line in all_audit_lines(session, tenant_id, filters)),
    )


@blueprint.post("/audit/verify")
@requires(Permission.WORKFLOW_EXPORT)
def verify() -> ResponseReturnValue:
    """Verify the chain now and return to the audit log, which has a line about it."""
    code, message = verify_now()
    flash(message, "success" if code == INTACT else "danger")
    return see_other(url_for("audit.show"))


@blueprint.get("/inbox/<ident:workflow_id>/export.json")
@requires(Permission.WORKFLOW_EXPORT)
def export_of_item(workflow_id: str) -> ResponseReturnValue:
    """Download everything about an item with its proof, for ``audit verify --file``; raises NotFound."""
    session, tenant_id, now = db.session(), current_actor().tenant_id, current.utcnow()
    return file_export(
        lambda: canonical_json(export_item(session, tenant_id, workflow_id, now=now)).encode(), workflow_id, "json"
    )


@blueprint.get("/inbox/<ident:workflow_id>/export.zip")
@requires(Permission.WORKFLOW_EXPORT)
def archive_of_item(workflow_id: str) -> ResponseReturnValue:
    """Download the entries of an item with their proofs and the verifier; raises NotFound and Conflict."""
    session, tenant_id, settings, now = db.session(), current_actor().tenant_id, current.settings(), current.utcnow()
    return file_export(lambda: item_archive(session, settings, tenant_id, workflow_id, now=now), workflow_id, "zip")


@blueprint.get("/audit/lotus_verify.py")
@requires(Permission.WORKFLOW_EXPORT)
def verifier() -> ResponseReturnValue:
    """Download the verifier of receipts and archives, which needs nothing of this system."""
    return attachment(verifier_source(), "lotus_verify", "py")


def cells(line: AuditLine) -> list[str]:
    """Return a line as the cells of a CSV row."""
    source, at = line.source.word, line.at.astimezone(UTC).isoformat(timespec="microseconds")
    plain = [getattr(line, name) or "" for name in COLUMNS[2:]]
    return [at, source, *plain, canonical_json(line.details)]


def filter_from_query() -> AuditFilter:
    """Return the filter that the address names; raises InvalidInput."""
    start, end = instant_arg("from"), instant_arg("to", end_of_day=True)
    check_order(start, end)
    return AuditFilter(
        source=choice_arg("source", {source.word: source for source in Source}),
        kind=text_arg("kind"),
        actor=text_arg("actor"),
        about=text_arg("about"),
        since=start,
        until=end,
        reason=text_arg("reason"),
    )
