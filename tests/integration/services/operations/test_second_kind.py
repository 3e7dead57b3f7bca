"""A second kind of operation is one more handler: submitted, claimed, handed back, failed and finished as the first."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

import pytest

from lotus_web.config.current import utcnow
from lotus_web.config.settings import Settings
from lotus_web.domain.operations import FAMILY, OperationFamily
from lotus_web.jobs.context import JobContext
from lotus_web.jobs.operations import run_due
from lotus_web.models import Operation, OperationPayload
from lotus_web.services.handlers import HANDLERS
from lotus_web.services.operations.leases import Interrupted, claim_operation
from lotus_web.services.operations.submit import Accepted, submit_operation
from lotus_web.services.operations.worker import Assignment, Done, Handlers, execute_inline, execute_now, work_on
from lotus_web.store.session import db, transaction
from lotus_web.wire.packed import unpack_document
from tests.support.analyses import TERMS, accept
from tests.support.histories import FEED, OFF, count

pytestmark = pytest.mark.usefixtures("session")


class Kind(StrEnum):
    """A type of operation that the product does not have."""

    ADD = "ADD_NUMBERS"


def add(assignment: Assignment) -> Done:
    if assignment.stop():
        raise Interrupted
    numbers = unpack_document(assignment.payload.request)["numbers"]
    return Done({"sum": sum(numbers), "subject": assignment.operation.subject_id})


ADDS: Handlers = {Kind.ADD: add}


@pytest.fixture(autouse=True)
def _second_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILY, Kind.ADD, OperationFamily.PROPOSALS)


def submit(numbers: object) -> Accepted:
    with transaction() as session:
        operation = submit_operation(
            session,
            Kind.ADD,
            request={"numbers": numbers},
            subject_id="sum-1",
            steps_total=1,
            correlation_id="corr-sum",
            actor=FEED,
            now=utcnow(),
        )
        return Accepted.of(operation)


def stored(accepted: Accepted) -> tuple[Operation, Any]:
    db.session.rollback()
    key = (FEED.tenant_id, accepted.operation_id)
    operation = db.session.get(Operation, key, populate_existing=True)
    payload = db.session.get(OperationPayload, key, populate_existing=True)
    assert operation is not None
    assert payload is not None
    return operation, payload.result and unpack_document(payload.result)


def test_the_jobs_process_carries_out_both_kinds(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, Kind.ADD, add)
    sums, analysis = submit([1, 2, 3]), accept()
    assert run_due(JobContext(Settings(environ)), utcnow()) == {"finished": 2, "released": 0}
    operation, result = stored(sums)
    assert (operation.status, operation.operation_type, operation.family) == ("SUCCEEDED", "ADD_NUMBERS", "proposals")
    assert result == {"sum": 6, "subject": "sum-1"}
    assert stored(analysis)[0].status == "SUCCEEDED"
    assert count("dpm_runs") == 3


def test_it_is_executed_at_once_with_its_own_table_alone() -> None:
    accepted = submit([4])
    execute_now(accepted.operation_id, tenant_id=FEED.tenant_id, handlers=ADDS, policy=OFF, terms=TERMS, clock=utcnow)
    assert stored(accepted)[1]["sum"] == 4


def test_one_that_is_told_to_stop_is_due_again_and_its_attempt_does_not_count() -> None:
    accepted = submit([5])
    with transaction() as session:
        claim = claim_operation(session, FEED.tenant_id, accepted.operation_id, terms=TERMS, now=utcnow())
    assert not work_on(claim, handlers=ADDS, policy=OFF, terms=TERMS, clock=utcnow, stop=lambda: True)
    operation, _ = stored(accepted)
    assert (operation.status, operation.attempts, operation.lease_owner) == ("RUNNING", 0, None)


@pytest.mark.parametrize("handlers", [ADDS, {}], ids=["a handler that fails", "no handler"])
def test_a_failure_ends_it_with_the_same_stable_code(handlers: Handlers) -> None:
    accepted = submit("not numbers" if handlers else [1])
    with transaction() as session:
        claim = claim_operation(session, FEED.tenant_id, accepted.operation_id, terms=TERMS, now=utcnow())
    execute_inline(claim, handlers=handlers, policy=OFF, terms=TERMS, clock=utcnow)
    operation, result = stored(accepted)
    assert (operation.status, operation.error_code, result) == ("FAILED", "OPERATION_FAILED", None)
    assert "not numbers" not in json.dumps(operation.error_message)
