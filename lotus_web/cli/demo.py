"""Commands for the demo tenant."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from lotus_web.cli.transactions import refusals
from lotus_web.config import current
from lotus_web.demo.bulk import BulkLoad
from lotus_web.demo.load import Progress, is_loaded, load_through_services
from lotus_web.demo.operations import load_operations
from lotus_web.demo.people import ENGINE_FEED, PEOPLE
from lotus_web.demo.portfolios import VARIANT_COUNT, demo_runs
from lotus_web.demo.proposals import load_proposals, load_running_operations
from lotus_web.demo.schedule import PORTFOLIO_COUNT
from lotus_web.demo.timeline import Moment, moments
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.models import Person
from lotus_web.services.accounts.people import create_person, set_password
from lotus_web.services.accounts.tokens import create_token
from lotus_web.services.operations.leases import LeaseTerms
from lotus_web.services.sign_in.passwords import hashed
from lotus_web.store.new_ids import repeatable_ids
from lotus_web.store.private_files import make_file
from lotus_web.store.session import transaction

INSTANCE = Path("instance")
DEFAULT_RUNS = 600
MOST_RUNS = 1_000_000
IN_BULK_ABOVE = 2_000
# The people exist before anything happens.
EMPLOYED = timedelta(days=365)

group = AppGroup("demo", help="The demo tenant.")


@group.command("load")
@click.option("--runs", type=click.IntRange(1, MOST_RUNS), default=DEFAULT_RUNS, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same tenant.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def load(runs: int, seed: int, quiet: bool) -> None:
    """Load people, a service account, portfolios with real drift, runs and their decisions."""
    if current.settings().production:
        raise click.ClickException("There are no demo accounts in production (LOTUS_ENV=production).")
    with refusals():
        loaded = is_loaded()
    if loaded:
        raise click.ClickException(f"The tenant {DEFAULT_TENANT} already has runs; the demo is loaded once.")
    if runs > IN_BULK_ABOVE:
        _load_in_bulk(runs, seed, quiet)
    else:
        _load_at_once(runs, seed, quiet)
    _ask(runs, seed)
    click.echo(f"Loaded {runs} runs. Sign-ins: {INSTANCE / 'demo_sign_ins'}; API token: {INSTANCE / 'demo_api_token'}")


def _story(runs: int, seed: int) -> Iterator[Moment]:
    reviewed = current.policy().requires_review("PENDING_REVIEW")
    return moments(demo_runs(seed=seed, count=runs), now=current.utcnow(), reviewed=reviewed)


def _load_at_once(runs: int, seed: int, quiet: bool) -> None:
    """Load people and runs in one transaction: stopped half-way it leaves nothing behind."""
    with _progress(runs, quiet) as progress, transaction() as session:
        _create_people(session)
        with repeatable_ids(seed):
            load_through_services(session, _story(runs, seed), policy=current.policy(), progress=progress)


def _load_in_bulk(runs: int, seed: int, quiet: bool) -> None:
    if not quiet:
        click.echo(f"Loading in bulk; the {VARIANT_COUNT} distinct requests share their engine results.")
    with transaction() as session:
        _create_people(session)
    with _progress(runs, quiet) as progress, repeatable_ids(seed):
        BulkLoad(current.policy(), seed).load(_story(runs, seed), progress)


def _ask(runs: int, seed: int) -> None:
    """Submit the demo's analyses and proposals; their ids come from other sources, so that those of the runs do not change."""
    newest = list(demo_runs(seed=seed, count=min(runs, PORTFOLIO_COUNT)))
    with repeatable_ids(seed + VARIANT_COUNT):
        load_operations(newest, policy=current.policy(), terms=LeaseTerms.of(current.settings()), now=current.utcnow())
    with repeatable_ids(seed + 2 * VARIANT_COUNT):
        policy, terms, now = current.policy(), LeaseTerms.of(current.settings()), current.utcnow()
        load_proposals(newest, policy=policy, now=now)
        load_running_operations(newest, policy=policy, terms=terms, now=now)


@contextmanager
def _progress(runs: int, quiet: bool) -> Iterator[Progress]:
    if quiet:
        yield lambda _count: None
        return
    with click.progressbar(length=runs, label="Runs") as bar:
        yield bar.update


def _create_people(session: Session) -> None:
    """Make the people and the service account; their secrets are random and stored in ``instance/``, readable by its owner only."""
    now = current.utcnow()
    since = now - EMPLOYED
    lines = []
    for person in PEOPLE:
        password = secrets.token_urlsafe(12)
        kept = hashed(password)
        if session.get(Person, person.name) is None:
            create_person(
                session,
                name=person.name,
                display_name=person.display_name,
                password=kept,
                role=person.role,
                tenant_id=DEFAULT_TENANT,
                now=since,
            )
        else:  # left by a bulk load that was stopped before its first run
            set_password(session, name=person.name, password=kept, now=now)
        lines.append(f"{person.role.value}  {person.name} / {password}\n")
    token = create_token(
        session,
        account=ENGINE_FEED.name,
        tenant_id=DEFAULT_TENANT,
        permissions=ENGINE_FEED.permissions,
        expires_at=None,
        now=now,
    )
    _keep("demo_sign_ins", "".join(lines))
    _keep("demo_api_token", token.secret_text + "\n")


def _keep(name: str, text: str) -> None:
    with os.fdopen(make_file(INSTANCE / name, replace=True), "w") as file:
        file.write(text)
