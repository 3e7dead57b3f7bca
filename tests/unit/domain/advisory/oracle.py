"""A second reading of proposals-api §5.2, steps 1 to 6, in exact fractions: what a proposal must come to, without the engine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

ZERO_PLACES, THREE_PLACES = ("JPY", "KRW", "VND"), ("BHD", "KWD", "OMR")
Exchange = tuple[str, Fraction, str, Fraction]


def minor(amount: Fraction, currency: str, *, up: bool = False) -> Fraction:
    """Return an amount in whole minor units, half-even or up."""
    units = 10 ** (0 if currency in ZERO_PLACES else 3 if currency in THREE_PLACES else 2)
    return Fraction(math.ceil(amount * units) if up else round(amount * units), units)


@dataclass
class Expected:
    """What a request comes to; ``slack`` is by how much rounding may have changed the total, in the base currency."""

    before: Fraction
    after: Fraction = Fraction(0)
    paid_in: Fraction = Fraction(0)
    slack: Fraction = Fraction(0)
    cash: dict[str, Fraction] = field(default_factory=dict)
    units: dict[str, Fraction] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    blocked: int = 0
    pending: bool = False
    unfunded: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)


class Reading:
    """One request, read row by row."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        portfolio, market = document["portfolio_snapshot"], document["market_data_snapshot"]
        self.options: Mapping[str, Any] = document["options"]
        self.base: str = portfolio["base_currency"]
        self.rates = {r["pair"]: Fraction(str(r["rate"])) for r in market["fx_rates"] if Fraction(str(r["rate"])) > 0}
        self.prices = {
            row["instrument_id"]: (Fraction(str(row["price"])), row["currency"])
            for row in market["prices"]
            if Fraction(str(row["price"])) > 0
        }
        self.shelf = {row["instrument_id"]: row["status"] for row in document["shelf_entries"]}
        self.flows = [(row["currency"], Fraction(str(row["amount"]))) for row in document["proposed_cash_flows"]]
        self.trades = document["proposed_trades"]
        cash = {row["currency"]: Fraction(str(row["amount"])) for row in portfolio["cash_balances"]}
        units = {row["instrument_id"]: Fraction(str(row["quantity"])) for row in portfolio["positions"]}
        self.found = Expected(self.value(cash, units), cash=cash, units=units)

    def rate(self, source: str, target: str) -> Fraction | None:
        """Return how many ``target`` one ``source`` is worth."""
        if source == target:
            return Fraction(1)
        if f"{source}/{target}" in self.rates:
            return self.rates[f"{source}/{target}"]
        inverse = self.rates.get(f"{target}/{source}")
        return None if inverse is None else 1 / inverse

    def in_base(self, amount: Fraction, currency: str) -> Fraction:
        """Return an amount in the base currency; zero where no rate is known."""
        return amount * (self.rate(currency, self.base) or 0)

    def value(self, cash: Mapping[str, Fraction], units: Mapping[str, Fraction]) -> Fraction:
        """Return the value of a portfolio."""
        priced = [
            (quantity * self.prices[name][0], self.prices[name][1])
            for name, quantity in units.items()
            if name in self.prices
        ]
        held = [(amount, currency) for currency, amount in cash.items()]
        return sum((self.in_base(amount, currency) for amount, currency in priced + held), Fraction(0))

    def move(self, currency: str, amount: Fraction) -> None:
        """Add to a balance."""
        self.found.cash[currency] = self.found.cash.get(currency, Fraction(0)) + amount


def expected(document: Mapping[str, Any]) -> Expected:
    """Return what a request comes to: cash flows, sells, exchanges and the buys that are paid for."""
    reading = Reading(document)
    found = reading.found
    for currency, amount in reading.flows:
        reading.move(currency, amount)
        found.paid_in += reading.in_base(amount, currency)
        found.blocked += found.cash[currency] < 0
    sized = [(row["side"], row["instrument_id"], *size) for row in reading.trades if (size := _size(reading, row))]
    for side, name, quantity, notional in sized:
        if side == "SELL":
            _fill(reading, name, -quantity, notional)
    required: dict[str, Fraction] = {}
    for side, name, _, notional in sized:
        if side == "BUY":
            currency = reading.prices[name][1]
            required[currency] = required.get(currency, Fraction(0)) + notional
    if reading.options["auto_funding"]:
        found.unfunded = {currency for currency in sorted(required) if not _pay(reading, currency, required[currency])}
    for side, name, quantity, notional in sized:
        if side == "BUY" and reading.prices[name][1] not in found.unfunded:
            _fill(reading, name, quantity, -notional)
    found.after = reading.value(found.cash, found.units)
    return found


def _size(reading: Reading, row: Mapping[str, Any]) -> tuple[Fraction, Fraction] | None:
    name = row["instrument_id"]
    status = reading.shelf.get(name)
    if status is None:
        return None
    allowed = ("APPROVED", "RESTRICTED") if reading.options.get("allow_restricted") else ("APPROVED",)
    if row["side"] == "BUY" and status not in allowed:
        reading.found.blocked += 1
        return None
    if name not in reading.prices:
        return None
    price, currency = reading.prices[name]
    if row.get("notional") is None:
        quantity = Fraction(str(row["quantity"]))
        return quantity, quantity * price
    if row["notional"]["currency"] != currency:
        reading.found.blocked += 1
        return None
    notional = Fraction(str(row["notional"]["amount"]))
    return notional / price, notional


def _fill(reading: Reading, name: str, quantity: Fraction, cash: Fraction) -> None:
    reading.found.units[name] = reading.found.units.get(name, Fraction(0)) + quantity
    reading.move(reading.prices[name][1], cash)


def _pay(reading: Reading, target: str, required: Fraction) -> bool:
    found = reading.found
    need = required - found.cash.get(target, Fraction(0))
    if need <= 0:
        return True
    reading.move(target, Fraction(0))
    bought = minor(need, target, up=True)
    held = sorted(found.cash.keys() - {reading.base, target})
    candidates = [reading.base] if target != reading.base else []
    candidates += held if reading.options["fx_funding_source_currency"] == "ANY_CASH" else []
    known = False
    unknown = False
    for source in candidates:
        reading.move(source, Fraction(0))
        rate = reading.rate(target, source)
        if rate is None:
            unknown = True
            found.missing.add(f"{target}/{source}")
            continue
        known = True
        sold = minor(bought * rate, source)
        if found.cash[source] >= sold:
            reading.move(source, -sold)
            reading.move(target, bought)
            found.exchanges.append((target, bought, source, sold))
            found.slack += reading.in_base(bought, target) - reading.in_base(sold, source)
            return True
    if unknown and not known and not reading.options["block_on_missing_fx"]:
        found.pending = True
    else:
        found.blocked += 1
    return False
