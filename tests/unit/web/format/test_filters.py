"""How values read on a page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

import pytest
from flask import Flask

from lotus_web.domain.access import Permission
from lotus_web.web.format import filters

NBSP = "\u00a0"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Gate(Enum):
    PENDING_REVIEW = "PENDING_REVIEW"


@dataclass(frozen=True)
class Order:
    instrument: str
    notional: Decimal


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("1234567.5", "USD", "1,234,567.50"),
        ("1234.5", "JPY", "1,235"),
        ("1.2345", "KWD", "1.235"),
        ("-96012.405", "EUR", "−96,012.41"),
        ("0", "GBP", "0.00"),
        ("-0.001", "USD", "0.00"),
        ("0E+1", "USD", "0.00"),
        ("1E+3", "usd", "1,000.00"),
        ("-1234567890123456789012345678901.125", "USD", "−1,234,567,890,123,456,789,012,345,678,901.13"),
    ],
)
def test_money_is_grouped_and_rounded_half_up_to_the_minor_units_of_its_currency(value, currency, text):
    assert filters.amount(Decimal(value), currency) == text
    assert filters.money(Decimal(value), currency) == f"{text}{NBSP}{currency}"


def test_a_signed_amount_shows_the_plus_but_never_on_zero():
    assert filters.amount(Decimal("5"), "USD", signed=True) == "+5.00"
    assert filters.amount(Decimal("0.001"), "USD", signed=True) == "0.00"


@pytest.mark.parametrize("wrong", [1.5, "1.5", True])
def test_only_exact_numbers_are_written_as_money(wrong):
    with pytest.raises(TypeError):
        filters.money(wrong, "USD")


@pytest.mark.parametrize(
    "write",
    [
        lambda: filters.money(None, "USD"),
        lambda: filters.amount(None, "USD"),
        lambda: filters.percent(None),
        lambda: filters.quantity(None),
        lambda: filters.when(None, NOW),
        lambda: filters.absolute(None),
        lambda: filters.duration(None),
    ],
)
def test_a_missing_value_is_a_dash(write):
    assert write() == "–"


@pytest.mark.parametrize(
    ("weight", "text"),
    [
        ("0.1234", "12.34%"),
        ("1", "100.00%"),
        ("-0.012", "−1.20%"),
        ("0.00005", "0.01%"),
        ("12.5", "1,250.00%"),
        ("1e26", "10,000,000,000,000,000,000,000,000,000.00%"),
    ],
)
def test_a_weight_is_percent_with_two_decimals(weight, text):
    assert filters.percent(Decimal(weight)) == text


def test_a_change_of_weight_carries_its_sign():
    assert filters.percent(Decimal("0.02"), signed=True) == "+2.00%"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("420.000", "420"),
        ("310.5", "310.5"),
        ("1000000", "1,000,000"),
        ("1e24", "1,000,000,000,000,000,000,000,000"),
        ("0.0000004", "0"),
        ("-12.25", "−12.25"),
        ("0.1234567", "0.123457"),
        ("100", "100"),
    ],
)
def test_a_quantity_has_no_idle_zeros_and_keeps_those_that_count(value, text):
    assert filters.quantity(Decimal(value)) == text


@pytest.mark.parametrize(
    ("away", "plain", "due"),
    [
        (timedelta(minutes=12), "in 12 min", "due in 12 min"),
        (timedelta(hours=-3), "3 h ago", "3 h late"),
        (timedelta(days=-2), "2 d ago", "2 d late"),
        (timedelta(minutes=119, seconds=59), "in 119 min", "due in 119 min"),
        (timedelta(minutes=120), "in 2 h", "due in 2 h"),
        (timedelta(days=-46345), "46,345 d ago", "46,345 d late"),
        (timedelta(hours=47, minutes=59), "in 47 h", "due in 47 h"),
        (timedelta(hours=48), "in 2 d", "due in 2 d"),
        (timedelta(seconds=59), "just now", "due now"),
        (timedelta(seconds=-59), "just now", "due now"),
        (timedelta(0), "just now", "due now"),
        (timedelta(seconds=-60), "1 min ago", "1 min late"),
    ],
)
def test_a_time_is_told_by_its_distance_from_now(away, plain, due):
    assert filters.when(NOW + away, NOW).replace(NBSP, " ") == plain
    assert filters.when(NOW + away, NOW, due=True).replace(NBSP, " ") == due


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=42), "42 s"),
        (timedelta(minutes=14, seconds=50), "14 min"),
        (timedelta(hours=1, minutes=20), "1 h 20 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=3, hours=4, minutes=59), "3 d 4 h"),
        (timedelta(days=1, minutes=5), "1 d"),
    ],
)
def test_a_length_of_time_uses_two_neighbouring_units_at_most(span, text):
    assert filters.duration(span).replace(NBSP, " ") == text


def test_times_are_written_in_utc_whatever_their_zone():
    moment = datetime(2026, 11, 21, 9, 5, 9, 123456, tzinfo=timezone(timedelta(hours=-5)))
    assert filters.iso(moment) == "2026-11-21T14:05:09Z"
    assert filters.absolute(moment) == "21 Nov 2026, 14:05:09 UTC"
    assert filters.iso(None) == ""


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("rr_8c1d02f0", 18, "rr_8c1d02f0"),
        ("corr_4f2a9be01c73", 18, "corr_4f2a9be01c73"),
        ("corr_4f2a9be01c70:tax-aware", 18, "corr_4f2a9be…aware"),
        ("sha256:9f86d081884c7d659a2feaa0c55ad015", 20, "sha256:9f86d0…5ad015"),
    ],
)
def test_an_id_is_shortened_in_the_middle_to_its_limit(text, limit, short):
    assert filters.shorten_middle(text, limit) == short
    assert len(short) <= limit


def test_a_payload_is_shown_in_its_own_order_with_decimals_and_times_as_on_the_wire():
    payload = {"b": Decimal("0.10"), "a": [NOW, Gate.PENDING_REVIEW], "order": Order("AAPL", Decimal("1E+2"))}
    assert json.loads(filters.pretty_json(payload)) == {
        "b": "0.10",
        "a": ["2026-11-21T12:00:00Z", "PENDING_REVIEW"],
        "order": {"instrument": "AAPL", "notional": "100"},
    }
    assert filters.pretty_json(payload).index('"b"') < filters.pretty_json(payload).index('"a"')


def test_text_that_is_already_json_is_left_alone():
    assert filters.pretty_json('{"a":1}') == '{"a":1}'


def test_what_json_cannot_say_is_refused():
    with pytest.raises(TypeError):
        filters.pretty_json({"engine": object()})


@pytest.mark.parametrize("code", ["PENDING_REVIEW", Gate.PENDING_REVIEW])
def test_a_code_reads_as_words(code):
    assert filters.words(code) == "Pending review"


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        (1, "items", "1 item"),
        (0, "items", "0 items"),
        (2000, "open items", "2,000 open items"),
        (1, "entries", "1 entry"),
        (1, "decided", "1 decided"),
    ],
)
def test_a_count_agrees_with_its_noun(count, noun, text):
    assert filters.counted(count, noun) == text


@pytest.mark.parametrize("permission", Permission)
def test_what_a_permission_allows_is_said_in_plain_words(permission):
    assert filters.permitted(permission.value)[0].isupper()
    assert "_" not in filters.permitted(permission.value)
    assert filters.permitted(permission.value) != filters.words(permission)


def test_a_permission_that_is_no_more_stands_as_it_was_stored():
    assert filters.permitted("runs_paint") == "runs_paint"


def test_templates_find_every_filter_by_its_own_name():
    app = Flask(__name__)
    filters.register_filters(app)
    assert {function.__name__ for function in filters.FILTERS} <= set(app.jinja_env.filters)
    template = app.jinja_env.from_string("{{ weight | percent }}")
    assert template.render(weight=Decimal("0.5")) == "50.00%"
