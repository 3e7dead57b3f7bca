"""Commands for service accounts and their bearer tokens."""

from __future__ import annotations

from datetime import timedelta

import click
from flask.cli import AppGroup

from lotus_web.cli.transactions import reading, say, writing
from lotus_web.config import current
from lotus_web.domain.access import DEFAULT_TENANT, Permission, operator
from lotus_web.queries.accounts.tokens import list_tokens
from lotus_web.services.accounts import administration

group = AppGroup("tokens", help="Service accounts and their bearer tokens.")

EXPIRES_DAYS = 365
MOST_DAYS = 3650


def parse_permissions(_context: click.Context, _option: click.Parameter, text: str) -> list[Permission]:
    """Return the permissions of a comma-separated list; raises BadParameter listing all that exist."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = {permission.value: permission for permission in Permission}
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise click.BadParameter(f"{', '.join(unknown) or 'none given'}; choose from {', '.join(known)}")
    return [known[name] for name in names]


@group.command("create")
@click.argument("account")
@click.option("--tenant", required=True)
@click.option("--permissions", required=True, callback=parse_permissions, help="A comma-separated list.")
@click.option("--expires-days", type=click.IntRange(1, MOST_DAYS), default=EXPIRES_DAYS, show_default=True)
def create(account: str, tenant: str, permissions: list[Permission], expires_days: int) -> None:
    """Create a token, and the account if it is new, and print the token, which is never shown again."""
    now = current.utcnow()
    with writing() as session:
        made = administration.issue_token(
            session,
            account=account,
            permissions=permissions,
            expires_at=now + timedelta(days=expires_days),
            actor=operator(tenant),
            now=now,
        )
    click.echo(made.secret_text)


@group.command("revoke")
@click.argument("token_id", metavar="ID")
def revoke(token_id: str) -> None:
    """Revoke a token at once."""
    with writing() as session:
        administration.revoke_token(session, token_id=token_id, actor=operator(DEFAULT_TENANT), now=current.utcnow())
    say(f"{token_id} is revoked.")


@group.command("disable")
@click.argument("account")
def disable(account: str) -> None:
    """Disable a service account and all its tokens, at once."""
    with writing() as session:
        administration.disable_account(session, name=account, actor=operator(DEFAULT_TENANT), now=current.utcnow())
    say(f"{account} is disabled. Its tokens no longer work.")


@group.command("enable")
@click.argument("account")
def enable(account: str) -> None:
    """Enable a disabled service account; its tokens that are still valid work again."""
    with writing() as session:
        administration.enable_account(session, name=account, actor=operator(DEFAULT_TENANT), now=current.utcnow())
    say(f"{account} is enabled. Its valid tokens work again.")


@group.command("list")
def list_() -> None:
    """List all tokens: ID, account, state, expiry, tenants, permissions."""
    now = current.utcnow()
    with reading() as session:
        for row in list_tokens(session):
            end = row.expires_at.date().isoformat() if row.expires_at else "never"
            what = (",".join(row.tenants), ",".join(row.permissions))
            say("\t".join((row.token_id, row.account, row.state(now), end, *what)))
