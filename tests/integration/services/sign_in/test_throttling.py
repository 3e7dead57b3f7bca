"""Guessing is slowed down per name and per address, and guesses sent side by side count like those in a row."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.domain.errors import TooManyAttempts
from lotus_web.services.sign_in.attempts import (
    FAILURES_PER_ADDRESS,
    FAILURES_PER_NAME,
    WINDOW,
    Attempt,
    begin_attempt,
    forgive,
    password_matches,
)
from lotus_web.store.session import db, transaction
from tests.servers.patience import PATIENCE
from tests.support.people import PASSWORD

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
OFFICE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def attempt(name: str = "nora", address: str = OFFICE, now: datetime = NOW) -> Attempt:
    with transaction() as store:
        return begin_attempt(store, name=name, address=address, now=now)


def test_the_sixth_failure_of_a_name_has_to_wait_wherever_it_comes_from(session: Session) -> None:
    for number in range(FAILURES_PER_NAME):
        attempt(address=f"192.0.2.{number}")
    with pytest.raises(TooManyAttempts, match="15 minutes") as refusal:
        attempt(address=ELSEWHERE)
    assert refusal.value.retry_after == WINDOW.total_seconds()
    attempt(name="max")


def test_an_address_that_tries_many_names_has_to_wait(session: Session) -> None:
    for number in range(FAILURES_PER_ADDRESS):
        attempt(name=f"someone-{number}")
    with pytest.raises(TooManyAttempts):
        attempt(name="nora")
    attempt(name="nora", address=ELSEWHERE)


def test_a_clock_that_is_set_back_neither_forgets_nor_blocks_for_long(session: Session) -> None:
    for _ in range(FAILURES_PER_NAME):
        attempt()
    with pytest.raises(TooManyAttempts) as refusal:
        attempt(now=NOW - timedelta(minutes=10))
    assert refusal.value.retry_after == timedelta(minutes=25).total_seconds()
    attempt(now=NOW - timedelta(days=365))


def test_the_wait_ends_when_the_first_failure_is_old_enough(session: Session) -> None:
    for minute in range(FAILURES_PER_NAME):
        attempt(now=NOW + timedelta(minutes=minute))
    with pytest.raises(TooManyAttempts) as refusal:
        attempt(now=NOW + timedelta(minutes=14))
    assert refusal.value.retry_after == 60
    attempt(now=NOW + WINDOW)


def test_a_throttled_attempt_does_not_lengthen_the_wait(session: Session) -> None:
    for _ in range(FAILURES_PER_NAME):
        attempt()
    for minute in range(1, 10):
        with pytest.raises(TooManyAttempts):
            attempt(now=NOW + timedelta(minutes=minute))
    attempt(now=NOW + WINDOW)


def test_a_right_password_clears_its_own_address_only(session: Session) -> None:
    for _ in range(3):
        attempt(address=ELSEWHERE)
    attempt()
    right = attempt()
    with transaction() as store:
        forgive(store, right)
    attempt()
    attempt()
    with pytest.raises(TooManyAttempts):
        attempt()


def test_what_cannot_be_a_name_counts_against_the_address(session: Session) -> None:
    for number in range(FAILURES_PER_ADDRESS):
        attempt(name=f"no\x00body:{number}" * 20)
    with pytest.raises(TooManyAttempts):
        attempt(name="nora")


def test_parallel_guesses_all_count(app: Flask) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(12)

    def guess(number: int) -> None:
        with app.app_context():
            start.wait(timeout=PATIENCE)
            try:
                attempt(address=f"192.0.2.{number}")
                outcomes.append("tried")
            except TooManyAttempts:
                outcomes.append("refused")

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE)
    assert sorted(outcomes) == ["refused"] * 7 + ["tried"] * FAILURES_PER_NAME


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
