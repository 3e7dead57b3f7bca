"""What can happen to a portfolio between its building and its run, besides the market, and what the run makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from lotus_web.demo.request_draft import Draft, Lot

PERCENT = Decimal("0.01")
CLEARLY = Decimal("0.008")
HALTED_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Circumstance:
    """A named change to a draft and the run status that the engine gives it."""

    name: str
    expected_status: str
    change: Callable[[Draft], None]


def _smallest_target(draft: Draft, above: Decimal = Decimal(0)) -> str:
    """Return the model's smallest line that weighs more than ``above``."""
    return min((name for name, weight in draft.model.items() if weight > above), key=lambda name: draft.model[name])


def _swap_for_substitute(draft: Draft, leaving: str) -> None:
    """Replace one line of the model by the mandate's substitute at the same weight."""
    substitute = draft.mandate.substitute
    draft.model = {substitute if name == leaving else name: weight for name, weight in draft.model.items()}


def _pay_in(draft: Draft, share: Decimal) -> None:
    """Add base cash so that cash comes to be ``share`` of the portfolio."""
    value, cash = draft.value, draft.cash[draft.base]
    draft.cash[draft.base] = cash + max(Decimal(0), (share * value - cash) / (1 - share))


def _transfer_in(draft: Draft) -> None:
    """Add a holding outside the model, large enough to push cash out of its band once it cannot be sold."""
    share = draft.mandate.cash_weight - draft.mandate.cash_band[0] + 3 * PERCENT
    worth = draft.value * share / (1 - share)
    legacy = draft.mandate.substitute
    draft.quantities[legacy] = (worth / draft.price(legacy)).to_integral_value(ROUND_DOWN)


def drift_only(draft: Draft) -> None:
    """Leave it to the market."""


def contribution(draft: Draft) -> None:
    """A payment arrived and waits to be invested."""
    _pay_in(draft, draft.mandate.cash_weight + 6 * PERCENT)


def foreign_cash(draft: Draft) -> None:
    """A payment arrived in Singapore dollars and is to be exchanged."""
    draft.cash["SGD"] = draft.value * Decimal("0.015") / draft.today.rate("SGD", draft.base)


def model_change(draft: Draft) -> None:
    """The model portfolio dropped its smallest line for another."""
    _swap_for_substitute(draft, _smallest_target(draft))


def sell_only(draft: Draft) -> None:
    """The smallest line may only be sold; its weight goes to the others."""
    draft.shelf_status[_smallest_target(draft)] = "SELL_ONLY"


def group_limit(draft: Draft) -> None:
    """The client limits a group below the model's share; the rest of the model takes the difference."""
    key, limit = draft.mandate.group_limit
    draft.options["group_constraints"] = {key: {"max_weight": str(limit)}}


def tax_lots(draft: Draft) -> None:
    """The client is taxed: lots at the real closes of two earlier dates, and a generous gains budget."""
    for name, quantity in draft.quantities.items():
        early = (quantity * 4 / 10).to_integral_value(ROUND_DOWN)
        halves = ((early, draft.before), (quantity - early, draft.built))
        draft.lots[name] = tuple(
            Lot(f"{name}-{month.date}", count, month.closes[name], month.date) for count, month in halves
        )
    budget = (draft.value / 4).to_integral_value(ROUND_DOWN)
    draft.options |= {"enable_tax_awareness": True, "max_realized_capital_gains": str(budget)}


def client_consent(draft: Draft) -> None:
    """Nothing is wrong, but the client has to agree first."""
    draft.options["workflow_requires_client_consent"] = True


def restricted_target(draft: Draft) -> None:
    """The model took up a restricted name; its weight stays in cash, above the band."""
    mandate = draft.mandate
    _swap_for_substitute(draft, _smallest_target(draft, mandate.cash_band[1] - mandate.cash_weight + CLEARLY))
    draft.shelf_status[mandate.substitute] = "RESTRICTED"


def suspended(draft: Draft) -> None:
    """Trading halted in the names that ran up the most; what is locked squeezes cash out of its band.

    Where three names have not run up enough for that, one is halted and the client keeps the model's cash: the
    rest of the portfolio has to shrink.
    """
    mandate = draft.mandate
    over = {name: draft.weight(name) - weight for name, weight in draft.model.items()}
    lockable = [name for name in over if draft.weight(name) <= mandate.single_position_cap]
    ran_up = sorted(lockable, key=lambda name: (-over[name], name))[:HALTED_AT_MOST]
    squeeze = mandate.cash_weight - mandate.cash_band[0] + CLEARLY
    enough = next((n for n in range(1, len(ran_up) + 1) if sum(over[name] for name in ran_up[:n]) > squeeze), 0)
    draft.shelf_status |= dict.fromkeys(ran_up[: enough or 1], "SUSPENDED")
    if not enough:
        draft.options["min_cash_buffer_pct"] = str(mandate.cash_weight)


def turnover_capped(draft: Draft) -> None:
    """A large payment arrived and the turnover limit lets only a little of it be invested."""
    heaviest = max(draft.weight(name) for name in draft.model)
    invested = 1 - draft.cash[draft.base] / draft.value
    # What ran up past its limit is diluted below it: otherwise the limit would block what the turnover limit leaves.
    diluting = 1 - invested * draft.mandate.single_position_cap / heaviest + PERCENT
    _pay_in(draft, max(draft.mandate.cash_band[1] + 5 * PERCENT, diluting))
    draft.options["max_turnover_pct"] = "0.03"


def cap_lowered(draft: Draft) -> None:
    """The single-position limit was lowered below what the model can give to others."""
    draft.options["single_position_max_weight"] = str(draft.mandate.tightened_cap)


def cash_buffer(draft: Draft) -> None:
    """The client asked for more cash than the model leaves."""
    draft.options["min_cash_buffer_pct"] = str(draft.mandate.cash_weight + 2 * PERCENT)


def legacy_off_shelf(draft: Draft) -> None:
    """A holding was transferred in that the shelf does not know, so it is locked."""
    _transfer_in(draft)
    draft.off_shelf.add(draft.mandate.substitute)


def legacy_banned(draft: Draft) -> None:
    """A holding was transferred in that is banned, so it is locked."""
    _transfer_in(draft)
    draft.shelf_status[draft.mandate.substitute] = "BANNED"


def price_missing(draft: Draft) -> None:
    """No close came for the smallest line."""
    draft.unpriced.add(_smallest_target(draft))


def rate_missing(draft: Draft) -> None:
    """Yen arrived and no yen rate did."""
    draft.cash["JPY"] = (draft.value * PERCENT / draft.today.rate("JPY", draft.base)).to_integral_value(ROUND_DOWN)
    draft.unquoted.add("JPY")


def target_off_shelf(draft: Draft) -> None:
    """The model took up a name before the shelf did."""
    model_change(draft)
    draft.off_shelf.add(draft.mandate.substitute)


def late_settlement(draft: Draft) -> None:
    """Purchases settle before the sales that pay for them; a mandate with ample cash has an unknown target instead."""
    if draft.mandate.cash_weight > max(draft.model.values()):
        target_off_shelf(draft)
        return
    leaving = _smallest_target(draft, draft.mandate.cash_band[1])
    _swap_for_substitute(draft, leaving)
    draft.settlement_days |= {leaving: 3, draft.mandate.substitute: 1}
    draft.options |= {"enable_settlement_awareness": True, "settlement_horizon_days": 5}


def locked_over_cap(draft: Draft) -> None:
    """The heaviest holding is halted above the single-position limit, so no trade can cure it."""
    heaviest = max(draft.model, key=draft.weight)
    cap = (draft.weight(heaviest) - PERCENT).quantize(PERCENT, ROUND_DOWN)
    draft.shelf_status[heaviest] = "SUSPENDED"
    draft.options["single_position_max_weight"] = str(cap)
