"""Operations: accepted work that is carried out exactly once and survives its worker (ADR-0001, dpm-api §5, deltas 6–7)."""

from __future__ import annotations

from enum import StrEnum

from lotus_web.domain.errors import Conflict
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.write_policy import VERSIONED

NOT_EXECUTABLE = "DPM_ASYNC_OPERATION_NOT_EXECUTABLE"
NOT_FOUND = "DPM_ASYNC_OPERATION_NOT_FOUND"
PROPOSAL_OPERATION_NOT_FOUND = "PROPOSAL_ASYNC_OPERATION_NOT_FOUND"
WORKER_LOST = "WORKER_LOST"
OPERATION_FAILED = "OPERATION_FAILED"
STORED_REQUEST_INVALID = "STORED_REQUEST_INVALID"
# How often a computing worker renews its lease, and after how many leases one step counts as hung.
BEATS_A_LEASE = 3
LEASES_A_STEP = 40


class OperationFamily(StrEnum):
    """Which lists and look-ups an operation belongs to."""

    REBALANCE = "rebalance"
    PROPOSALS = "proposals"


class OperationType(StrEnum):
    """What an operation does; each type has a handler (services/handlers.py)."""

    ANALYZE_SCENARIOS = "ANALYZE_SCENARIOS"
    CREATE_PROPOSAL = "CREATE_PROPOSAL"
    CREATE_PROPOSAL_VERSION = "CREATE_PROPOSAL_VERSION"


FAMILY = {
    OperationType.ANALYZE_SCENARIOS: OperationFamily.REBALANCE,
    OperationType.CREATE_PROPOSAL: OperationFamily.PROPOSALS,
    OperationType.CREATE_PROPOSAL_VERSION: OperationFamily.PROPOSALS,
}
ID_PREFIXES = {OperationFamily.REBALANCE: "dop_", OperationFamily.PROPOSALS: "pop_"}


# Where a client asks how an operation is doing (proposals-api §9.1).
STATUS_PATHS = {
    OperationFamily.REBALANCE: f"{VERSIONED}/operations/",
    OperationFamily.PROPOSALS: f"{VERSIONED}/proposals/operations/",
}


def status_url(family: OperationFamily, operation_id: str) -> str:
    """Return the path of an operation's status."""
    return STATUS_PATHS[family] + operation_id


class OperationStatus(StrEnum):
    """The status of an operation (dpm-api §5.2)."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class Move(StrEnum):
    """A change of status; ``TAKE_OVER`` claims an operation whose worker stopped renewing its lease."""

    CLAIM = "CLAIM"
    TAKE_OVER = "TAKE_OVER"
    SUCCEED = "SUCCEED"
    FAIL = "FAIL"


MOVES: dict[tuple[OperationStatus, Move], OperationStatus] = {
    (OperationStatus.PENDING, Move.CLAIM): OperationStatus.RUNNING,
    (OperationStatus.RUNNING, Move.TAKE_OVER): OperationStatus.RUNNING,
    (OperationStatus.RUNNING, Move.SUCCEED): OperationStatus.SUCCEEDED,
    (OperationStatus.RUNNING, Move.FAIL): OperationStatus.FAILED,
}
FINISHED = frozenset({OperationStatus.SUCCEEDED, OperationStatus.FAILED})


def status_after(status: OperationStatus, move: Move) -> OperationStatus:
    """Return the status after ``move``; raises Conflict ``DPM_ASYNC_OPERATION_NOT_EXECUTABLE`` if it is not allowed."""
    try:
        return MOVES[status, move]
    except KeyError:
        raise Conflict(
            NOT_EXECUTABLE, Sentence("The operation is {status} and can no longer be executed.", status=status.value)
        ) from None


def status_before(move: Move) -> OperationStatus:
    """Return the one status that ``move`` starts from: the condition of the update."""
    return next(status for status, known in MOVES if known is move)


def is_executable(status: str) -> bool:
    """Return whether it can still be executed manually: only while it is PENDING (dpm-api §5.3)."""
    return (OperationStatus(status), Move.CLAIM) in MOVES


def scenario_correlation(correlation_id: str | None, batch_run_id: str, name: str) -> str:
    """Return the correlation id of one scenario's run; without a caller's id, the batch's is used (dpm-api §1.5)."""
    return f"{correlation_id or batch_run_id}:{name}"


def scenario_request_hash(batch_run_id: str, name: str) -> str:
    """Return the value used as request hash of one scenario's run (dpm-api §1.5)."""
    return f"{batch_run_id}:{name}"
