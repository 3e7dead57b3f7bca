"""The engine's warnings in sentences: each that a published scenario gives, each once, and none that a finding says."""

from __future__ import annotations

import pytest

from lotus_web.domain.runs.notes import EngineNote, engine_note, engine_notes
from tests.unit.domain.rebalance.scenarios import SCENARIOS

PUBLISHED = sorted({code for scenario in SCENARIOS for code in scenario.warnings})


@pytest.mark.parametrize("code", PUBLISHED)
def test_a_published_warning_has_a_sentence(code: str) -> None:
    sentence = engine_note(code).sentence
    assert sentence is not None
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_a_warning_about_something_names_it() -> None:
    capped = engine_note("CAPPED_BY_GROUP_LIMIT_sector:TECH")
    assert capped.sentence == "The limit for the group sector:TECH was reached."
    assert engine_note("CAPPED_BY_GROUP_LIMIT_a:{rest}").sentence == "The limit for the group a:{rest} was reached."


@pytest.mark.parametrize("days", [0, 1, 2])
def test_a_day_of_settlement_is_named_as_traders_name_it(days: int) -> None:
    assert engine_note(f"OVERDRAFT_ON_T_PLUS_{days}").sentence == f"Settlement would overdraw cash on T+{days}."


def test_a_warning_without_words_keeps_its_code() -> None:
    assert engine_note("SOMETHING_NEW") == EngineNote("SOMETHING_NEW", None)


def test_warnings_come_once_in_their_order_without_what_is_said() -> None:
    result = {"diagnostics": {"warnings": ["B", "A", "B", "SOLVER_ERROR"]}}
    assert [note.code for note in engine_notes(result, said=("A",))] == ["B", "SOLVER_ERROR"]
