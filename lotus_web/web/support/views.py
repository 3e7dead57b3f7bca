"""The store and its jobs, for whoever is asked why something does not work."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.retention import retention_cutoff
from lotus_web.queries.audit.chain_state import chain_state
from lotus_web.queries.health.doctor import diagnose
from lotus_web.queries.health.findings import Finding
from lotus_web.queries.jobs import LastRun, job_status
from lotus_web.queries.support.summary import summary
from lotus_web.store.session import db
from lotus_web.web.audit.chain import too_long
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.shell.htmx import page_or_fragment

blueprint = Blueprint("support", __name__)


@blueprint.get("/support")
@requires(Permission.RUNS_READ)
def show() -> ResponseReturnValue:
    """Show jobs, chain, store and retention; what the doctor finds and what a failed job said is for administrators."""
    actor, now, session, settings = current_actor(), current.utcnow(), db.session(), current.settings()
    chain = chain_state(session, actor.tenant_id)
    return page_or_fragment(
        "support/support.html",
        "support/_support.html",
        jobs=job_status(session, current.cadences(), now=now),
        job_word=job_word,
        sees_faults=actor.may(Permission.ADMIN),
        jobs_mode=settings.jobs,
        chain=chain,
        too_long=too_long(chain.entries),
        summary=summary(
            session,
            actor.tenant_id,
            store_backend=settings.store_backend,
            retention_days=settings.retention_days,
        ),
        kept_in=kept_in(settings.store_backend, db.engine.dialect.name),
        cutoff=retention_cutoff(now, settings.retention_days),
        findings=findings() if actor.may(Permission.ADMIN) else (),
        now=now,
    )


def kept_in(backend: str, dialect: str) -> str:
    """Return where everything is stored, in words: an SQL store is what its URL says, not always PostgreSQL."""
    if backend == "IN_MEMORY":
        return "a temporary SQLite file, deleted when the process ends"
    return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[dialect]


def job_word(job: LastRun) -> str:
    """Return how a job is, for its badge."""
    if job.started_at is None:
        return "never"
    return "failed" if job.error else "late" if job.late else "running" if job.running else "fine"


def findings() -> list[Finding]:
    """Return what the doctor finds, without what is other tenants' own."""
    found = diagnose(db.session(), current.settings(), now=current.utcnow()).findings
    return [one for one in found if one.tenant in (None, current_actor().tenant_id)]
