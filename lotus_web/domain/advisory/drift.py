"""Distance from a reference model, before and after (proposals-api §5.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from lotus_web.domain.advisory.book import AdvisoryContext
from lotus_web.domain.advisory.result import (
    DriftAnalysis,
    DriftBucket,
    DriftDimension,
    DriftHighlights,
    ModelIdentity,
    UnmodeledExposure,
)
from lotus_web.domain.rebalance.arithmetic import ZERO, total
from lotus_web.domain.rebalance.valuation import CASH
from lotus_web.domain.rebalance.values.state import AllocationMetric, SimulatedState

CURRENCY_MISMATCH = "REFERENCE_MODEL_BASE_CURRENCY_MISMATCH"
TWO = Decimal(2)


def analyse_drift(ctx: AdvisoryContext, before: SimulatedState, after: SimulatedState) -> DriftAnalysis | None:
    """Return the drift from the request's model; None without one, or where it is in another base currency."""
    model, options = ctx.request.reference_model, ctx.options
    if model is None or not options.enable_drift_analytics:
        return None
    if model.base_currency != ctx.base:
        ctx.journal.warn(CURRENCY_MISMATCH)
        return None
    limit = options.drift_top_contributors_limit
    classes = _dimension(
        model.asset_class_targets,
        _weights(before.allocation_by_asset_class),
        _weights(after.allocation_by_asset_class),
        {CASH},
        limit,
    )
    instruments = None
    if options.enable_instrument_drift and model.instrument_targets:
        instruments = _dimension(
            model.instrument_targets,
            _weights(before.allocation_by_instrument),
            _weights(after.allocation_by_instrument),
            {trade.instrument_id for trade in ctx.request.trades},
            limit,
        )
    highlights = _highlights((instruments or classes).buckets, options.drift_unmodeled_exposure_threshold, limit)
    identity = ModelIdentity(model.model_id, model.as_of, model.base_currency)
    return DriftAnalysis(identity, classes, instruments, highlights)


def _weights(rows: Iterable[AllocationMetric]) -> dict[str, Decimal]:
    weights: dict[str, Decimal] = {}
    for row in rows:
        weights[row.key] = weights.get(row.key, ZERO) + row.weight
    return weights


def _dimension(
    model: Mapping[str, Decimal],
    before: Mapping[str, Decimal],
    after: Mapping[str, Decimal],
    always: set[str],
    limit: int,
) -> DriftDimension:
    names = sorted(model.keys() | before.keys() | after.keys() | always)
    buckets = tuple(
        _bucket(name, model.get(name, ZERO), before.get(name, ZERO), after.get(name, ZERO)) for name in names
    )
    total_before = total(row.abs_drift_before for row in buckets) / TWO
    total_after = total(row.abs_drift_after for row in buckets) / TWO
    top = sorted(buckets, key=lambda row: (-row.abs_drift_before, row.bucket))[:limit]
    return DriftDimension(total_before, total_after, total_after - total_before, tuple(top), buckets)


def _bucket(name: str, model: Decimal, before: Decimal, after: Decimal) -> DriftBucket:
    drift_before, drift_after = before - model, after - model
    return DriftBucket(
        bucket=name,
        model_weight=model,
        portfolio_weight_before=before,
        portfolio_weight_after=after,
        drift_before=drift_before,
        drift_after=drift_after,
        abs_drift_before=abs(drift_before),
        abs_drift_after=abs(drift_after),
        improvement=abs(drift_before) - abs(drift_after),
    )


def _highlights(buckets: tuple[DriftBucket, ...], threshold: Decimal, limit: int) -> DriftHighlights:
    better = sorted((row for row in buckets if row.improvement > ZERO), key=lambda row: (-row.improvement, row.bucket))
    worse = sorted((row for row in buckets if row.improvement < ZERO), key=lambda row: (row.improvement, row.bucket))
    unknown = [_exposure(row) for row in buckets if row.model_weight == ZERO]
    unknown = sorted(
        (row for row in unknown if row.max_portfolio_weight >= threshold),
        key=lambda row: (-row.max_portfolio_weight, row.bucket),
    )
    return DriftHighlights(tuple(better[:limit]), tuple(worse[:limit]), tuple(unknown[:limit]))


def _exposure(row: DriftBucket) -> UnmodeledExposure:
    before, after = row.portfolio_weight_before, row.portfolio_weight_after
    return UnmodeledExposure(row.bucket, before, after, max(before, after))
