"""The doctor: the settings in force, and the finding of each health check with how to fix what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from alembic.migration import MigrationContext
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from lotus_web.config.settings import BadSetting, Settings
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.deliveries.states import WEBHOOK
from lotus_web.domain.notifications import Channel
from lotus_web.models import EventLogEntry, JobRun, Person, SchedulerLease, TenantRuntime
from lotus_web.queries.accounts.people import assignable_people
from lotus_web.queries.audit.proposals import newest_faults
from lotus_web.queries.deliveries.undelivered import undelivered_counts
from lotus_web.queries.health.findings import Finding, State
from lotus_web.queries.health.guards import check_guards, check_role
from lotus_web.queries.health.log_key import checkpoint_states, key_problem
from lotus_web.queries.health.revisions import known_revisions, newest_revisions
from lotus_web.queries.health.settings import SettingInForce, settings_in_force
from lotus_web.store.writable import is_writable


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The settings in force and all findings."""

    settings: tuple[SettingInForce, ...]
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """True when nothing is wrong."""
        return all(finding.state is not State.WRONG for finding in self.findings)


CHANNELS = frozenset(Channel) | {WEBHOOK}
Check = Callable[[Session, Settings, datetime], Iterator[Finding]]


def check_secret_key(_session: Session, settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that the secret key is set: without one, sessions end with the process."""
    if settings.secret_key:
        yield Finding("secret key", State.OK, "LOTUS_SECRET_KEY is set.")
    else:
        yield Finding(
            "secret key",
            State.NOTE,
            "LOTUS_SECRET_KEY is not set: everyone is signed out when the process ends.",
            "Set LOTUS_SECRET_KEY to at least 32 random bytes, the same for every process.",
        )


def check_store(session: Session, settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that the store answers and takes writes."""
    url = session.get_bind().engine.url.set(query={}).render_as_string(hide_password=True)
    try:
        session.execute(select(1))
    except SQLAlchemyError as failed:
        session.rollback()
        reason = str(getattr(failed, "orig", None) or failed).splitlines()[0]
        yield Finding(
            "store",
            State.WRONG,
            f"{url} does not answer: {reason}",
            "Start the store or correct the DPM_SUPPORTABILITY_… settings.",
        )
        return
    yield Finding("store", State.OK, f"{url} answers.")
    if not is_writable(session):
        yield Finding(
            "store",
            State.WRONG,
            "This store takes no writes: it is a standby, or is mounted or set read-only.",
            "Point the DPM_SUPPORTABILITY_… settings at the primary, or give this process the right to write.",
        )
    if settings.store_backend == "IN_MEMORY":
        yield Finding(
            "store",
            State.NOTE,
            "This store is temporary: its data is lost when the process ends.",
            "Set DPM_SUPPORTABILITY_STORE_BACKEND to SQLITE or SQL.",
        )


def _revisions(session: Session) -> set[str]:
    return set(MigrationContext.configure(session.connection()).get_current_heads())


def check_migrations(session: Session, _settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that the store is at the newest migration of this version."""
    there, newest = _revisions(session), newest_revisions()
    if there == newest:
        yield Finding("migrations", State.OK, f"The store is at {', '.join(sorted(newest))}, the newest.")
    elif there - known_revisions():
        yield Finding(
            "migrations",
            State.WRONG,
            f"The store is at {', '.join(sorted(there))}, which this version does not know.",
            "Run the version that migrated the store, or a newer one.",
        )
    else:
        at = ", ".join(sorted(there)) or "no migration at all"
        yield Finding(
            "migrations",
            State.WRONG,
            f"The store is at {at}; the newest is {', '.join(sorted(newest))}.",
            "flask --app app db upgrade",
        )


def check_chains(session: Session, _settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that the head of each tenant's chain is its last entry; ``audit verify`` reads the rest."""
    for runtime in session.scalars(select(TenantRuntime).order_by(TenantRuntime.tenant_id)).all():
        last = session.execute(
            select(EventLogEntry.log_seq, EventLogEntry.entry_hash)
            .where(EventLogEntry.tenant_id == runtime.tenant_id)
            .order_by(EventLogEntry.log_seq.desc())
            .limit(1)
        ).one_or_none()
        head = (runtime.last_log_seq, runtime.head_hash)
        name = f"chain of {runtime.tenant_id}"
        if last is None and runtime.entry_count == 0:
            yield Finding(name, State.OK, "No entry yet.", tenant=runtime.tenant_id)
        elif last is not None and tuple(last) == head:
            says = f"{runtime.entry_count} entries, head {runtime.head_hash}."
            yield Finding(name, State.OK, says, tenant=runtime.tenant_id)
        else:
            yield Finding(
                name,
                State.WRONG,
                f"The head says entry {runtime.last_log_seq} and the log does not end there.",
                f"flask --app app audit verify --tenant {runtime.tenant_id}",
                tenant=runtime.tenant_id,
            )


def check_log_key(session: Session, settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that checkpoints of the log are signed: in production they must be."""
    problem = key_problem(session, settings)
    if problem is None:
        yield Finding("log key", State.OK, "Checkpoints of the log are signed with the key in LOTUS_LOG_KEY_FILE.")
        return
    state = State.WRONG if settings.production else State.NOTE
    mend = "Set LOTUS_LOG_KEY_FILE to a file outside the store, then flask --app app audit key create"
    yield Finding("log key", state, problem, mend)


def check_checkpoints(session: Session, settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that the last checkpoint of each tenant holds; ``audit verify`` checks them all."""
    for tenant_id, found in checkpoint_states(session, settings):
        name = f"checkpoint of {tenant_id}"
        if found.wrong is not None:
            mend = f"flask --app app audit verify --tenant {tenant_id}"
            yield Finding(name, State.WRONG, f"{found.size} entries: {found.wrong}.", mend, tenant=tenant_id)
        elif found.unverified is None:
            says = (
                f"{found.size} entries, signed at {found.signed_at:%Y-%m-%d %H:%M:%S} UTC, and the log gives its root."
            )
            yield Finding(name, State.OK, says, tenant=tenant_id)


def check_scheduler(session: Session, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Check that a process runs the scheduled jobs."""
    lease = session.scalars(select(SchedulerLease).order_by(SchedulerLease.until.desc()).limit(1)).one_or_none()
    if lease is not None and lease.until > now:
        yield Finding("jobs", State.OK, f"{lease.owner} runs the jobs.")
        return
    yield Finding(
        "jobs",
        State.NOTE,
        f"No process runs the scheduled jobs now (LOTUS_JOBS={settings.jobs}).",
        "Start the web with LOTUS_JOBS=embedded, or flask --app app jobs run",
    )


def check_failed_jobs(session: Session, _settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that no job failed when it last ran."""
    for row in session.scalars(select(JobRun).where(JobRun.error.is_not(None)).order_by(JobRun.job)):
        says = f"It failed at {row.finished_at:%Y-%m-%d %H:%M:%S} UTC: {row.error}"
        yield Finding(f"job {row.job}", State.NOTE, says, "See the log of the jobs process.")


def check_people(session: Session, _settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that there is someone who can sign in."""
    count = session.scalar(select(func.count()).select_from(Person).where(Person.disabled_at.is_(None))) or 0
    if count:
        yield Finding("people", State.OK, f"{count} may sign in.")
    else:
        yield Finding("people", State.NOTE, "Nobody can sign in.", "flask --app app users create NAME --role admin")


def check_escalation(session: Session, settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that the account of the settings' escalations can review items in every tenant."""
    account, role = settings.escalation_assigned_account_id, settings.escalation_assigned_role
    if not account:
        yield Finding("escalation", State.OK, f"Late items go to any {role}.")
        return
    tenants = session.scalars(select(TenantRuntime.tenant_id).order_by(TenantRuntime.tenant_id)).all()
    closed = [one for one in tenants or [DEFAULT_TENANT] if account not in assignable_people(session, one)]
    if not closed:
        yield Finding("escalation", State.OK, f"Late items go to {account}.")
        return
    for tenant_id in closed:
        yield Finding(
            "escalation",
            State.WRONG,
            f"{account} is unknown, disabled or without a role that reviews in {tenant_id}:"
            f" late items there go to any {role}.",
            "Correct LOTUS_ESCALATION_ASSIGNED_ACCOUNT_ID, or flask --app app users",
            tenant=tenant_id,
        )


def check_delivery(session: Session, _settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that no delivery was given up and that none is for an unknown channel."""
    counts = undelivered_counts(session)
    unknown = {channel: count for channel, count in counts.waiting.items() if channel not in CHANNELS}
    if unknown:
        says = f"Deliveries for a channel that this version does not know ({', '.join(sorted(unknown))}): {sum(unknown.values())}."
        yield Finding("delivery", State.WRONG, says, "Run the jobs with the version that made them")
    if counts.dead:
        says = f"Deliveries that were given up ({', '.join(sorted(counts.dead))}): {sum(counts.dead.values())}."
        yield Finding("delivery", State.WRONG, says, "flask --app app deliveries undelivered, then resend")
    if unknown or counts.dead:
        return
    if counts.waiting:
        says = f"Deliveries that wait: {sum(counts.waiting.values())}."
        yield Finding("delivery", State.NOTE, says, "flask --app app jobs tick --job delivery")
    else:
        yield Finding("delivery", State.OK, "Nothing waits for delivery.")


def check_proposals(session: Session, _settings: Settings, _now: datetime) -> Iterator[Finding]:
    """Check that the newest versions of proposals match their hashes; ``audit verify`` reads them all."""
    number, wrong = newest_faults(session)
    if wrong:
        yield Finding("proposals", State.WRONG, f"{wrong[0]}.", "flask --app app audit verify, then restore a backup")
    elif number:
        yield Finding("proposals", State.OK, f"The newest versions ({number}) match their hashes.")
    else:
        yield Finding("proposals", State.OK, "No proposal yet.")


# A check may need what the checks before it found in order.
CHECKS: tuple[Check, ...] = (
    check_secret_key,
    check_store,
    check_migrations,
    check_chains,
    check_guards,
    check_role,
    check_log_key,
    check_checkpoints,
    check_scheduler,
    check_failed_jobs,
    check_people,
    check_escalation,
    check_delivery,
    check_proposals,
)


def diagnose(session: Session, settings: Settings, *, now: datetime) -> Diagnosis:
    """Return the settings in force and the findings of all checks; without a store at the right migration, the rest is skipped."""
    try:
        in_force = tuple(settings_in_force(settings))
        settings.check_together()
    except BadSetting as bad:
        return Diagnosis((), (Finding("settings", State.WRONG, str(bad), f"Correct {bad.name}."),))
    findings: list[Finding] = []
    for check in CHECKS:
        found = list(check(session, settings, now))
        findings += found
        if check in (check_store, check_migrations) and any(one.state is State.WRONG for one in found):
            break
    return Diagnosis(in_force, tuple(findings))
