"""When a delivery that failed is tried again, and what is stored of the failure."""

from __future__ import annotations

from datetime import timedelta

from lotus_web.domain.deliveries import states


def test_each_failed_attempt_waits_longer_until_the_last() -> None:
    delays = [states.retry_delay(number) for number in range(1, states.MAX_ATTEMPTS)]
    assert delays[0] == timedelta(minutes=1)
    assert all(one is not None and one <= states.LONGEST_RETRY for one in delays)
    waits = [one for one in delays if one is not None]
    assert waits == sorted(waits)
    assert len(set(waits)) > 4
    assert states.retry_delay(states.MAX_ATTEMPTS) is None


def test_of_a_failure_its_reason_or_its_kind_is_stored_and_never_its_text() -> None:
    assert states.failure_reason(states.NotTaken("HTTP 503")) == "HTTP 503"
    assert states.failure_reason(ConnectionError("ada@desk.example")) == "ConnectionError"
