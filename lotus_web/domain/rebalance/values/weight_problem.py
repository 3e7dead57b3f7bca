"""Least squares under linear constraints; the solver is passed in (services/runs/solver.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

# The first word of the code of a problem without a solution.
INFEASIBLE = "INFEASIBLE"


@dataclass(frozen=True, slots=True)
class WeightProblem:
    """Find the non-negative weights closest to ``targets``.

    Their sum lies in [``total_min``, ``total_max``], each is at most ``limit``, and each group's sum (member
    positions, maximum) is at most its maximum.
    """

    targets: tuple[Decimal, ...]
    total_min: Decimal
    total_max: Decimal
    limit: Decimal | None
    groups: tuple[tuple[tuple[int, ...], Decimal], ...]


@dataclass(frozen=True, slots=True)
class WeightSolution:
    """Weights with four places, or the code of the failure."""

    weights: tuple[Decimal, ...] = ()
    failure: str | None = None


# Deterministic: the same solution for the same problem on every machine. Never raises.
Solve = Callable[[WeightProblem], WeightSolution]
