"""Requests of runs and batches: parsing, the hash, and the form that is stored."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, field_validator, model_validator

from lotus_web.domain.canonical import content_hash
from lotus_web.domain.rebalance.values.request import RebalanceRequest
from lotus_web.wire.deliveries import CallbackUrlText
from lotus_web.wire.rebalance.options import EngineOptionsBody
from lotus_web.wire.rebalance.snapshot import (
    MAX_ROWS,
    MarketDataSnapshotBody,
    ModelPortfolioBody,
    PortfolioSnapshotBody,
    ShelfEntryBody,
    WireModel,
)
from lotus_web.wire.scalars import Text, storable_text

MAX_SCENARIOS = 20
MAX_OPTION_DEPTH = 8
MAX_DESCRIPTION = 2_000
FLAG = TypeAdapter(bool)
SCENARIO_NAME = re.compile(r"[a-z0-9_\-]{1,64}")


class SnapshotBody(WireModel):
    """The four objects that simulate and analyze share."""

    portfolio_snapshot: PortfolioSnapshotBody
    market_data_snapshot: MarketDataSnapshotBody
    model_portfolio: ModelPortfolioBody
    shelf_entries: Annotated[list[ShelfEntryBody], Field(max_length=MAX_ROWS)]

    def with_options(self, options: EngineOptionsBody) -> RebalanceRequest:
        """Return the domain's request for these options."""
        return RebalanceRequest(
            portfolio_snapshot=self.portfolio_snapshot.to_domain(),
            market_data_snapshot=self.market_data_snapshot.to_domain(),
            model_targets=self.model_portfolio.to_domain(),
            shelf_entries=tuple(entry.to_domain() for entry in self.shelf_entries),
            options=options.to_domain(),
        )

    def refuse_duplicates(self) -> None:
        """Raise ValueError naming the first row that comes twice (delta 23)."""
        refuse_duplicate_rows(self.portfolio_snapshot, self.market_data_snapshot, self.shelf_entries)
        targets = self.model_portfolio.targets
        refuse_twice("model_portfolio.targets", "instrument", (row.instrument_id for row in targets))


def refuse_duplicate_rows(
    portfolio: PortfolioSnapshotBody, market: MarketDataSnapshotBody, shelf: Iterable[ShelfEntryBody]
) -> None:
    """Raise ValueError naming the first row of a portfolio, its market data or the shelf that comes twice (delta 23)."""
    refuse_twice("portfolio_snapshot.cash_balances", "currency", (row.currency for row in portfolio.cash_balances))
    refuse_twice("portfolio_snapshot.positions", "instrument", (row.instrument_id for row in portfolio.positions))
    refuse_twice("market_data_snapshot.prices", "instrument", (row.instrument_id for row in market.prices))
    refuse_twice("market_data_snapshot.fx_rates", "pair", (row.pair for row in market.fx_rates))
    refuse_twice("shelf_entries", "instrument", (row.instrument_id for row in shelf))


def refuse_twice(place: str, kind: str, names: Iterable[str]) -> None:
    """Raise ValueError naming the first row of a list that comes twice (delta 23)."""
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"{place} names {kind} '{name}' more than once")


class RebalanceRequestBody(SnapshotBody):
    """The body of simulate; ``options`` may be empty but not absent."""

    options: EngineOptionsBody

    @model_validator(mode="after")
    def _no_duplicates(self) -> Self:
        if not self.options.strict_reference:
            self.refuse_duplicates()
        return self

    def to_domain(self) -> RebalanceRequest:
        """Return the domain's request."""
        return self.with_options(self.options)


class ScenarioBody(WireModel):
    """One scenario; its options are free-form here and are validated one scenario at a time."""

    description: Annotated[str, Field(max_length=MAX_DESCRIPTION), AfterValidator(storable_text)] | None = None
    options: dict[Text, Any] = Field(default_factory=dict)

    @field_validator("options")
    @classmethod
    def _storable_options(cls, value: dict[str, Any]) -> dict[str, Any]:
        return {key: _storable(item, MAX_OPTION_DEPTH) for key, item in value.items()}


def _storable(value: Any, depth: int) -> Any:
    """Return a free-form value whose fractions are texts, so that it survives JSON unchanged."""
    if depth == 0:
        raise ValueError("scenario options are nested too deeply")
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, Mapping):
        return {storable_text(str(key)): _storable(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item, depth - 1) for item in value]
    return value


def _reads_strictly(options: Mapping[str, Any]) -> bool:
    """Return whether a scenario sets ``strict_reference``, in any form that options accept for a flag."""
    try:
        return FLAG.validate_python(options.get("strict_reference", False))
    except ValidationError:
        return False


class BatchRequestBody(SnapshotBody):
    """The body of analyze: one snapshot, up to twenty sets of options."""

    scenarios: dict[str, ScenarioBody]

    @field_validator("scenarios")
    @classmethod
    def _bounded_and_named(cls, value: dict[str, ScenarioBody]) -> dict[str, ScenarioBody]:
        if not value:
            raise ValueError("at least one scenario is required")
        if len(value) > MAX_SCENARIOS:
            raise ValueError(f"scenario count exceeds maximum of {MAX_SCENARIOS}")
        if not all(SCENARIO_NAME.fullmatch(name) for name in value):
            raise ValueError(r"scenario names must match regex [a-z0-9_\-]{1,64}")
        return value

    @model_validator(mode="after")
    def _no_duplicates(self) -> Self:
        """Refuse duplicates, unless a scenario reads strictly: then each of the others fails by itself (delta 23)."""
        if not any(_reads_strictly(scenario.options) for scenario in self.scenarios.values()):
            self.refuse_duplicates()
        return self

    def scenario_names(self) -> list[str]:
        """Return the scenarios in the order they run."""
        return sorted(self.scenarios)

    def scenario_options(self, name: str) -> EngineOptionsBody:
        """Validate one scenario's options; raises pydantic's ValidationError."""
        return EngineOptionsBody.model_validate(self.scenarios[name].options)


class BatchOperationBody(BatchRequestBody):
    """The body of analyze/async: an analysis, and optionally where to say that it has ended."""

    callback_url: CallbackUrlText | None = None

    def analysis(self) -> BatchRequestBody:
        """Return the analysis alone, which is what is stored, hashed and computed."""
        return BatchRequestBody.model_construct(**{name: getattr(self, name) for name in BatchRequestBody.model_fields})


def first_message(error: ValidationError) -> str:
    """Return the first validation message, as ``INVALID_OPTIONS: …`` carries it."""
    return str(error.errors(include_url=False, include_context=False, include_input=False)[0]["msg"])


def request_hash(body: RebalanceRequestBody | BatchRequestBody) -> str:
    """Return ``sha256:`` over the request, defaults left out: equal ones have equal hashes, however written (delta 3)."""
    return content_hash(_without_defaults(body))


def _without_defaults(body: RebalanceRequestBody | BatchRequestBody) -> dict[str, Any]:
    document = body.model_dump(exclude_defaults=True)
    if isinstance(body, BatchRequestBody):
        document["scenarios"] = {name: _scenario(body, name) for name in body.scenario_names()}
    return document


def _scenario(body: BatchRequestBody, name: str) -> dict[str, Any]:
    """Return a scenario with its options read as numbers where they are valid, else as they came."""
    scenario = body.scenarios[name].model_dump(exclude_defaults=True)
    try:
        return scenario | {"options": body.scenario_options(name).model_dump(exclude_defaults=True)}
    except ValidationError:
        return scenario


def stored_request(body: RebalanceRequestBody | BatchRequestBody) -> dict[str, Any]:
    """Return the whole request with its defaults as JSON; parsed again it gives an equal body."""
    return body.model_dump(mode="json")
