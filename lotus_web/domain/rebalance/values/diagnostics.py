"""What the engine noticed during a run: warnings, cut or dropped orders, the ladder and missing data (engine §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from lotus_web.domain.rebalance.values.codes import EventStatus
from lotus_web.domain.rebalance.values.money import Money


@dataclass(frozen=True, slots=True)
class SuppressedIntent:
    """An order below the smallest notional."""

    instrument_id: str
    intended_notional: Money
    threshold: Money
    reason: str = "BELOW_MIN_NOTIONAL"


@dataclass(frozen=True, slots=True)
class DroppedIntent:
    """An order that did not fit the turnover budget; ``score`` is its share of the portfolio."""

    instrument_id: str
    potential_notional: Money
    score: Decimal
    reason: str = "TURNOVER_LIMIT"


@dataclass(frozen=True, slots=True)
class GroupConstraintEvent:
    """A group cap at work; ``recipients`` maps an instrument to the weight it received."""

    constraint_key: str
    group_weight_before: Decimal
    max_weight: Decimal
    released_weight: Decimal
    recipients: Mapping[str, Decimal]
    status: EventStatus


@dataclass(frozen=True, slots=True)
class TaxBudgetConstraintEvent:
    """A sell cut by the gains budget; quantities are units."""

    instrument_id: str
    requested_quantity: Decimal
    allowed_quantity: Decimal
    reason_code: str = "TAX_BUDGET_LIMIT_REACHED"


@dataclass(frozen=True, slots=True)
class CashLadderPoint:
    """Projected cash of a currency ``date_offset`` days from now."""

    date_offset: int
    currency: str
    projected_balance: Decimal


@dataclass(frozen=True, slots=True)
class CashLadderBreach:
    """A projected balance below its floor."""

    date_offset: int
    currency: str
    projected_balance: Decimal
    allowed_floor: Decimal
    reason_code: str


@dataclass(frozen=True, slots=True)
class DataQuality:
    """What was missing; no list holds a value twice (delta 28)."""

    price_missing: tuple[str, ...] = ()
    fx_missing: tuple[str, ...] = ()
    shelf_missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """The journal of a finished run; three lists are for proposals and always empty here."""

    missing_fx_pairs: ClassVar[tuple[str, ...]] = ()
    funding_plan: ClassVar[tuple[Mapping[str, str], ...]] = ()
    insufficient_cash: ClassVar[tuple[Mapping[str, str], ...]] = ()

    warnings: tuple[str, ...] = ()
    suppressed_intents: tuple[SuppressedIntent, ...] = ()
    dropped_intents: tuple[DroppedIntent, ...] = ()
    group_constraint_events: tuple[GroupConstraintEvent, ...] = ()
    tax_budget_constraint_events: tuple[TaxBudgetConstraintEvent, ...] = ()
    cash_ladder: tuple[CashLadderPoint, ...] = ()
    cash_ladder_breaches: tuple[CashLadderBreach, ...] = ()
    data_quality: DataQuality = DataQuality()


@dataclass(slots=True)
class Journal:
    """The diagnostics while they are written; the missing-data maps are ordered sets."""

    warnings: list[str] = field(default_factory=list)
    suppressed: list[SuppressedIntent] = field(default_factory=list)
    dropped: list[DroppedIntent] = field(default_factory=list)
    group_events: list[GroupConstraintEvent] = field(default_factory=list)
    tax_events: list[TaxBudgetConstraintEvent] = field(default_factory=list)
    ladder: list[CashLadderPoint] = field(default_factory=list)
    breaches: list[CashLadderBreach] = field(default_factory=list)
    price_missing: dict[str, None] = field(default_factory=dict)
    fx_missing: dict[str, None] = field(default_factory=dict)
    shelf_missing: dict[str, None] = field(default_factory=dict)

    def warn(self, code: str) -> None:
        """Add a warning; the order is preserved and a code may occur twice."""
        self.warnings.append(code)

    def warn_once(self, code: str) -> None:
        """Add a warning unless it was added before."""
        if code not in self.warnings:
            self.warnings.append(code)

    def miss_price(self, instrument_id: str) -> None:
        """Record an instrument without a usable price."""
        self.price_missing[instrument_id] = None

    def miss_fx(self, source: str, target: str) -> None:
        """Record a currency pair without a usable rate."""
        self.fx_missing[f"{source}/{target}"] = None

    def miss_shelf(self, instrument_id: str) -> None:
        """Record a model target that is not on the shelf."""
        self.shelf_missing[instrument_id] = None

    def close(self) -> Diagnostics:
        """Return the journal as diagnostics."""
        return Diagnostics(
            warnings=tuple(self.warnings),
            suppressed_intents=tuple(self.suppressed),
            dropped_intents=tuple(self.dropped),
            group_constraint_events=tuple(self.group_events),
            tax_budget_constraint_events=tuple(self.tax_events),
            cash_ladder=tuple(self.ladder),
            cash_ladder_breaches=tuple(self.breaches),
            data_quality=DataQuality(tuple(self.price_missing), tuple(self.fx_missing), tuple(self.shelf_missing)),
        )
