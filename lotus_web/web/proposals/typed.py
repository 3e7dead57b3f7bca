"""The form of a proposal as it was typed: its rows, adding and removing one, and the request that it makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from lotus_web.domain.free_text import without_untaken
from lotus_web.queries.proposals.basis import Basis

UNITS, MONEY = "units", "money"
MOST_ROWS = 50
GROUPING = frozenset("'\N{RIGHT SINGLE QUOTATION MARK} \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}")
TEXTS = ("title", "advisor_notes", "jurisdiction", "mandate_id")


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A cash flow as typed."""

    currency: str = ""
    amount: str = ""
    description: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed that would be sent; the currency may be the one that was filled in."""
        return not (self.amount or self.description)


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A trade as typed; ``size_in`` says whether its size is a number of units or an amount of money."""

    side: str = "BUY"
    instrument_id: str = ""
    size: str = ""
    size_in: str = UNITS

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed that would be sent."""
        return not (self.instrument_id or self.size)


@dataclass(frozen=True, slots=True)
class Typed:
    """All fields. ``key`` makes it safe to send the form twice; ``basis`` names what the proposal is computed from.

    ``version`` is the number of the version that a new one follows, as far as its maker knew.
    """

    key: str = ""
    basis: str = ""
    version: str = ""
    texts: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(TEXTS, ""))
    trades: tuple[TradeRow, ...] = (TradeRow(),)
    flows: tuple[FlowRow, ...] = ()

    @classmethod
    def of(cls, fields: MultiDict[str, str]) -> Typed:
        """Read the form; more rows than it offers are left out."""
        return cls(
            key=fields.get("key", ""),
            basis=fields.get("basis", ""),
            version=fields.get("version", ""),
            texts={name: fields.get(name, "") for name in TEXTS},
            trades=tuple(TradeRow(*row) for row in _rows(fields, "side", "instrument_id", "size", "size_in"))
            or (TradeRow(),),
            flows=tuple(FlowRow(*row) for row in _rows(fields, "currency", "amount", "description")),
        )

    @classmethod
    def of_inputs(cls, inputs: Mapping[str, Any], *, key: str, basis: str, version: int) -> Typed:
        """Return the form filled with the trades and cash flows of an earlier version."""
        return cls(
            key=key,
            basis=basis,
            version=str(version),
            trades=tuple(_trade_row(row) for row in inputs.get("proposed_trades", ())) or (TradeRow(),),
            flows=tuple(
                FlowRow(row["currency"], str(row["amount"]), row.get("description") or "")
                for row in inputs.get("proposed_cash_flows", ())
            ),
        )

    @property
    def shown(self) -> Typed:
        """The same without characters that no page can hold."""
        clean = without_untaken
        return Typed(
            key=clean(self.key),
            basis=clean(self.basis),
            version=clean(self.version),
            texts={name: clean(text) for name, text in self.texts.items()},
            trades=tuple(
                TradeRow(clean(row.side), clean(row.instrument_id), clean(row.size), clean(row.size_in))
                for row in self.trades
            ),
            flows=tuple(FlowRow(clean(row.currency), clean(row.amount), clean(row.description)) for row in self.flows),
        )

    def changed(self, command: str) -> Typed:
        """Return the form with a row more or less, as its button says; unchanged for any other command."""
        verb, _, number = command.partition(":")
        place = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else -1
        match verb:
            case "add_trade" if len(self.trades) < MOST_ROWS:
                return replace(self, trades=(*self.trades, TradeRow()))
            case "add_flow" if len(self.flows) < MOST_ROWS:
                return replace(self, flows=(*self.flows, FlowRow()))
            case "remove_trade":
                return replace(self, trades=_without(self.trades, place) or (TradeRow(),))
            case "remove_flow":
                return replace(self, flows=_without(self.flows, place))
        return self

    def sent_trades(self) -> list[tuple[int, TradeRow]]:
        """Return the rows that are filled in, with their places in the form."""
        return [(place, row) for place, row in enumerate(self.trades) if not row.is_blank]

    def sent_flows(self) -> list[tuple[int, FlowRow]]:
        """Return the rows that are filled in, with their places in the form."""
        return [(place, row) for place, row in enumerate(self.flows) if not row.is_blank]

    def request(self, basis: Basis) -> dict[str, Any]:
        """Return the simulation request that the form makes on its basis."""
        currencies = basis.price_currencies()
        base = basis.inputs["portfolio_snapshot"]["base_currency"]
        return {
            **basis.inputs,
            "options": {**basis.inputs.get("options", {}), "enable_proposal_simulation": True},
            "proposed_trades": [_trade(row, currencies.get(row.instrument_id, base)) for _, row in self.sent_trades()],
            "proposed_cash_flows": [
                {
                    "currency": row.currency or base,
                    "amount": _number(row.amount),
                    "description": row.description or None,
                }
                for _, row in self.sent_flows()
            ],
        }

    def metadata(self) -> dict[str, str | None]:
        """Return what is said about the proposal besides its trades; nothing for an empty field."""
        return {name: text or None for name, text in self.texts.items()}


def _rows(fields: MultiDict[str, str], *names: str) -> Iterable[tuple[str, ...]]:
    """Return the rows of a table of fields; its columns are sent one after the other, in the order of its rows."""
    columns = [[value.strip() for value in fields.getlist(name)][:MOST_ROWS] for name in names]
    return zip(*columns, strict=False)


def _without(rows: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return tuple(row for number, row in enumerate(rows) if number != place)


def _number(text: str) -> str:
    """Return a number without the spaces and apostrophes that group its digits; a comma stays, since it may be either."""
    return "".join(char for char in text if char not in GROUPING).replace("\N{MINUS SIGN}", "-")


def _trade(row: TradeRow, currency: str) -> dict[str, Any]:
    size = _number(row.size)
    sized = {"notional": {"amount": size, "currency": currency}} if row.size_in == MONEY else {"quantity": size}
    return {"side": row.side, "instrument_id": row.instrument_id, **sized}


def _trade_row(row: Mapping[str, Any]) -> TradeRow:
    notional = row.get("notional")
    size, size_in = (notional["amount"], MONEY) if notional else (row.get("quantity"), UNITS)
    return TradeRow(row["side"], row["instrument_id"], str(size), size_in)
