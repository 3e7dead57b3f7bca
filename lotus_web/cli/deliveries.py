"""Commands for what was to leave Lotus Web and did not: notices by channels such as mail, and callbacks."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from lotus_web.cli.transactions import reading, say, writing
from lotus_web.config import current
from lotus_web.domain.canonical import canonical_json
from lotus_web.queries.deliveries.undelivered import undelivered
from lotus_web.services.deliveries.resend import resend_everywhere

group = AppGroup("deliveries", help="Notifications and callbacks that wait for delivery or could not be delivered.")


@group.command("undelivered")
def list_() -> None:
    """List deliveries that are pending, being sent or dead, the oldest first, as lines of JSON."""
    with reading() as session:
        for row in undelivered(session):
            say(canonical_json({name: getattr(row, name) for name in row.__slots__}))


@group.command("resend")
@click.argument("delivery_id", metavar="ID", required=False)
@click.option("--all", "everything", is_flag=True, help="All dead deliveries.")
def resend(delivery_id: str | None, everything: bool) -> None:
    """Schedule dead deliveries again; the job `delivery` sends them."""
    if (delivery_id is None) is not everything:
        raise click.UsageError("Give the ID of a delivery, or --all.")
    with writing() as session:
        count = resend_everywhere(session, delivery_id, now=current.utcnow())
    if delivery_id is not None and count == 0:
        raise click.ClickException(f"No dead delivery has the ID {delivery_id}.")
    say(json.dumps({"due_again": count}))
