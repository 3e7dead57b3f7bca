"""Sentences: values are put into their places once, each surface in its own words, and stored ones read back the same."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lotus_web.domain.sentences import Account, Plain, Sentence, from_json, plain, to_json

NOON = datetime(2026, 11, 3, 12, 30, tzinfo=UTC)
HELD = Sentence("{title} is held by {holder}.", title="Sold down to max", holder=Account("max"))


def shown(value: Plain) -> str:
    return "Max Brandt" if value == Account("max") else plain(value)


def test_only_the_account_is_named_differently() -> None:
    assert str(HELD) == "Sold down to max is held by max."
    assert HELD.render(shown) == "Sold down to max is held by Max Brandt."


def test_braces_in_a_value_are_text() -> None:
    assert str(Sentence("{title} is held by {holder}.", title="{holder} {0} {", holder=Account("max"))) == (
        "{holder} {0} { is held by max."
    )
    assert str(Sentence.literal("{title} {")) == "{title} {"


def test_a_sentence_within_a_sentence_is_in_the_same_words() -> None:
    done = Sentence("assigned it to {assignee}", assignee=Account("max"))
    whole = Sentence("{actor} {done}.", actor=Account("nora"), done=done)
    assert str(whole) == "nora assigned it to max."
    assert whole.render(shown) == "nora assigned it to Max Brandt."


def test_a_list_is_joined_and_an_instant_is_to_the_minute() -> None:
    assert str(Sentence("{who} by {due}", who=(Account("max"), "reviewer"), due=NOON)) == (
        "max and reviewer by 2026-11-03 12:30 UTC"
    )


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        str(Sentence("{holder} {other}", holder="x"))


def test_stored_values_come_back_as_they_were() -> None:
    values = {"who": Account("max"), "title": '{"account": "max"}', "due": NOON, "count": 3}
    assert from_json(to_json(values)) == values
