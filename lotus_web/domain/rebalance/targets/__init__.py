"""Target weights: chosen by the heuristic or the solver, within group and position limits."""
