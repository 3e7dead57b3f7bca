"""One process leads, by the clock of the store: another follows the moment its lease is over, and looks often enough to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from lotus_web.domain.errors import Conflict
from lotus_web.jobs import operations
from lotus_web.jobs.schedule import JOBS, cadences
from lotus_web.jobs.scheduler import Scheduler
from lotus_web.services.jobs import leases
from lotus_web.services.jobs.leases import Leadership, check_lead, release_lead, take_lead
from lotus_web.store.session import transaction
from tests.support.events import NOON

LEASE, MICROSECOND = timedelta(seconds=15), timedelta(microseconds=1)
Try = Callable[[str, timedelta], Leadership | None]


@pytest.fixture
def tries(session: object, monkeypatch: pytest.MonkeyPatch) -> Try:
    """``tries("a", after)``: a process tries to lead so long after noon."""

    def at(owner: str, after: timedelta) -> Leadership | None:
        monkeypatch.setattr(leases, "store_now", lambda _: NOON + after)
        with transaction() as opened:
            return take_lead(opened, owner, lease=LEASE)

    return at


def test_another_leads_the_moment_the_lease_is_over(tries: Try) -> None:
    first = tries("a", timedelta())
    assert first is not None
    assert tries("b", LEASE - MICROSECOND) is None
    second = tries("b", LEASE)
    assert second is not None
    assert (second.owner, second.fence) == ("b", first.fence + 1)
    with pytest.raises(Conflict, match="Another process"), transaction() as session:
        check_lead(session, first)


def test_who_leads_goes_on_leading_and_keeps_its_fence(tries: Try) -> None:
    first = tries("a", timedelta())
    assert tries("a", LEASE / 3) == first
    assert tries("b", LEASE) is None
    assert tries("b", LEASE + LEASE / 3 - MICROSECOND) is None
    assert tries("b", LEASE + LEASE / 3) is not None


def test_who_gives_the_lead_up_is_followed_at_once(tries: Try) -> None:
    tries("a", timedelta())
    with transaction() as session:
        release_lead(session, "a")
    assert tries("b", timedelta()) is not None


@pytest.mark.stores("sqlite")
def test_each_process_asks_for_the_lead_three_times_a_lease_and_runs_each_job_at_its_cadence(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = app.extensions["lotus_settings"]
    waiting = Scheduler(app, settings)
    monkeypatch.setattr(waiting.clock, "start", lambda: None)
    waiting.start()
    found = waiting.clock.get_jobs()
    asks = [job.trigger.interval for job in found if job.func == waiting.renew]
    assert asks == [timedelta(seconds=settings.jobs_lease_seconds) / 3]
    ticks = {job.args[0].name: job.trigger.interval for job in found if job.func == waiting.tick}
    assert ticks == {name: timedelta(seconds=every) for name, every in cadences(settings).items()}
    assert set(ticks) == {job.name for job in JOBS}
    assert settings.operation_lease_seconds >= 10 * operations.CADENCE_SECONDS
