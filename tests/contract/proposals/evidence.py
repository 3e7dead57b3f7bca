"""A proposal whose evidence holds texts and numbers that stand nowhere else, and the search for them in an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.support.proposals import create_json


def secretive(created_by: str) -> tuple[dict[str, Any], set[str]]:
    """Return a proposal and what only its evidence may show of it, in every part of the request."""
    planted: set[str] = set()

    def text(word: str) -> str:
        planted.add(word)
        return word

    def number() -> str:
        return text(f"0.0{7351 + len(planted)}")

    body = create_json(created_by=created_by)
    request = body["simulate_request"]
    portfolio, market, shelf = (
        request[name] for name in ("portfolio_snapshot", "market_data_snapshot", "shelf_entries")
    )
    lot = {"lot_id": text("lot-7"), "unit_cost": {"amount": number(), "currency": text("XAU")}}
    portfolio["positions"][0]["lots"] = [lot | {"quantity": "100", "purchase_date": text("2019-07-13")}]
    market["prices"].append({"instrument_id": text("UNHELD"), "price": number(), "currency": text("XPT")})
    market["fx_rates"].append({"pair": text("XAG/XPD"), "rate": number()})
    shelf[0]["min_notional"] = {"amount": number(), "currency": "XAU"}
    shelf.append({**shelf[1], "instrument_id": text("UNTRADED"), "issuer_id": text("an-issuer-of-nothing")})
    request["options"] |= {
        "min_trade_notional": {"amount": number(), "currency": "XAU"},
        "group_constraints": {text("sector:SPACE"): {"max_weight": number()}},
        "drift_unmodeled_exposure_threshold": number(),
        "suitability_thresholds": {"max_weight_by_liquidity_tier": {"L4": number()}},
    }
    return body, planted


def leaves(document: Any) -> Iterator[str]:
    """Yield every text and number of a document."""
    if isinstance(document, dict | list):
        for value in document.values() if isinstance(document, dict) else document:
            yield from leaves(value)
    elif document is not None and not isinstance(document, bool):
        yield str(document)


def found_in(text: str, secrets: set[str]) -> list[str]:
    """Return which of the secrets an answer contains as a word or as a number."""
    return sorted(one for one in secrets if re.search(rf"(?<![\w.-]){re.escape(one)}(?![\w.-])", text))


def without_evidence(version: dict[str, Any]) -> dict[str, Any]:
    """Return a version with every copy of its evidence left out."""
    return version | {"evidence_bundle": {}, "artifact": version["artifact"] | {"evidence_bundle": {}}}
