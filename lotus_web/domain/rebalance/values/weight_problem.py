"""Least squares under linear limits, as the engine asks for them; who solves that is handed in (services/runs/solver.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

# What the code of a problem without a solution begins with.
INFEASIBLE = "INFEASIBLE"


@dataclass(frozen=True, slots=True)
class WeightProblem:
    """Find non-negative weights nearest to ``wanted``.

    Their sum lies in [``total_min``, ``total_max``], each is at most ``limit``, and each group's sum (member
    positions, maximum) is at most its maximum.
    """

    wanted: tuple[Decimal, ...]
    total_min: Decimal
    total_max: Decimal
    limit: Decimal | None
    groups: tuple[tuple[tuple[int, ...], Decimal], ...]


@dataclass(frozen=True, slots=True)
class WeightSolution:
    """Weights with four places, or the code of the failure."""

    weights: tuple[Decimal, ...] = ()
    failure: str | None = None


# Gives the same solution for the same problem wherever it runs, and never raises.
Solve = Callable[[WeightProblem], WeightSolution]
