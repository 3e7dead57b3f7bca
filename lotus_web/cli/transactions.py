"""Transactions of commands: one a command, and a refusal is one line on stderr and exit code 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from lotus_web.domain.errors import LotusError
from lotus_web.domain.free_text import escaped
from lotus_web.queries.audit.chain import chained_tenants
from lotus_web.store.failures import as_store_unavailable
from lotus_web.store.session import db, transaction
from lotus_web.store.sqlite_file import StoreFileMissing

SHOWN = 10
COLUMNS = "\t"


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a refusal, or a store that is away, into the command's last line; raises ClickException."""
    try:
        yield
    except LotusError as refused:
        raise click.ClickException(escaped(refused.message, kept=COLUMNS)) from refused
    except SQLAlchemyError as failed:
        if isinstance(failed, DBAPIError) and isinstance(failed.orig, StoreFileMissing):
            raise click.ClickException(str(failed.orig)) from failed
        away = as_store_unavailable(failed)
        if away is None:
            raise
        raise click.ClickException(f"{away.message} `flask --app app doctor` says what is wrong.") from failed


@contextmanager
def writing() -> Iterator[Session]:
    """Open the command's transaction; all of it commits, or nothing."""
    with refusals(), transaction() as session:
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """Open the store for reading only."""
    with refusals():
        yield db.session()


def say(text: str, *, err: bool = False) -> None:
    """Print one line that may hold stored text: the terminal obeys nothing in it."""
    click.echo(escaped(text, kept=COLUMNS), err=err)


def with_a_log(session: Session, tenant: str | None) -> tuple[str, ...]:
    """Return the tenant asked for, or all that have a log; raises BadParameter for one that has none: it proves nothing."""
    tenants = chained_tenants(session)
    if tenant is None:
        return tenants
    if tenant not in tenants:
        told = ", ".join(tenants[:SHOWN]) + (" and others" if len(tenants) > SHOWN else "")
        sentence = f"{tenant} has no log here; {told or 'no tenant'} has one."
        raise click.BadParameter(escaped(sentence), param_hint="--tenant")
    return (tenant,)
