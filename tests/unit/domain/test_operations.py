"""Operations move along a table, and along nothing else."""

from __future__ import annotations

import itertools

import pytest

from lotus_web.domain.errors import Conflict
from lotus_web.domain.operations import (
    FAMILY,
    FINISHED,
    MOVES,
    Move,
    OperationStatus,
    OperationType,
    is_executable,
    scenario_correlation,
    scenario_request_hash,
    status_after,
    status_before,
)

P, R, S, F = OperationStatus.PENDING, OperationStatus.RUNNING, OperationStatus.SUCCEEDED, OperationStatus.FAILED
ALLOWED = {(P, Move.CLAIM): R, (R, Move.TAKE_OVER): R, (R, Move.SUCCEED): S, (R, Move.FAIL): F}


@pytest.mark.parametrize(("status", "move"), itertools.product(OperationStatus, Move))
def test_every_move_from_every_status_leads_where_the_table_says_or_is_refused(
    status: OperationStatus, move: Move
) -> None:
    if (status, move) in ALLOWED:
        assert status_after(status, move) is ALLOWED[status, move]
        return
    with pytest.raises(Conflict) as refusal:
        status_after(status, move)
    assert refusal.value.code == "DPM_ASYNC_OPERATION_NOT_EXECUTABLE"
    assert status.value in refusal.value.message


def test_each_move_starts_from_one_status_so_that_a_conditional_update_can_demand_it() -> None:
    for move in Move:
        assert [status for status, known in MOVES if known is move] == [status_before(move)]


def test_nothing_leaves_a_finished_operation() -> None:
    assert {status for status, _ in MOVES}.isdisjoint(FINISHED)


@pytest.mark.parametrize("status", OperationStatus)
def test_only_what_waits_can_be_executed_by_hand(status: OperationStatus) -> None:
    assert is_executable(status.value) is (status is P)


def test_every_type_belongs_to_a_family() -> None:
    assert set(FAMILY) == set(OperationType)


def test_a_scenario_is_named_after_its_caller_or_else_its_batch() -> None:
    assert scenario_correlation("corr-1", "batch_1", "base") == "corr-1:base"
    assert scenario_correlation(None, "batch_1", "base") == "batch_1:base"
    assert scenario_request_hash("batch_1", "base") == "batch_1:base"
