"""How a command meets the store: one transaction, and a refusal is one line on stderr and exit code 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from lotus_web.db import db, transaction
from lotus_web.domain.errors import LotusError
from lotus_web.error_status import as_store_unavailable


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a refusal, or a store that is away, into the command's last line; raises ClickException."""
    try:
        yield
    except LotusError as refused:
        raise click.ClickException(refused.message) from refused
    except SQLAlchemyError as failed:
        away = as_store_unavailable(failed)
        if away is None:
            raise
        raise click.ClickException(f"{away.message} `flask --app app doctor` says what is wrong.") from failed


@contextmanager
def writing() -> Iterator[Session]:
    """Open the command's transaction; all of it is kept, or nothing."""
    with refusals(), transaction() as session:
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """Open the store for looking only."""
    with refusals():
        yield db.session()
