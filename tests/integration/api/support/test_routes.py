"""Lineage, bundles, summary, key history, replay and legal hold over HTTP (dpm-api §6, §7, §9)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission
from tests.contract.callers import Caller, review_request, segment
from tests.contract.rows import add_replays
from tests.support.analyses import SCENARIOS, batch_json

MakeCaller = Callable[..., Caller]
pytestmark = pytest.mark.environ(
    DPM_LINEAGE_APIS_ENABLED="true", DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED="true", DPM_WORKFLOW_ENABLED="true"
)
ODD = "a/b:c d+é 🐘"


def test_the_edges_of_an_id_are_told_with_the_kinds_of_their_ends(chief: Caller) -> None:
    run_id = chief.run(key=ODD, correlation="corr-1")["rebalance_run_id"]
    body = chief.get(f"/rebalance/lineage/{segment(ODD)}").json
    assert list(body) == ["entity_id", "edges", "next_cursor"]
    (edge,) = body["edges"]
    assert list(edge) == [
        "source_entity_id",
        "source_kind",
        "edge_type",
        "target_entity_id",
        "target_kind",
        "created_at",
        "metadata",
    ]
    assert (edge["source_entity_id"], edge["source_kind"]) == (ODD, "idempotency_key")
    assert (edge["target_entity_id"], edge["target_kind"]) == (run_id, "run")
    assert chief.get("/rebalance/lineage/nobody").json == {"entity_id": "nobody", "edges": [], "next_cursor": None}


def test_a_walk_says_how_far_it_went_and_whether_it_was_cut(chief: Caller) -> None:
    run_id = chief.run(key="key-1", correlation="corr-1")["rebalance_run_id"]
    near = chief.get("/rebalance/lineage/key-1", depth="1").json
    far = chief.get("/rebalance/lineage/key-1", depth="2").json
    assert len(near["edges"]) == 1
    assert (len(far["edges"]), far["depth"], far["truncated"]) == (2, 2, False)
    only = chief.get("/rebalance/lineage/key-1", depth="2", edge_type="correlation_to_run").json
    assert [edge["target_entity_id"] for edge in only["edges"]] == [run_id]


@pytest.mark.parametrize(
    "asked",
    [
        {"depth": "0"},
        {"depth": "6"},
        {"depth": "1.5"},
        {"limit": "0"},
        {"cursor": "x"},
        {"from_": "2026-02-02", "to": "2026-01-01"},
    ],
)
def test_impossible_questions_about_lineage_are_refused(chief: Caller, asked: dict[str, str]) -> None:
    assert chief.get("/rebalance/lineage/x", **asked).status_code == 422


def test_a_bundle_is_the_same_by_run_correlation_and_key(chief: Caller, make_caller: MakeCaller) -> None:
    run_id = chief.run(review_request(), key=ODD, correlation="corr-1")["rebalance_run_id"]
    assert make_caller("rosa.reviewer").decide(run_id).status_code == 200
    whole = chief.get(f"/rebalance/runs/{run_id}/support-bundle").json
    assert list(whole) == ["run", "artifact", "async_operation", "workflow_history", "lineage", "idempotency_history"]
    assert whole["run"] == chief.get(f"/rebalance/runs/{run_id}").json
    assert whole["artifact"] == chief.get(f"/rebalance/runs/{run_id}/artifact").json
    assert whole["workflow_history"] == chief.get(f"/rebalance/runs/{run_id}/workflow/history").json
    assert whole["lineage"] == chief.get(f"/rebalance/lineage/{run_id}").json
    assert whole["idempotency_history"] == chief.get(f"/rebalance/idempotency/{segment(ODD)}/history").json
    assert whole["async_operation"] is None
    assert chief.get("/rebalance/runs/by-correlation/corr-1/support-bundle").json == whole
    assert chief.get(f"/rebalance/runs/idempotency/{segment(ODD)}/support-bundle").json == whole


def test_parts_of_a_bundle_can_be_left_out(chief: Caller) -> None:
    run_id = chief.run()["rebalance_run_id"]
    asked = {"include_artifact": "no", "include_async_operation": "0", "include_idempotency_history": "off"}
    bare = chief.get(f"/rebalance/runs/{run_id}/support-bundle", **asked).json
    assert (bare["artifact"], bare["async_operation"], bare["idempotency_history"]) == (None, None, None)
    assert chief.get(f"/rebalance/runs/{run_id}/support-bundle", include_artifact="maybe").status_code == 422


def test_an_ordinary_batch_has_a_bundle_by_its_operation(chief: Caller) -> None:
    accepted = chief.send("POST", "/rebalance/analyze/async", json=batch_json()).json
    whole = chief.get(f"/rebalance/runs/by-operation/{accepted['operation_id']}/support-bundle").json
    told = chief.get(f"/rebalance/operations/{accepted['operation_id']}").json
    ids = [told["result"]["results"][name]["rebalance_run_id"] for name in sorted(SCENARIOS)]
    assert [whole["run"]["rebalance_run_id"], *whole["related_run_ids"]] == ids
    assert whole["async_operation"] == told


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("runs/x/support-bundle", "DPM_RUN_NOT_FOUND"),
        ("runs/by-correlation/x/support-bundle", "DPM_RUN_NOT_FOUND"),
        ("runs/idempotency/x/support-bundle", "DPM_IDEMPOTENCY_KEY_NOT_FOUND"),
        ("runs/by-operation/x/support-bundle", "DPM_ASYNC_OPERATION_NOT_FOUND"),
        ("idempotency/x/history", "DPM_IDEMPOTENCY_KEY_NOT_FOUND"),
        ("runs/x/legal-hold", "DPM_RUN_NOT_FOUND"),
    ],
)
def test_what_is_not_there_is_refused_with_its_own_code(chief: Caller, path: str, code: str) -> None:
    answer = chief.get(f"/rebalance/{path}")
    assert (answer.status_code, answer.json) == (404, {"detail": code})


def test_a_key_tells_its_recordings_and_its_replays(chief: Caller) -> None:
    run_id = chief.run(key="key-1", correlation="corr-1")["rebalance_run_id"]
    chief.run(key="key-1", correlation="corr-2")
    body = chief.get("/rebalance/idempotency/key-1/history").json
    assert body["idempotency_key"] == "key-1"
    assert [(row["rebalance_run_id"], row["correlation_id"]) for row in body["history"]] == [
        (run_id, "corr-1"),
        (run_id, "corr-2"),
    ]
    assert list(body["history"][0]) == ["rebalance_run_id", "correlation_id", "request_hash", "created_at"]


def test_a_key_that_was_replayed_without_end_tells_all_of_it_and_so_does_the_bundle(chief: Caller, app: Flask) -> None:
    run_id = chief.run(key="key-1", correlation="corr-1")["rebalance_run_id"]
    with app.app_context():
        add_replays(run_id, 1_500, key="key-1", start=utcnow() + timedelta(seconds=1))
    body = chief.get("/rebalance/idempotency/key-1/history").json
    told = [row["correlation_id"] for row in body["history"]]
    assert (len(told), told[0], told[-1]) == (1_501, "corr-1", "corr-replay-01499")
    assert [row["created_at"] for row in body["history"]] == sorted(row["created_at"] for row in body["history"])
    bundle = chief.get(f"/rebalance/runs/{run_id}/support-bundle").json
    assert bundle["idempotency_history"] == body
    assert bundle["lineage"]["next_cursor"] is None
    edges = [edge["source_entity_id"] for edge in bundle["lineage"]["edges"]]
    assert (len(edges), edges[-1]) == (1_502, "corr-replay-01499")


@pytest.mark.environ(DPM_ASYNC_EXECUTION_MODE="ACCEPT_ONLY", DPM_SUPPORTABILITY_RETENTION_DAYS="90")
def test_the_summary_counts_what_is_there(chief: Caller, make_caller: MakeCaller) -> None:
    run = chief.run(review_request())
    make_caller("rosa.reviewer").decide(run["rebalance_run_id"], reason_code="WITHIN_MANDATE")
    chief.send("POST", "/rebalance/analyze/async", json=batch_json())
    body = chief.get("/rebalance/supportability/summary", anything="else").json
    assert body["retention_days"] == 90
    assert body["store_backend"] in ("SQLITE", "SQL")
    assert (body["run_count"], body["run_status_counts"]) == (1, {"PENDING_REVIEW": 1})
    assert (body["operation_count"], body["operation_status_counts"]) == (1, {"PENDING": 1})
    assert (body["workflow_decision_count"], body["workflow_action_counts"]) == (1, {"APPROVE": 1})
    assert body["workflow_reason_code_counts"] == {"WITHIN_MANDATE": 1}
    assert body["lineage_edge_count"] == 4
    assert body["oldest_run_created_at"] == body["newest_run_created_at"]


def test_an_empty_store_has_a_summary(chief: Caller) -> None:
    body = chief.get("/rebalance/supportability/summary").json
    assert body["run_status_counts"] == body["workflow_reason_code_counts"] == {}
    assert body["oldest_run_created_at"] is body["newest_operation_created_at"] is None


def test_a_replay_answers_with_the_new_run_and_the_difference(chief: Caller) -> None:
    old = chief.run(key="key-1", correlation="corr-1")["rebalance_run_id"]
    answer = chief.send("POST", f"/rebalance/runs/{old}/replay", headers={"X-Correlation-Id": "corr-again"})
    assert answer.status_code == 200
    body = answer.json
    new = body["run"]["rebalance_run_id"]
    assert (body["replayed_from"], body["run"]["correlation_id"], body["run"]["idempotency_key"]) == (
        old,
        "corr-again",
        None,
    )
    assert body["diff"]["identical"] is True
    assert (body["diff"]["before"]["rebalance_run_id"], body["diff"]["after"]["rebalance_run_id"]) == (old, new)
    assert body["run"] == chief.get(f"/rebalance/runs/{new}").json
    edges = chief.get(f"/rebalance/lineage/{old}", edge_type="replayed_from").json["edges"]
    assert [(edge["source_entity_id"], edge["target_entity_id"]) for edge in edges] == [(new, old)]
    missing = chief.send("POST", "/rebalance/runs/rr_none/replay")
    assert (missing.status_code, missing.json) == (404, {"detail": "DPM_RUN_NOT_FOUND"})


def hold(caller: Caller, run_id: str, action: str = "SET", **fields: Any) -> Any:
    body = {"action": action, "reason": "Court order 7", "actor_id": caller.account} | fields
    return caller.send("POST", f"/rebalance/runs/{run_id}/legal-hold", json=body)


def test_a_hold_is_set_read_and_lifted(chief: Caller) -> None:
    run_id = chief.run()["rebalance_run_id"]
    assert chief.get(f"/rebalance/runs/{run_id}/legal-hold").json["legal_hold"] is False
    held = hold(chief, run_id)
    assert (held.status_code, held.json["legal_hold"]) == (200, True)
    assert (hold(chief, run_id).status_code, hold(chief, run_id).json) == (409, {"detail": "LEGAL_HOLD_UNCHANGED"})
    lifted = hold(chief, run_id, "LIFT", reason="The court lifted it.").json
    assert lifted == chief.get(f"/rebalance/runs/{run_id}/legal-hold").json
    assert [(row["entry_type"], row["actor_id"], row["reason"]) for row in lifted["history"]] == [
        ("HOLD_SET", "chief", "Court order 7"),
        ("HOLD_LIFTED", "chief", "The court lifted it."),
    ]


@pytest.mark.parametrize("fields", [{"action": "KEEP"}, {"reason": ""}, {"reason": "  "}, {"actor_id": ""}])
def test_a_hold_needs_an_action_a_reason_and_an_actor(chief: Caller, fields: dict[str, str]) -> None:
    assert hold(chief, chief.run()["rebalance_run_id"], **fields).status_code == 422


def test_a_hold_needs_an_administrator_who_speaks_for_himself(chief: Caller, make_caller: MakeCaller) -> None:
    run_id = chief.run()["rebalance_run_id"]
    writer = make_caller("writer", (Permission.RUNS_WRITE,))
    admin = make_caller("admin", (Permission.ADMIN,))
    assert hold(writer, run_id).status_code == 403
    assert hold(admin, run_id, actor_id="somebody.else").json["detail"] == "ACTOR_MISMATCH"
    assert hold(admin, run_id).status_code == 200


@pytest.mark.parametrize(
    ("setting", "code", "paths"),
    [
        ("DPM_LINEAGE_APIS_ENABLED", "DPM_LINEAGE_APIS_DISABLED", ["lineage/x?depth=9"]),
        (
            "DPM_SUPPORT_BUNDLE_APIS_ENABLED",
            "DPM_SUPPORT_BUNDLE_APIS_DISABLED",
            [f"runs/{by}x/support-bundle" for by in ("", "by-correlation/", "idempotency/", "by-operation/")],
        ),
        (
            "DPM_SUPPORTABILITY_SUMMARY_APIS_ENABLED",
            "DPM_SUPPORTABILITY_SUMMARY_APIS_DISABLED",
            ["supportability/summary"],
        ),
        (
            "DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED",
            "DPM_IDEMPOTENCY_HISTORY_APIS_DISABLED",
            ["idempotency/x/history"],
        ),
        (
            "DPM_SUPPORT_APIS_ENABLED",
            "DPM_SUPPORT_APIS_DISABLED",
            [
                "lineage/x",
                "runs/x/support-bundle",
                "supportability/summary",
                "idempotency/x/history",
                "runs/x/legal-hold",
            ],
        ),
    ],
)
def test_each_feature_can_be_switched_off_while_it_runs(
    chief: Caller, app: Any, setting: str, code: str, paths: list[str]
) -> None:
    app.extensions["lotus_settings"].environ[setting] = "false"
    for path in paths:
        for prefix in ("", "/api/v1"):
            chief.prefix = prefix
            answer = chief.get(f"/rebalance/{path}")
            assert (answer.status_code, answer.json) == (404, {"detail": code})


def test_nobody_sees_another_tenants_things(chief: Caller, make_caller: MakeCaller) -> None:
    run_id = chief.run(key="key-1", correlation="corr-1")["rebalance_run_id"]
    stranger = make_caller("stranger", tenant="another")
    for path in (f"runs/{run_id}/support-bundle", "idempotency/key-1/history", f"runs/{run_id}/legal-hold"):
        assert stranger.get(f"/rebalance/{path}").status_code == 404
    assert stranger.get("/rebalance/lineage/key-1").json["edges"] == []
    assert stranger.get("/rebalance/supportability/summary").json["run_count"] == 0
    assert stranger.send("POST", f"/rebalance/runs/{run_id}/replay").status_code == 404
