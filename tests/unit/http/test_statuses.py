"""Each refusal has one status, on every surface, and only a store that is away counts as one."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import exc

from lotus_web.domain import errors
from lotus_web.http.statuses import status_of
from lotus_web.store.failures import as_store_unavailable, is_store_failure


class Refused(Exception):
    """What a PostgreSQL driver raises."""

    def __init__(self, sqlstate: str):
        super().__init__("refused")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput(), 422),
        (errors.Unauthenticated(), 401),
        (errors.Forbidden(), 403),
        (errors.NotFound(), 404),
        (errors.Conflict(), 409),
        (errors.InProgress("IN_PROGRESS"), 409),
        (errors.TooManyAttempts("Wait.", retry_after=1), 429),
        (errors.StoreUnavailable(), 503),
        (errors.LotusError(), 500),
    ],
)
def test_a_refusal_has_the_status_of_its_nearest_class(error: errors.LotusError, status: int) -> None:
    assert status_of(error) == status


@pytest.mark.parametrize(
    "error",
    [
        exc.OperationalError("select 1", {}, sqlite3.OperationalError("database is locked")),
        exc.InterfaceError("select 1", {}, Exception("closed")),
        exc.DatabaseError("select 1", {}, sqlite3.DatabaseError("database disk image is malformed")),
        exc.ProgrammingError("select 1", {}, Refused("42P01")),
        exc.InternalError("insert", {}, Refused("25006")),
        exc.InternalError("insert", {}, Refused("XX000"), connection_invalidated=True),
        exc.TimeoutError("the pool is empty"),
        exc.DisconnectionError("gone"),
        errors.StoreUnavailable(),
    ],
)
def test_a_store_that_is_away_is_recognised(error: Exception) -> None:
    assert isinstance(as_store_unavailable(error), errors.StoreUnavailable)


@pytest.mark.parametrize(
    "error",
    [
        exc.IntegrityError("insert", {}, sqlite3.IntegrityError("UNIQUE")),
        exc.ProgrammingError("selec", {}, Refused("42601")),
        exc.InvalidRequestError("ours"),
        ValueError("ours"),
        errors.NotFound(),
    ],
)
def test_a_fault_of_ours_is_not_blamed_on_the_store(error: Exception) -> None:
    assert not is_store_failure(error)
    assert as_store_unavailable(error) is None
