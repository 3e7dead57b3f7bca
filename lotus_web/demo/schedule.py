"""Which circumstance meets which portfolio at the latest month-end, and how long ago each run was recorded."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from lotus_web.demo import circumstances as happened
from lotus_web.demo.circumstances import Circumstance
from lotus_web.demo.request_draft import Draft

PORTFOLIO_COUNT = 60
HISTORY_STEP_MINUTES = 29
DENSE_AFTER = 10_000


def _all(status: str, *changes: Callable[[Draft], None]) -> dict[str, Circumstance]:
    return {change.__name__: Circumstance(change.__name__, status, change) for change in changes}


READY = _all(
    "READY",
    happened.drift_only,
    happened.contribution,
    happened.foreign_cash,
    happened.model_change,
    happened.sell_only,
    happened.group_limit,
    happened.tax_lots,
    happened.client_consent,
)
PENDING = _all(
    "PENDING_REVIEW",
    happened.restricted_target,
    happened.suspended,
    happened.turnover_capped,
    happened.cap_lowered,
    happened.cash_buffer,
    happened.legacy_off_shelf,
    happened.legacy_banned,
)
BLOCKED = _all(
    "BLOCKED",
    happened.price_missing,
    happened.rate_missing,
    happened.target_off_shelf,
    happened.late_settlement,
    happened.locked_over_cap,
)
CIRCUMSTANCES = READY | PENDING | BLOCKED

# Newest first, six a line. The story in ``story.py`` is told about the PENDING_REVIEW places.
LATEST_NAMES = """
    drift_only restricted_target contribution suspended turnover_capped price_missing
    legacy_off_shelf drift_only cash_buffer cap_lowered tax_lots suspended
    foreign_cash legacy_banned turnover_capped model_change restricted_target drift_only
    suspended cap_lowered legacy_off_shelf legacy_banned sell_only turnover_capped
    rate_missing drift_only suspended group_limit restricted_target contribution
    drift_only cap_lowered locked_over_cap legacy_banned client_consent turnover_capped
    drift_only tax_lots cash_buffer late_settlement drift_only suspended
    model_change foreign_cash legacy_off_shelf drift_only target_off_shelf cash_buffer
    contribution group_limit restricted_target drift_only sell_only cap_lowered
    price_missing client_consent drift_only suspended drift_only group_limit
"""
LATEST = tuple(CIRCUMSTANCES[name] for name in LATEST_NAMES.split())


def month_plan(seed: int, months_back: int) -> tuple[Circumstance, ...]:
    """Return one circumstance a portfolio: the fixed list at the latest month-end, the same ones shuffled before it."""
    if months_back == 0:
        return LATEST
    shuffled = list(LATEST)
    Random(f"{seed}:{months_back}").shuffle(shuffled)  # nosec B311
    return tuple(shuffled)


def minutes_ago(index: int) -> int:
    """Return how long ago run ``index`` (0 is the newest) was recorded; never shorter for an older run.

    Twenty runs fall in the last four hours, so that review clocks are running; forty in the two days before;
    then one each 29 minutes, and one a minute beyond 10,000 (a million runs reach back 2.5 years).
    """
    if index < 20:
        return 3 + 12 * index
    if index < PORTFOLIO_COUNT:
        return 252 + 61 * (index - 20)
    dense = max(0, index - DENSE_AFTER)
    return 2700 + HISTORY_STEP_MINUTES * (min(index, DENSE_AFTER) - PORTFOLIO_COUNT) + dense
