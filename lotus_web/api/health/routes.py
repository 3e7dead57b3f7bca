"""Whether the process lives, and whether it can work: the store answers, takes writes and is migrated (commands.md)."""

from __future__ import annotations

from typing import Literal

from flask import Response
from sqlalchemy import text

from lotus_web.api.endpoint.params import Answer
from lotus_web.api.endpoint.routing import ApiBlueprint, endpoint, json_response
from lotus_web.config import current
from lotus_web.http.statuses import STORE_RETRY_SECONDS
from lotus_web.queries.health.revisions import newest_revisions
from lotus_web.queries.jobs import job_status
from lotus_web.store.failures import is_store_failure
from lotus_web.store.session import db
from lotus_web.store.writable import is_writable

routes = ApiBlueprint("api_health", __name__)
UNAVAILABLE = 503

Check = Literal["ok", "unavailable", "read_only", "behind", "unknown"]
Heartbeat = Literal["ok", "silent", "off", "unknown"]


class Live(Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Checks(Answer):
    """What was checked; migrations and jobs are ``unknown`` while the store is away. A ``read_only`` store takes no writes.

    ``jobs`` reports the scheduler's heartbeat and never fails the check: requests can be served without a scheduler.
    """

    store: Check
    migrations: Check
    jobs: Heartbeat = "unknown"


class Health(Answer):
    """Whether requests can be served, and if not, why."""

    status: Literal["ok", "unavailable"]
    checks: Checks


@routes.get("/health/live")
@endpoint("Report that the process is alive, without querying the store", permission=None, response=Live)
def live() -> Live:
    """Answer."""
    return Live()


@routes.get("/health/ready")
@endpoint(
    "Report whether requests can be served: 503 while they cannot",
    permission=None,
    response=Health,
    also=(UNAVAILABLE,),
)
def ready() -> Response:
    """Ask the store and compare its migration with the newest."""
    return _report()


@routes.get("/health")
@endpoint(
    "Report the same as `/health/ready`, under the path that probes try first",
    permission=None,
    response=Health,
    also=(UNAVAILABLE,),
)
def health() -> Response:
    """Answer as ``ready`` does."""
    return _report()


def _report() -> Response:
    checks = look()
    fine = checks.store == checks.migrations == "ok"
    found = Health(status="ok" if fine else "unavailable", checks=checks)
    answer = json_response(found.model_dump_json().encode(), status=200 if fine else UNAVAILABLE)
    if not fine:
        answer.headers["Retry-After"] = str(STORE_RETRY_SECONDS)
    return answer


def look() -> Checks:
    """Ask the store; never raises for one that is away."""
    try:
        versions = set(db.session.scalars(text("SELECT version_num FROM alembic_version")))
        store: Check = "ok" if is_writable(db.session()) else "read_only"
    except Exception as error:
        if not is_store_failure(error):
            raise
        return _without_version()
    if versions != newest_revisions():
        return Checks(store=store, migrations="behind")
    return Checks(store=store, migrations="ok", jobs=heartbeat())


def heartbeat() -> Heartbeat:
    """Return whether a process leads the jobs and each ran when it should have; ``off`` where this deployment has none."""
    if current.settings().jobs == "off":
        return "off"
    return "ok" if job_status(db.session(), current.cadences(), now=current.utcnow()).healthy else "silent"


def _without_version() -> Checks:
    """Distinguish an empty store from an unavailable one."""
    db.session.rollback()
    try:
        db.session.execute(text("SELECT 1"))
    except Exception as error:
        if not is_store_failure(error):
            raise
        return Checks(store="unavailable", migrations="unknown")
    return Checks(store="ok", migrations="behind")
