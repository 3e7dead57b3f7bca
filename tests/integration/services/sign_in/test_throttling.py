"""Guessing is slowed down at its place, locks nobody out, and guesses sent side by side count like those in a row."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lotus_web.domain.errors import TooManyAttempts
from lotus_web.domain.sign_in.throttle import FREE, FREE_OF_ADDRESS, KEPT, LONGEST
from lotus_web.models import SignInFailure
from lotus_web.services.sign_in.attempts import Attempt, begin_attempt, follow_clock, forgive, password_matches
from lotus_web.store.session import db, transaction
from tests.servers.patience import PATIENCE
from tests.support.histories import count
from tests.support.people import PASSWORD

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
OFFICE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def attempt(name: str = "nora", address: str = OFFICE, now: datetime = NOW, device: str | None = None) -> Attempt:
    with transaction() as store:
        return begin_attempt(store, name=name, address=address, device=device, now=now)


def refused(**asked: Any) -> int:
    """Return after how many seconds an attempt that is refused may be repeated."""
    with pytest.raises(TooManyAttempts) as refusal:
        attempt(**asked)
    return int(refusal.value.retry_after)


def test_each_failure_at_a_place_waits_longer_and_none_longer_than_five_minutes(session: Session) -> None:
    now, waits = NOW, []
    for number in range(FREE + 12):
        if number >= FREE:
            waits.append(refused(now=now))
            now += timedelta(seconds=waits[-1])
        attempt(now=now)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert LONGEST.total_seconds() == waits[-1]


def test_a_thousand_guesses_from_fifty_addresses_slow_nobody_down_elsewhere(session: Session) -> None:
    for number in range(50):
        now = NOW
        for guess in range(20):
            now += LONGEST if guess >= FREE else timedelta()
            attempt(address=f"203.0.113.{number}", now=now)
    assert count("sign_in_failures") == 50 * KEPT
    attempt(device="of-nora", address="203.0.113.0", now=now)  # a known device, even behind an address that guesses
    attempt(address=ELSEWHERE, now=now)  # a new one, elsewhere
    assert refused(address="203.0.113.0", now=now) <= LONGEST.total_seconds()  # a new one, there


def test_a_company_behind_one_address_is_not_locked_out_by_twenty_failures(session: Session) -> None:
    for number in range(FREE_OF_ADDRESS):
        attempt(name=f"someone-{number}")
    assert refused(name="nora") == 1
    attempt(name="nora", device="of-nora")
    attempt(name="nora", now=NOW + timedelta(seconds=1))
    attempt(name="nora", address=ELSEWHERE)


def test_guesses_on_a_known_device_are_slowed_down_there(session: Session) -> None:
    for _ in range(FREE):
        attempt(device="of-nora")
    assert refused(device="of-nora") == 1
    attempt(name="max", device="of-nora")
    attempt()


@pytest.mark.parametrize("back", [timedelta(seconds=30), timedelta(hours=3), timedelta(days=400)])
def test_a_clock_that_is_set_back_neither_locks_nor_unlocks(session: Session, back: timedelta) -> None:
    for _ in range(FREE + 3):
        attempt(now=NOW + timedelta(minutes=session.scalar(select(func.count()).select_from(SignInFailure)) or 0))
    late = NOW + timedelta(minutes=FREE + 2)
    assert refused(now=late - back) == 8
    with transaction() as store:
        follow_clock(store, Attempt("nora", OFFICE), now=late - back)
    assert refused(now=late - back + timedelta(seconds=7)) == 1
    attempt(now=late - back + timedelta(seconds=8))


def test_a_throttled_attempt_does_not_lengthen_the_wait(session: Session) -> None:
    for _ in range(FREE):
        attempt()
    for _ in range(10):
        assert refused() == 1
    attempt(now=NOW + timedelta(seconds=1))


def test_a_right_password_clears_its_own_place_only(session: Session) -> None:
    for _ in range(FREE):
        attempt(address=ELSEWHERE)
        right = attempt()
    with transaction() as store:
        forgive(store, right)
    attempt()
    assert refused(address=ELSEWHERE) == 1


def test_what_cannot_be_a_name_counts_against_the_address(session: Session) -> None:
    for number in range(FREE):
        attempt(name=f"no\x00body:{number}" * 20)
    assert refused(name="no:body") == 1
    attempt(name="nora")


def test_parallel_guesses_all_count(app: Flask) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(12)

    def guess() -> None:
        with app.app_context():
            start.wait(timeout=PATIENCE)
            try:
                attempt()
                outcomes.append("tried")
            except TooManyAttempts:
                outcomes.append("refused")

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE)
    assert sorted(outcomes) == ["refused"] * 7 + ["tried"] * FREE


def test_a_password_is_right_for_its_person_alone(session: Session, nora: str) -> None:
    assert password_matches(db.session(), name=nora, password=PASSWORD)
    assert not password_matches(db.session(), name=nora, password=PASSWORD + " ")
    assert not password_matches(db.session(), name="max", password=PASSWORD)
    assert not password_matches(db.session(), name="no\x00ra", password=PASSWORD)
    assert not password_matches(db.session(), name=nora, password=PASSWORD + "x" * 5000)


def test_an_unknown_name_costs_a_hash_like_a_known_one(
    session: Session, nora: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lotus_web.services.sign_in import attempts as sign_in

    checked: list[str] = []

    class Counting:
        def verify(self, _password: str, hashed: str) -> bool:
            checked.append(hashed)
            return True

    monkeypatch.setattr(sign_in, "HASHER", Counting())
    assert password_matches(db.session(), name=nora, password="guess")
    assert not password_matches(db.session(), name="nobody", password="guess")
    assert len(checked) == 2
