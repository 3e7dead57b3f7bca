"""The demo's analyses of its newest portfolios: one analysis that is done, one with a scenario that failed, one waiting."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lotus_web.config.policy import DeploymentPolicy
from lotus_web.demo.actors import FEED
from lotus_web.demo.portfolios import DemoRun
from lotus_web.services.analyses.operation import submit_analysis
from lotus_web.services.operations.leases import Clock, LeaseTerms
from lotus_web.wire.rebalance.request import BatchRequestBody

Scenario = tuple[str, Mapping[str, Any]]
# Portfolios for which each of these scenarios is ready, so that no review comes of a question.
ASKED_OF = "drift_only"
AS_IT_IS: dict[str, Scenario] = {"baseline": ("The mandate as it is", {})}
HALF: dict[str, Scenario] = {
    "half_turnover": ("No more than half of the portfolio traded", {"max_turnover_pct": "0.50"})
}
MORE_CASH: dict[str, Scenario] = {"more_cash": ("Twice the usual buffer", {"min_cash_buffer_pct": "0.01"})}
# A share above one: the scenario fails and the others succeed.
MISTYPED: dict[str, Scenario] = {"mistyped": ("Turnover in percent by mistake", {"max_turnover_pct": "25"})}


@dataclass(frozen=True, slots=True)
class Question:
    """An analysis: its correlation id, how long ago it was asked, and its scenarios; done at once or left waiting."""

    correlation_id: str
    seconds_ago: int
    scenarios: Mapping[str, Scenario]
    inline: bool = True


QUESTIONS = (
    Question("corr_demo_what_if", 150, AS_IT_IS | HALF | MORE_CASH),
    Question("corr_demo_turnover", 110, AS_IT_IS | HALF | MISTYPED),
    Question("corr_demo_waiting", 60, AS_IT_IS | MORE_CASH, inline=False),
)


def load_operations(runs: Iterable[DemoRun], *, policy: DeploymentPolicy, terms: LeaseTerms, now: datetime) -> int:
    """Ask each question of the newest portfolios that merely drifted; return how many were asked.

    Each question is its own command, as over the wire: it commits by itself.
    """
    asked_of = [run for run in runs if run.circumstance == ASKED_OF][::-1]
    for question, run in zip(QUESTIONS, asked_of, strict=False):
        submit_analysis(
            _body(run, question),
            correlation_id=question.correlation_id,
            actor=FEED,
            policy=policy,
            terms=terms,
            inline=question.inline,
            clock=_clock(now - timedelta(seconds=question.seconds_ago)),
        )
    return min(len(QUESTIONS), len(asked_of))


def _clock(start: datetime) -> Clock:
    """Return a clock that is a quarter of a second further each time it is looked at."""
    looks = itertools.count()
    return lambda: start + timedelta(milliseconds=250 * next(looks))


def _body(run: DemoRun, question: Question) -> BatchRequestBody:
    shared = {name: part for name, part in run.request.items() if name != "options"}
    own: Mapping[str, Any] = run.request.get("options", {})
    scenarios = {
        name: {"description": description, "options": {**own, **options}}
        for name, (description, options) in question.scenarios.items()
    }
    return BatchRequestBody.model_validate({**shared, "scenarios": scenarios})
