"""Commands for people who sign in."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from lotus_web.cli.transactions import reading, refusals, say, writing
from lotus_web.config import current
from lotus_web.domain.access import DEFAULT_TENANT, Role, operator
from lotus_web.queries.accounts.people import PersonRow, list_people
from lotus_web.services.accounts import administration
from lotus_web.services.sign_in.passwords import hashed

group = AppGroup("users", help="People who sign in, and their roles.")

role_option = click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
tenant_option = click.option("--tenant", default=DEFAULT_TENANT, show_default=True)
password_option = click.option("--password-stdin", is_flag=True, help="Read the password from stdin, its first line.")


def read_password(from_stdin: bool) -> str:
    """Return a new password, from stdin or asked for twice."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return typed


@group.command("create")
@click.argument("name")
@role_option
@tenant_option
@click.option("--display-name", help="The name shown on pages, if different.")
@password_option
def create(name: str, role: str, tenant: str, display_name: str | None, password_stdin: bool) -> None:
    """Create a person with a role in a tenant."""
    with refusals():
        password = hashed(read_password(password_stdin))
    with writing() as session:
        administration.add_person(
            session,
            name=name,
            display_name=display_name,
            password=password,
            role=Role(role),
            actor=operator(tenant),
            now=current.utcnow(),
        )
    say(f"{name} may sign in as {role} of {tenant}.")


@group.command("list")
def list_() -> None:
    """List everyone: name, state, roles."""
    with reading() as session:
        for row in list_people(session):
            say("\t".join((row.name, "disabled" if row.disabled_at else "enabled", roles_of(row))))


def roles_of(row: PersonRow) -> str:
    """Return a person's roles as ``tenant:role``, separated by spaces."""
    pairs = [f"{tenant}:{role.value}" for tenant, roles in row.roles.items() for role in sorted(roles)]
    return " ".join(pairs) or "no roles"


@group.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Disable a person and end their sessions."""
    with writing() as session:
        administration.disable_person(session, name=name, actor=operator(DEFAULT_TENANT), now=current.utcnow())
    say(f"{name} is disabled and signed out everywhere.")


@group.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Enable a disabled person."""
    with writing() as session:
        administration.enable_person(session, name=name, actor=operator(DEFAULT_TENANT), now=current.utcnow())
    say(f"{name} may sign in again.")


@group.command("password")
@click.argument("name")
@password_option
def password(name: str, password_stdin: bool) -> None:
    """Set a person's password and end their sessions."""
    with refusals():
        typed = hashed(read_password(password_stdin))
    with writing() as session:
        administration.reset_password(
            session, name=name, password=typed, actor=operator(DEFAULT_TENANT), now=current.utcnow()
        )
    say(f"{name} has a new password and is signed out everywhere.")


@group.command("grant")
@click.argument("name")
@role_option
@tenant_option
def grant(name: str, role: str, tenant: str) -> None:
    """Give a person a role in a tenant."""
    with writing() as session:
        administration.grant_role(session, name=name, role=Role(role), actor=operator(tenant), now=current.utcnow())
    say(f"{name} is {role} of {tenant}.")


@group.command("withdraw")
@click.argument("name")
@role_option
@tenant_option
def withdraw(name: str, role: str, tenant: str) -> None:
    """Take a role in a tenant away from a person."""
    with writing() as session:
        administration.revoke_role(session, name=name, role=Role(role), actor=operator(tenant), now=current.utcnow())
    say(f"{name} is not {role} of {tenant}.")
