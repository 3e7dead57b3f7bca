"""Keys: reserved by one, mapped by the same one, freed by failure or by time, and never another's (delta 2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.domain.errors import Conflict, InProgress
from lotus_web.models import IdempotencyKey
from lotus_web.services.idempotency import LEASE, Reservation, map_key, overwrite_key, release_key, reserve_key
from lotus_web.store.session import db, transaction
from tests.support.histories import NOW, refused

OURS, THEIRS = "own_ours", "own_theirs"


@pytest.fixture(autouse=True)
def in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def reserve(owner: str, *, hash_: str = "h1", after: timedelta = timedelta(0), tenant: str = "default") -> Reservation:
    with transaction() as session:
        return reserve_key(session, tenant_id=tenant, key="k", request_hash=hash_, owner=owner, now=NOW + after)


def mapped(owner: str, run_id: str = "rr_1") -> None:
    with transaction() as session:
        map_key(session, tenant_id="default", key="k", owner=owner, run_id=run_id, now=NOW)


def row() -> IdempotencyKey | None:
    db.session.rollback()
    return db.session.get(IdempotencyKey, ("default", "k"), populate_existing=True)


def test_the_first_owns_the_key_and_the_next_wait() -> None:
    assert reserve(OURS) == Reservation(owned=True)
    assert reserve(THEIRS) == Reservation(owned=False)


def test_a_mapped_key_answers_with_its_run_to_everyone() -> None:
    reserve(OURS)
    mapped(OURS)
    for owner in (OURS, THEIRS):
        assert reserve(owner, after=10 * LEASE) == Reservation(owned=False, rebalance_run_id="rr_1")


@pytest.mark.parametrize("finished", [False, True])
def test_another_request_under_the_key_is_a_conflict_at_any_time_of_its_life(finished: bool) -> None:
    reserve(OURS)
    if finished:
        mapped(OURS)
    refusal = refused(lambda session: _other(session), Conflict)
    assert str(refusal) == "IDEMPOTENCY_KEY_CONFLICT: request hash mismatch"


def _other(session: Session) -> None:
    reserve_key(session, tenant_id="default", key="k", request_hash="h2", owner=THEIRS, now=NOW)


def test_keys_of_two_tenants_are_two_keys() -> None:
    assert reserve(OURS).owned
    assert reserve(THEIRS, hash_="h2", tenant="elsewhere").owned


def test_a_lease_holds_to_its_end_and_no_longer() -> None:
    reserve(OURS)
    assert not reserve(THEIRS, after=LEASE).owned
    assert reserve(THEIRS, after=LEASE + timedelta(microseconds=1)).owned


def test_who_lost_the_lease_cannot_map_or_release_what_is_anothers_now() -> None:
    reserve(OURS)
    assert reserve(THEIRS, after=2 * LEASE).owned
    assert refused(
        lambda session: map_key(session, tenant_id="default", key="k", owner=OURS, run_id="rr_1", now=NOW), InProgress
    )
    with transaction() as session:
        release_key(session, tenant_id="default", key="k", owner=OURS)
    stored = row()
    assert stored is not None
    assert stored.reserved_by == THEIRS
    mapped(THEIRS, "rr_2")
    assert reserve(OURS).rebalance_run_id == "rr_2"


def test_a_lapsed_reservation_may_be_taken_by_another_request() -> None:
    reserve(OURS)
    assert reserve(THEIRS, hash_="h2", after=2 * LEASE).owned
    stored = row()
    assert stored is not None
    assert stored.request_hash == "h2"


def test_a_released_key_is_free() -> None:
    reserve(OURS)
    with transaction() as session:
        release_key(session, tenant_id="default", key="k", owner=OURS)
    assert row() is None
    assert reserve(THEIRS, hash_="h2").owned


def test_a_mapped_key_cannot_be_released() -> None:
    reserve(OURS)
    mapped(OURS)
    with transaction() as session:
        release_key(session, tenant_id="default", key="k", owner=OURS)
    assert row() is not None


def test_with_replay_off_a_key_points_at_its_newest_run() -> None:
    for run_id in ("rr_1", "rr_2"):
        with transaction() as session:
            overwrite_key(session, tenant_id="default", key="k", request_hash="h", run_id=run_id, now=NOW)
    stored = row()
    assert stored is not None
    assert (stored.rebalance_run_id, stored.reserved_by) == ("rr_2", None)
