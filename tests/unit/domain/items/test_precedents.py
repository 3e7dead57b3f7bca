"""What earlier decisions say together."""

from __future__ import annotations

import pytest

from lotus_web.domain.items.precedents import precedent_key, spell, summarise


def test_items_share_a_key_by_policy_and_failing_rules() -> None:
    one = precedent_key("p", {"evidence": {"rule_ids": ["B", "A"]}})
    assert one == precedent_key("p", {"evidence": {"rule_ids": ["A", "B", "A"]}, "more": 1})
    assert one != precedent_key("q", {"evidence": {"rule_ids": ["A", "B"]}})
    assert one != precedent_key("p", {"evidence": {"rule_ids": ["A"]}})
    assert precedent_key(None, {}) is None
    assert precedent_key("p", {}) == precedent_key("p", {"evidence": {"rule_ids": "A"}})


def test_the_sentence_names_the_commonest_outcome_and_the_median() -> None:
    counted = [("approved", 60 * minutes) for minutes in range(10, 19)] + [("rejected", 10), ("rejected", 99_999)]
    assert summarise([], counted).sentence == "9 of 11 like this were approved, median 14 min."
    assert summarise([], [("rejected", 40)]).sentence == "1 of 1 like this was rejected, median 40 s."
    assert summarise([], []).sentence == "Nothing like this was decided before."


@pytest.mark.parametrize(
    ("approved", "rejected", "divergent"), [(2, 0, False), (1, 1, False), (2, 1, True), (3, 1, True), (4, 1, False)]
)
def test_precedents_diverge_when_a_quarter_ended_otherwise(approved: int, rejected: int, divergent: bool) -> None:
    counted = [("approved", 1)] * approved + [("rejected", 1)] * rejected
    assert summarise([], counted).divergent is divergent


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h"), (5400, "1.5 h"), (172_800, "2 d")]
)
def test_spans_are_spelt_in_their_unit(seconds: int, words: str) -> None:
    assert spell(seconds) == words
