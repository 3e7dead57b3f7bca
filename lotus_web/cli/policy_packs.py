"""Commands for the catalogue of policy packs."""

from __future__ import annotations

import json
from typing import IO

import click
from flask.cli import AppGroup
from pydantic import ValidationError

from lotus_web.cli.transactions import reading, refusals, say, writing
from lotus_web.config import current
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.policy_packs import PolicyPack
from lotus_web.queries.policy_packs import list_packs
from lotus_web.services.policy_packs import put_pack, remove_pack
from lotus_web.wire.json_text import UnreadableJson, parse_json
from lotus_web.wire.policy_packs import read_pack

group = AppGroup("policy-packs", help="Policy packs: options that override a request's own.")
tenant_option = click.option("--tenant", default=DEFAULT_TENANT, show_default=True)


def parsed(text: str) -> PolicyPack:
    """Return the pack that a JSON text defines; raises ClickException naming everything that is wrong with it."""
    try:
        document = parse_json(text.encode())
    except UnreadableJson as wrong:
        raise click.ClickException(_unreadable(wrong)) from None
    try:
        with refusals():
            return read_pack(document)
    except ValidationError as wrong:
        problems = wrong.errors(include_url=False, include_context=False, include_input=False)
        told = [f"{'.'.join(map(str, one['loc'])) or 'the pack'}: {one['msg']}" for one in problems]
        raise click.ClickException("This policy pack cannot be stored.\n" + "\n".join(told)) from None


def _unreadable(wrong: UnreadableJson) -> str:
    if wrong.kind == "missing":
        return "This is not JSON: the file is empty"
    if wrong.ctx is None:
        return f"This policy pack cannot be stored.\n{wrong.sentence}"
    return f"This is not JSON: {wrong.ctx['error']}: character {wrong.loc[0]}"


@group.command("put")
@click.argument("file", type=click.File(encoding="utf-8"))
@tenant_option
def put(file: IO[str], tenant: str) -> None:
    """Check the pack in FILE (- for stdin) and store it, replacing one with the same ID."""
    pack = parsed(file.read())
    with writing() as session:
        new = put_pack(session, pack, tenant_id=tenant, now=current.utcnow())
    say(f"{pack.policy_pack_id} was {'added' if new else 'replaced'} in {tenant}.")


@group.command("list")
@tenant_option
def list_(tenant: str) -> None:
    """List the packs of a tenant: ID, when it was stored, what it sets."""
    with reading() as session:
        for row in list_packs(session, tenant):
            sets = dict(row.overrides) | ({} if row.replay_enabled is None else {"replay_enabled": row.replay_enabled})
            say("\t".join((row.policy_pack_id, row.updated_at.date().isoformat(), json.dumps(sets))))


@group.command("remove")
@click.argument("policy_pack_id", metavar="ID")
@tenant_option
def remove(policy_pack_id: str, tenant: str) -> None:
    """Remove a pack."""
    with writing() as session:
        remove_pack(session, policy_pack_id, tenant_id=tenant, now=current.utcnow())
    say(f"{policy_pack_id} was removed from {tenant}.")
