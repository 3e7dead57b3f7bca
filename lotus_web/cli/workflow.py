"""Commands that repair the inbox from the event log."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from lotus_web.cli.transactions import reading, say, with_a_log
from lotus_web.config import current
from lotus_web.services.decisions.backfill import backfill_batch
from lotus_web.services.events.rebuild import check_batch, rebuild_batch
from lotus_web.services.retention.purge import tenants_with
from lotus_web.services.retention.targets import RUNS
from lotus_web.store.session import db, transaction

SHOWN = 20

group = AppGroup("workflow", help="The inbox: rebuild it from the log, open items for earlier runs.")


@group.command("rebuild")
@click.option("--check", is_flag=True, help="Only compare; exit 1 when something differs.")
@click.option("--tenant", help="Only this tenant.")
def rebuild(check: bool, tenant: str | None) -> None:
    """Rebuild every item from the log and the manual actions, and add missing event actions and notifications."""
    with reading() as session:
        different = sum(_rebuild_tenant(name, check=check) for name in with_a_log(session, tenant))
    if different and check:
        raise click.exceptions.Exit(1)


def _rebuild_tenant(tenant_id: str, *, check: bool) -> int:
    """Go through a tenant's traces; return how many differences there were."""
    after, items, different = "", 0, 0
    while True:
        if check:
            batch = check_batch(db.session(), tenant_id, after=after)
        else:
            with transaction() as session:
                batch = rebuild_batch(session, tenant_id, after=after)
        for difference in batch.differences[: max(0, SHOWN - different)]:
            say(f"{tenant_id}: {difference}", err=True)
        items += batch.items
        different += len(batch.differences)
        if batch.upto is None:
            break
        after = batch.upto
    words = "differ" if check else "were repaired or reported"
    say(f"{tenant_id}: {items} items, {different} {words}")
    return different


@group.command("backfill")
@click.option("--tenant", help="Only this tenant.")
def backfill(tenant: str | None) -> None:
    """Open a review for each run that needs one and has none."""
    policy = current.policy()
    if not policy.workflow_enabled:
        raise click.ClickException("The workflow is off: set DPM_WORKFLOW_ENABLED=true first.")
    with reading() as session:
        for name in [tenant] if tenant else list(tenants_with(session, RUNS)):
            _backfill_tenant(name)


def _backfill_tenant(tenant_id: str) -> None:
    after, brought_in = None, 0
    while True:
        with transaction() as session:
            batch = backfill_batch(session, tenant_id, after=after, now=current.utcnow(), policy=current.policy())
        brought_in += batch.brought_in
        for run_id in batch.left:
            say(f"{tenant_id}: {run_id} is skipped: its payloads were deleted", err=True)
        say(f"{tenant_id}: {brought_in} runs added")
        if batch.upto is None:
            return
        after = batch.upto
