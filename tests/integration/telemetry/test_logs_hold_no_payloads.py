"""Whatever fails, and in whichever format the log is, it tells the class and the places and nothing of what was sent or held."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from lotus_web.jobs.schedule import Job
from lotus_web.jobs.scheduler import Scheduler
from lotus_web.services.analyses import operation, scenarios
from lotus_web.telemetry.logs import RedactExceptionFilter
from tests.contract.callers import ALL, Caller, bearer_of
from tests.support.analyses import batch_json, simulate_json

SECRET = "pf-of-madame-x"
pytestmark = [
    pytest.mark.stores("sqlite"),
    pytest.mark.parametrize("log_format", ["json", "console"]),
    pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"),
]
Logged = Callable[[], str]


class Broken(Exception):
    """A fault that quotes what it was given."""


def fail(*_given: object, **_named: object) -> Any:
    held = {"portfolio_id": SECRET}
    raise Broken(f"cannot work on {held}")


@pytest.fixture
def app(make_app: Callable[..., Flask], log_format: str) -> Flask:
    return make_app(LOTUS_LOG_FORMAT=log_format, PROPAGATE_EXCEPTIONS="false")


@pytest.fixture
def chief(app: Flask) -> Caller:
    app.testing = False
    return Caller(app.test_client(), "pms", bearer_of(app, "pms", ALL, "default"))


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Logged:
    """``logged()``: what was logged since, seen to hold the class of the fault and nothing of its text or its locals."""
    capsys.readouterr()

    def read() -> str:
        text = capsys.readouterr().err
        assert "Broken" in text
        assert SECRET not in text
        assert "cannot work on" not in text
        assert "pf_" not in text
        return text

    return read


def about_madame_x(document: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(document).replace("pf_amara_tan", SECRET))


def test_a_scenario_that_fails(chief: Caller, logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenarios, "rebalance", fail)
    answer = chief.send("POST", "/rebalance/analyze", json=about_madame_x(batch_json()))
    assert answer.status_code == 200
    assert "scenario_failed" in logged()


@pytest.mark.parametrize("mode", ["INLINE", "ACCEPT_ONLY"])
def test_an_operation_that_fails(
    app: Flask,
    environ: dict[str, str],
    chief: Caller,
    logged: Logged,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
) -> None:
    environ["DPM_ASYNC_EXECUTION_MODE"] = mode
    monkeypatch.setattr(operation, "run_scenarios", fail)
    accepted = chief.send("POST", "/rebalance/analyze/async", json=about_madame_x(batch_json()))
    assert accepted.status_code == 202
    if mode == "ACCEPT_ONLY":
        chief.send("POST", f"/rebalance/operations/{accepted.json['operation_id']}/execute")
    assert "operation_failed" in logged()


def test_a_request_that_fails(chief: Caller, logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_web.services.runs.simulate.rebalance", fail)
    assert chief.simulate(about_madame_x(simulate_json())).status_code == 500
    assert "unexpected_error" in logged()


def test_a_job_that_fails(app: Flask, logged: Logged) -> None:
    scheduler = Scheduler(app, app.extensions["lotus_settings"])
    scheduler.tick(Job("broken", fail, lambda _settings: 60))
    assert "job_failed" in logged()


def test_a_library_that_logs_an_exception_with_all_it_has(app: Flask, logged: Logged) -> None:
    try:
        fail()
    except Broken as broken:
        logging.getLogger("apscheduler.executors.default").exception("Job %s raised an exception", "sla")
        logging.getLogger("sqlalchemy.pool").error("Exception during reset", exc_info=broken, stack_info=True)
    text = logged()
    assert text.count("fail") >= 2
    assert len(text.splitlines()) == 2


def test_a_server_that_writes_by_itself(app: Flask, logged: Logged) -> None:
    server = logging.Logger("a server")
    server.addFilter(RedactExceptionFilter())
    server.addHandler(logging.StreamHandler())
    try:
        fail()
    except Broken:
        server.exception("Error handling request %s", "/audit.csv")
    server.info("a line without a fault")
    told, plain = logged().splitlines()
    assert told.startswith("Error handling request /audit.csv: ")
    assert plain == "a line without a fault"
