"""Artifacts: the same from the same run, and a hash that anyone can recompute (dpm-api §10.1)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lotus_web.domain.runs.artifact import artifact_document, artifact_hash
from tests.support.histories import HASH, NOW, later, result


def artifact(run: dict[str, Any], **changes: Any) -> dict[str, Any]:
    how = {"request_hash": HASH, "idempotency_key": "k", "portfolio_id": "PF-1", "created_at": NOW}
    return artifact_document(run, **{**how, **changes})


def test_the_same_run_gives_the_same_artifact() -> None:
    assert artifact(result("rr_1", "c")) == artifact(result("rr_1", "c"))


def test_the_hash_in_the_artifact_is_the_hash_of_the_artifact() -> None:
    document = artifact(result("rr_1", "c"))
    assert document["evidence"]["hashes"]["artifact_hash"] == artifact_hash(document)


@pytest.mark.parametrize(
    "change", [{"idempotency_key": None}, {"portfolio_id": "PF-2"}, {"created_at": later(1)}, {"request_hash": "h"}]
)
def test_what_the_run_was_recorded_with_is_in_the_hash(change: dict[str, Any]) -> None:
    assert artifact_hash(artifact(result("rr_1", "c"), **change)) != artifact_hash(artifact(result("rr_1", "c")))


def test_an_edit_anywhere_in_the_result_is_in_the_hash() -> None:
    document = artifact(result("rr_1", "c"))
    edited = copy.deepcopy(document)
    edited["result"]["rule_results"][0]["measured"] = "0.0100"
    assert artifact_hash(edited) != artifact_hash(document)


def test_hashes_of_the_artifact_itself_are_left_out_at_any_depth() -> None:
    document = artifact(result("rr_1", "c"))
    assert artifact_hash(
        {**document, "artifact_hash": "x", "evidence": {**document["evidence"], "artifact_hash": "y"}}
    ) == artifact_hash(document)
