"""The engine's weight problems, solved by the OSQP package when it is installed (the ``solver`` extra)."""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any

from lotus_web.domain.rebalance.arithmetic import ZERO
from lotus_web.domain.rebalance.values.weight_problem import WeightProblem, WeightSolution

PLACES = Decimal("0.0001")
SLACK = Decimal("1e-7")
SOLVER_ERROR = "SOLVER_ERROR"
UNBOUNDED_ABOVE = Decimal("1e20")
SETTINGS = {
    "verbose": False,
    "eps_abs": 1e-9,
    "eps_rel": 1e-9,
    "eps_prim_inf": 1e-7,
    "max_iter": 20000,
    # Rho adapts by iteration count, never by the clock: the same problem takes the same path on every machine.
    "adaptive_rho": 1,
    "adaptive_rho_interval": 50,
    "check_termination": 25,
}
ACCEPTED = frozenset({"solved", "solved inaccurate"})
FAILURES = {
    "primal infeasible": "INFEASIBLE_INFEASIBLE",
    "primal infeasible inaccurate": "INFEASIBLE_INFEASIBLE_INACCURATE",
    "dual infeasible": "UNBOUNDED_UNBOUNDED",
    "dual infeasible inaccurate": "UNBOUNDED_UNBOUNDED_INACCURATE",
    "maximum iterations reached": "SOLVER_NON_OPTIMAL_USER_LIMIT",
}


def solve(problem: WeightProblem) -> WeightSolution:
    """Solve, or say why not; a missing package is a failure code, never an exception."""
    try:
        import numpy
        import osqp
        import scipy.sparse as sparse
    except ImportError:
        return WeightSolution(failure=SOLVER_ERROR)
    if plainly_infeasible(problem):
        return WeightSolution(failure=FAILURES["primal infeasible"])
    try:
        return _read(_minimise(problem, osqp, numpy, sparse), problem.total_max)
    except (ArithmeticError, ValueError, osqp.OSQPException):
        return WeightSolution(failure=SOLVER_ERROR)


def _read(answer: Any, total_max: Decimal) -> WeightSolution:
    status = str(answer.info.status).lower()
    if status not in ACCEPTED:
        return WeightSolution(failure=FAILURES.get(status, f"SOLVER_NON_OPTIMAL_{status.upper().replace(' ', '_')}"))
    return WeightSolution(weights=_rounded([float(value) for value in answer.x], total_max))


def plainly_infeasible(problem: WeightProblem) -> bool:
    """Return whether the bounds contradict each other on sight, which OSQP refuses to be asked."""
    size = len(problem.targets)
    return (
        problem.total_min > problem.total_max
        or problem.total_max < ZERO
        or (problem.limit is not None and (problem.limit < ZERO or problem.limit * size < problem.total_min))
        or any(maximum < ZERO for _, maximum in problem.groups)
    )


def _minimise(problem: WeightProblem, osqp: Any, numpy: Any, sparse: Any) -> Any:
    """Hand min x'x - 2w'x with the total, each weight and each group as rows to OSQP."""
    size = len(problem.targets)
    rows = numpy.zeros((len(problem.groups), size))
    for index, (members, _) in enumerate(problem.groups):
        rows[index, list(members)] = 1.0
    matrix = sparse.vstack([sparse.csc_matrix(numpy.ones((1, size))), sparse.identity(size), rows], format="csc")
    limit = float(min(problem.limit, UNBOUNDED_ABOVE)) if problem.limit is not None else numpy.inf
    lower = [max(0.0, float(problem.total_min)), *[0.0] * size, *[-numpy.inf] * len(problem.groups)]
    upper = [
        float(min(problem.total_max, UNBOUNDED_ABOVE)),
        *[limit] * size,
        *(float(maximum) for _, maximum in problem.groups),
    ]
    solver = osqp.OSQP()
    solver.setup(
        sparse.identity(size, format="csc") * 2.0,
        numpy.array([-2.0 * float(weight) for weight in problem.targets]),
        matrix,
        numpy.array(lower),
        numpy.array(upper),
        **SETTINGS,
    )
    return solver.solve(raise_error=False)


def _rounded(weights: list[float], total_max: Decimal) -> tuple[Decimal, ...]:
    """Round to four places, half to even; where many roundings up would break the total, round down instead."""
    exact = [max(ZERO, Decimal(repr(weight))) for weight in weights]
    even = tuple(weight.quantize(PLACES, rounding=ROUND_HALF_EVEN) for weight in exact)
    if sum(even, ZERO) <= total_max:
        return even
    return tuple((weight + SLACK).quantize(PLACES, rounding=ROUND_FLOOR) for weight in exact)
