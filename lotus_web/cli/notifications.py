"""Commands for notices that channels such as mail could not deliver."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from lotus_web.cli.transactions import reading, writing
from lotus_web.domain.canonical import canonical_json
from lotus_web.queries.notifications.deliveries import undelivered
from lotus_web.services.notifications.deliveries import resend_dead

group = AppGroup("notifications", help="Notices that wait for a channel such as mail, or were given up.")


@group.command("undelivered")
def list_() -> None:
    """List deliveries that wait, are being sent or were given up, the oldest first, as lines of JSON."""
    with reading() as session:
        for row in undelivered(session):
            click.echo(canonical_json({name: getattr(row, name) for name in row.__slots__}))


@group.command("resend")
@click.argument("delivery_id", metavar="ID", required=False)
@click.option("--all", "everything", is_flag=True, help="Every delivery that was given up.")
def resend(delivery_id: str | None, everything: bool) -> None:
    """Make deliveries that were given up due again; the job `delivery` sends them."""
    if (delivery_id is None) is not everything:
        raise click.UsageError("Name a delivery by its ID, or give --all.")
    with writing() as session:
        count = resend_dead(session, delivery_id)
    if delivery_id is not None and count == 0:
        raise click.ClickException(f"There is no delivery {delivery_id} that was given up.")
    click.echo(json.dumps({"due_again": count}))
