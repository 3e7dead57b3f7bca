"""The suitability scan: what a proposal brings, keeps and removes (proposals-api §5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from lotus_web.domain.advisory.book import AdvisoryContext
from lotus_web.domain.advisory.result import (
    IssueEvidence,
    RecommendedGate,
    SnapshotIds,
    StatusChange,
    Suitability,
    SuitabilityIssue,
    SuitabilitySummary,
)
from lotus_web.domain.advisory.values import AdvisoryRequest
from lotus_web.domain.rebalance.arithmetic import ZERO, sums
from lotus_web.domain.rebalance.valuation import CASH
from lotus_web.domain.rebalance.values.codes import ReasonSeverity, ShelfStatus, Side
from lotus_web.domain.rebalance.values.request import ShelfEntry
from lotus_web.domain.rebalance.values.state import SimulatedState

UNNAMED_MARKET_DATA = "md"
EPSILON = Decimal("1e-7")
# A limit that is exceeded by more than a quarter is a HIGH finding.
SEVERE = Decimal("1.25")
RANK = {ReasonSeverity.HIGH: 0, ReasonSeverity.MEDIUM: 1, ReasonSeverity.LOW: 2}
CHANGE_RANK = {StatusChange.NEW: 0, StatusChange.PERSISTENT: 1, StatusChange.RESOLVED: 2}


@dataclass(frozen=True, slots=True)
class _Finding:
    """An issue of one state, before it is known whether it is new."""

    issue_id: str
    key: str
    dimension: str
    severity: ReasonSeverity
    summary: str
    details: Mapping[str, str]


def scan(ctx: AdvisoryContext, before: SimulatedState, after: SimulatedState) -> Suitability | None:
    """Return the findings of both states, compared by their keys; None where the scan is switched off.

    The order is NEW, PERSISTENT, RESOLVED, then by severity, dimension and key.
    """
    if not ctx.options.enable_suitability_scanner:
        return None
    old = {row.key: row for row in _findings(ctx, before)}
    new = {row.key: row for row in _findings(ctx, after)}
    new |= {row.key: row for row in _increases(ctx, _weights(before), _weights(after))}
    changes = {key: StatusChange.PERSISTENT if key in old else StatusChange.NEW for key in new}
    changes |= {key: StatusChange.RESOLVED for key in old if key not in new}
    snapshots = snapshot_ids(ctx.request)
    evidence = IssueEvidence(snapshots.market_data_snapshot_id, snapshots)
    issues = [_issue(new.get(key) or old[key], change, evidence) for key, change in changes.items()]
    issues.sort(
        key=lambda row: (CHANGE_RANK[row.status_change], RANK[row.severity], row.dimension, row.issue_key),
    )
    return Suitability(_summary(issues), tuple(issues), _gate(issues))


def new_issues(suitability: Suitability | None, severity: ReasonSeverity) -> list[SuitabilityIssue]:
    """Return the new issues of one severity, none without a scan."""
    issues = suitability.issues if suitability else ()
    return [row for row in issues if row.status_change is StatusChange.NEW and row.severity is severity]


def snapshot_ids(request: AdvisoryRequest) -> SnapshotIds:
    """Return the names of the request's snapshots; one without a name goes by its portfolio, or by ``md``."""
    portfolio, market = request.portfolio_snapshot, request.market_data_snapshot
    return SnapshotIds(portfolio.snapshot_id or portfolio.portfolio_id, market.snapshot_id or UNNAMED_MARKET_DATA)


def _issue(row: _Finding, change: StatusChange, evidence: IssueEvidence) -> SuitabilityIssue:
    return SuitabilityIssue(
        row.issue_id, row.key, row.dimension, row.severity, change, row.summary, row.details, evidence
    )


def _summary(issues: list[SuitabilityIssue]) -> SuitabilitySummary:
    counts = {change: sum(row.status_change is change for row in issues) for change in StatusChange}
    fresh = [row.severity for row in issues if row.status_change is StatusChange.NEW]
    return SuitabilitySummary(
        counts[StatusChange.NEW],
        counts[StatusChange.RESOLVED],
        counts[StatusChange.PERSISTENT],
        min(fresh, key=RANK.__getitem__, default=None),
    )


def _gate(issues: list[SuitabilityIssue]) -> RecommendedGate:
    fresh = {row.severity for row in issues if row.status_change is StatusChange.NEW}
    if ReasonSeverity.HIGH in fresh:
        return RecommendedGate.COMPLIANCE_REVIEW
    return RecommendedGate.RISK_REVIEW if ReasonSeverity.MEDIUM in fresh else RecommendedGate.NONE


def _weights(state: SimulatedState) -> dict[str, Decimal]:
    """Return the positive weights by instrument: what is not held is not scanned."""
    weights = sums((row.instrument_id, row.weight) for row in state.positions)
    return {key: weight for key, weight in sorted(weights.items()) if weight > ZERO}


def _findings(ctx: AdvisoryContext, state: SimulatedState) -> Iterator[_Finding]:
    weights = _weights(state)
    yield from _positions(ctx, weights)
    yield from _issuers(ctx, weights)
    yield from _tiers(ctx, weights)
    yield from _data_quality(ctx, weights)
    yield from _never_held(ctx, weights)
    yield from _cash_band(ctx, state)


def _text(weight: Decimal) -> str:
    """Return a weight in full, without an exponent."""
    return format(weight, "f")


def _over(measured: Decimal, limit: Decimal) -> bool:
    return measured > limit + EPSILON


def _excess(limit: Decimal, measured: Decimal) -> ReasonSeverity:
    return ReasonSeverity.HIGH if _over(measured, SEVERE * limit) else ReasonSeverity.MEDIUM


def _limit_details(kind: str, name: str, limit: Decimal, measured: Decimal) -> dict[str, str]:
    return {kind: name, "threshold": _text(limit), "measured": _text(measured)}


def _positions(ctx: AdvisoryContext, weights: Mapping[str, Decimal]) -> Iterator[_Finding]:
    limit = ctx.options.suitability_thresholds.single_position_max_weight
    for key, weight in weights.items():
        if _over(weight, limit):
            yield _Finding(
                "SUIT_SINGLE_POSITION_MAX",
                f"SINGLE_POSITION_MAX|{key}",
                "CONCENTRATION",
                _excess(limit, weight),
                f"{key} is a larger part of the portfolio than one position may be.",
                _limit_details("instrument_id", key, limit, weight),
            )


def _grouped(pairs: Iterable[tuple[str | None, Decimal]]) -> dict[str, Decimal]:
    return dict(sorted(sums((name, weight) for name, weight in pairs if name).items()))


def _on_shelf(ctx: AdvisoryContext, weights: Mapping[str, Decimal]) -> list[tuple[ShelfEntry, Decimal]]:
    return [(ctx.shelf[key], weight) for key, weight in weights.items() if key in ctx.shelf]


def _issuers(ctx: AdvisoryContext, weights: Mapping[str, Decimal]) -> Iterator[_Finding]:
    limit = ctx.options.suitability_thresholds.issuer_max_weight
    for issuer, weight in _grouped((entry.issuer_id, weight) for entry, weight in _on_shelf(ctx, weights)).items():
        if _over(weight, limit):
            yield _Finding(
                "SUIT_ISSUER_MAX",
                f"ISSUER_MAX|{issuer}",
                "ISSUER",
                _excess(limit, weight),
                f"Instruments of issuer {issuer} are a larger part of the portfolio than one issuer may be.",
                _limit_details("issuer_id", issuer, limit, weight),
            )


def _tiers(ctx: AdvisoryContext, weights: Mapping[str, Decimal]) -> Iterator[_Finding]:
    limits = ctx.options.suitability_thresholds.max_weight_by_liquidity_tier
    for tier, weight in _grouped((entry.liquidity_tier, weight) for entry, weight in _on_shelf(ctx, weights)).items():
        limit = limits.get(tier)
        if limit is not None and _over(weight, limit):
            yield _Finding(
                "SUIT_LIQUIDITY_MAX",
                f"LIQUIDITY_MAX|{tier}",
                "LIQUIDITY",
                _excess(limit, weight),
                f"Instruments of liquidity tier {tier} are a larger part of the portfolio than allowed.",
                _limit_details("liquidity_tier", tier, limit, weight),
            )


def _data_quality(ctx: AdvisoryContext, weights: Mapping[str, Decimal]) -> Iterator[_Finding]:
    severity = ctx.options.suitability_thresholds.data_quality_issue_severity
    for key in weights:
        for field in _missing_fields(ctx.shelf.get(key)):
            kind = field.removesuffix("_entry").removesuffix("_id").upper()
            yield _Finding(
                "SUIT_DATA_QUALITY",
                f"DQ|MISSING_{kind}|{key}",
                "DATA_QUALITY",
                severity,
                f"{key} has no {field.replace('_', ' ').removesuffix(' id')}.",
                {"instrument_id": key, "missing_fields": field},
            )


def _missing_fields(entry: ShelfEntry | None) -> list[str]:
    if entry is None:
        return ["shelf_entry"]
    present = {"issuer_id": entry.issuer_id, "liquidity_tier": entry.liquidity_tier}
    return [name for name, value in present.items() if not value]


def _never_held(ctx: AdvisoryContext, weights: Mapping[str, Decimal]) -> Iterator[_Finding]:
    for entry, weight in _on_shelf(ctx, weights):
        if entry.status in (ShelfStatus.BANNED, ShelfStatus.SUSPENDED):
            key = entry.instrument_id
            yield _Finding(
                f"SUIT_GOVERNANCE_{entry.status}",
                f"GOVERNANCE|{key}|{entry.status}",
                "GOVERNANCE",
                ReasonSeverity.HIGH,
                f"{key} is held although it is {entry.status.lower()}.",
                {"instrument_id": key, "shelf_status": entry.status.value, "measured": _text(weight)},
            )


def _increases(ctx: AdvisoryContext, before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> Iterator[_Finding]:
    """Yield what may only shrink and grew, or was to be bought; such a finding is always about the state after."""
    bought = {trade.instrument_id for trade in ctx.request.trades if trade.side is Side.BUY}
    for entry, weight in _on_shelf(ctx, after):
        if entry.status not in (ShelfStatus.SELL_ONLY, ShelfStatus.RESTRICTED):
            continue
        key = entry.instrument_id
        earlier = before.get(key, ZERO)
        if not (_over(weight, earlier) or key in bought):
            continue
        details = {
            "instrument_id": key,
            "shelf_status": entry.status.value,
            "measured_before": _text(earlier),
            "measured_after": _text(weight),
        }
        severity = ReasonSeverity.HIGH
        if entry.status is ShelfStatus.RESTRICTED:
            details["allow_restricted"] = str(ctx.options.allow_restricted).lower()
            severity = ReasonSeverity.MEDIUM if ctx.options.allow_restricted else ReasonSeverity.HIGH
        yield _Finding(
            f"SUIT_GOVERNANCE_{entry.status}_INCREASE",
            f"GOVERNANCE|{key}|{entry.status}",
            "GOVERNANCE",
            severity,
            f"{key} is {entry.status.replace('_', ' ').lower()}, and the proposal buys it or lets its weight grow.",
            details,
        )


def _cash_band(ctx: AdvisoryContext, state: SimulatedState) -> Iterator[_Finding]:
    limits = ctx.options.suitability_thresholds
    low, high = limits.cash_band_min_weight, limits.cash_band_max_weight
    weight = next(row.weight for row in state.allocation_by_asset_class if row.key == CASH)
    if weight < low - EPSILON or weight > high + EPSILON:
        yield _Finding(
            "SUIT_CASH_BAND",
            "CASH_BAND",
            "CASH",
            ReasonSeverity.MEDIUM,
            "Cash is outside of its band.",
            {"threshold_min": _text(low), "threshold_max": _text(high), "measured": _text(weight)},
        )
