"""Commands for the key that signs the checkpoints of the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import AppGroup

from lotus_web.cli.transactions import reading, with_a_log, writing
from lotus_web.config import current
from lotus_web.domain.access import DEFAULT_TENANT, operator
from lotus_web.queries.transparency.keys import log_keys
from lotus_web.services.transparency.rotation import rotate_key
from lotus_web.store.ed25519 import NoSigningKey, create_key, public_file, read_key

group = AppGroup("key", help="The key that signs the checkpoints of the log.")


@contextmanager
def key_refusals() -> Iterator[None]:
    """Turn a key that cannot be used into the command's last line; raises ClickException."""
    try:
        yield
    except NoSigningKey as problem:
        raise click.ClickException(str(problem)) from problem


def key_file() -> Path:
    """Return the file of the key; raises ClickException where no setting names one."""
    named = current.settings().log_key_file
    if not named:
        raise click.ClickException("LOTUS_LOG_KEY_FILE names no file.")
    return Path(named)


@group.command("create")
def create() -> None:
    """Make the key in LOTUS_LOG_KEY_FILE, readable by its owner only; its public half is next to it."""
    path = key_file()
    with key_refusals():
        create_key(path)
    click.echo(f"{path} holds the key, {public_file(path)} its public half. Keep the key out of the database's reach.")


@group.command("show")
@click.option("--tenant", help="Only this tenant's log; all of them otherwise.")
def show(tenant: str | None) -> None:
    """Print the keys that verify the checkpoints of each log, newest first, as witnesses and auditors take them."""
    with key_refusals(), reading() as session:
        for tenant_id in with_a_log(session, tenant):
            for key in log_keys(session, current.settings(), tenant_id):
                click.echo(str(key))


@group.command("rotate")
def rotate() -> None:
    """Put a new key in the place of the present one, with a statement that both have signed; may be repeated after a crash."""
    path = key_file()
    fresh = path.with_name(f"{path.name}.new")
    with key_refusals():
        old = read_key(path)
        new = read_key(fresh) if fresh.exists() else create_key(fresh)
    with writing() as session:
        rotate_key(session, old, new, actor=operator(DEFAULT_TENANT), now=current.utcnow())
    kept = path.with_name(f"{path.name}.{old.public.hex()[:8]}")
    if not kept.exists():
        kept.hardlink_to(path)
    fresh.replace(path)
    public_file(fresh).replace(public_file(path))
    click.echo(f"{path} holds the new key. Destroy the old one, which is in {kept}: nothing needs it any more.")
