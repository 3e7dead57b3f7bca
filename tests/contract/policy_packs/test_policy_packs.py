"""Policy packs through the API: who names them, what they change, and what they leave alone (dpm-api §11)."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.models import RunPayload, StoredPolicyPack
from lotus_web.services.policy_packs import put_pack
from lotus_web.store.session import db, transaction
from lotus_web.wire.policy_packs import read_pack
from tests.contract.callers import DEMOS, Caller, segment
from tests.contract.conftest import MakeCaller

pytestmark = pytest.mark.environ(DPM_POLICY_PACKS_ENABLED="true")
Statements = Callable[[], AbstractContextManager[list[str]]]


def request() -> dict[str, Any]:
    """EQ_1 is to go from 100 of 11000 to half of it: SELL 45; a pack's cap of 0.3 makes it SELL 67."""
    found: dict[str, Any] = json.loads((DEMOS / "31_dpm_policy_pack_supportability_diagnostics.json").read_text())
    return found


def analysis() -> dict[str, Any]:
    body = request()
    options = body.pop("options")
    return body | {"scenarios": {"base": {"options": options}, "wide": {"options": {"max_turnover_pct": "1"}}}}


def put(app: Flask, policy_pack_id: str, cap: str | None = "0.3", tenant: str = "default", **more: Any) -> None:
    document = {"policy_pack_id": policy_pack_id, "single_position_max_weight": cap, **more}
    with app.app_context(), transaction() as session:
        put_pack(session, read_pack(document), tenant_id=tenant, now=utcnow())


def switch(app: Flask, **settings: str) -> None:
    app.extensions["lotus_settings"].environ.update(settings)


def sold(result: dict[str, Any]) -> float:
    (order,) = (intent for intent in result["intents"] if intent["intent_type"] == "SECURITY_TRADE")
    return float(order["quantity"])


def kept(app: Flask, run_id: str, tenant: str = "default") -> dict[str, Any] | None:
    with app.app_context():
        return db.session.get_one(RunPayload, (tenant, run_id)).policy_pack


def run(caller: Caller, pack: str | None = None, key: str | None = None) -> dict[str, Any]:
    answer = caller.simulate(request(), key=key, **({} if pack is None else {"X-Policy-Pack-Id": pack}))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_the_header_goes_before_the_tenant_and_the_tenant_before_the_default(app: Flask, engine: Caller) -> None:
    for name, cap in (("own", "0.1"), ("tenants", "0.2"), ("house", "0.3")):
        put(app, name, cap)
    assert sold(run(engine)) == 45
    switch(app, DPM_DEFAULT_POLICY_PACK_ID=" house ")
    assert sold(run(engine)) == 67
    switch(app, DPM_TENANT_POLICY_PACK_MAP_JSON='{"default": "tenants", "north": "own"}')
    assert sold(run(engine)) == 67
    switch(app, DPM_TENANT_POLICY_PACK_RESOLUTION_ENABLED="true")
    by_tenant = run(engine)
    assert sold(by_tenant) == 78
    assert sold(run(engine, "  ")) == 78
    by_header = run(engine, " own ")
    assert sold(by_header) == 89
    switch(app, DPM_POLICY_PACKS_ENABLED="false")
    off = run(engine, "own")
    assert sold(off) == 45
    sources = [kept(app, result["rebalance_run_id"]) for result in (by_tenant, by_header, off)]
    assert [found and found["source"] for found in sources] == ["TENANT_DEFAULT", "REQUEST", None]


def test_a_pack_that_the_catalogue_does_not_have_changes_nothing_and_is_on_record(app: Flask, engine: Caller) -> None:
    result = run(engine, "nobody's")
    assert sold(result) == 45
    record = kept(app, result["rebalance_run_id"])
    assert record == {
        "policy_pack_id": "nobody's",
        "source": "REQUEST",
        "known": False,
        "overrides": {},
        "replay_enabled": None,
    }


def test_a_pack_is_a_tenants_own(app: Flask, engine: Caller, make_caller: MakeCaller) -> None:
    put(app, "cap")
    north = make_caller("engine-north", tenant="north")
    assert (sold(run(engine, "cap")), sold(run(north, "cap"))) == (67, 45)
    put(app, "cap", "0.1", tenant="north")
    assert (sold(run(engine, "cap")), sold(run(north, "cap"))) == (67, 89)


def test_a_pack_is_not_in_the_request_hash_so_a_key_keeps_its_first_result(app: Flask, engine: Caller) -> None:
    put(app, "cap")
    first = engine.simulate(request(), key="friday")
    again = engine.simulate(request(), key="friday", **{"X-Policy-Pack-Id": "cap"})
    assert again.data == first.data
    other = run(engine, "cap", key="monday")
    assert other["lineage"]["request_hash"] == first.json["lineage"]["request_hash"]
    assert kept(app, first.json["rebalance_run_id"]) is None


def test_a_pack_decides_whether_a_repeated_key_is_answered_from_the_store(app: Flask, engine: Caller) -> None:
    put(app, "afresh", None, replay_enabled=False)
    put(app, "stored", None, replay_enabled=True)
    first, second = run(engine, "afresh", key="friday"), run(engine, "afresh", key="friday")
    assert first["rebalance_run_id"] != second["rebalance_run_id"]
    assert run(engine, key="friday") == second
    switch(app, DPM_IDEMPOTENCY_REPLAY_ENABLED="false")
    assert run(engine, key="friday") != second
    newest = run(engine, "afresh", key="friday")
    assert run(engine, "stored", key="friday") == newest


def test_every_scenario_of_an_analysis_is_computed_under_the_pack(app: Flask, engine: Caller) -> None:
    put(app, "cap", replay_enabled=False)
    plain = engine.send("POST", "/rebalance/analyze", json=analysis()).json
    under = engine.send("POST", "/rebalance/analyze", json=analysis(), headers={"X-Policy-Pack-Id": "cap"}).json
    assert [sold(result) for result in plain["results"].values()] == [45, 45]
    assert [sold(result) for result in under["results"].values()] == [67, 67]
    records = [kept(app, result["rebalance_run_id"]) for result in under["results"].values()]
    assert [record and record["overrides"] for record in records] == [{"single_position_max_weight": "0.3"}] * 2


def test_an_operation_keeps_the_name_and_finds_the_pack_when_it_is_carried_out(app: Flask, engine: Caller) -> None:
    put(app, "cap", "0.1")
    switch(app, DPM_ASYNC_EXECUTION_MODE="ACCEPT_ONLY")
    named = {"X-Policy-Pack-Id": "cap"}
    accepted = engine.send("POST", "/rebalance/analyze/async", json=analysis(), headers=named).json
    put(app, "cap", "0.3")
    done = engine.send("POST", f"/rebalance/operations/{accepted['operation_id']}/execute").json
    assert [sold(result) for result in done["result"]["results"].values()] == [67, 67]
    switch(app, DPM_ASYNC_EXECUTION_MODE="INLINE")
    inline = engine.send("POST", "/rebalance/analyze/async", json=analysis(), headers=named).json
    told = engine.get(f"/rebalance/operations/{inline['operation_id']}").json
    assert [sold(result) for result in told["result"]["results"].values()] == [67, 67]


def test_a_replay_is_computed_under_the_same_overrides_whatever_the_catalogue_says_by_then(
    app: Flask, engine: Caller
) -> None:
    put(app, "cap")
    run_id = run(engine, "cap")["rebalance_run_id"]
    put(app, "cap", "0.1")
    switch(app, DPM_POLICY_PACKS_ENABLED="false")
    told = engine.send("POST", f"/rebalance/runs/{run_id}/replay").json
    assert told["diff"]["identical"] is True
    assert sold(told["run"]["result"]) == 67
    new = told["run"]["rebalance_run_id"]
    record = kept(app, new)
    assert record is not None
    assert record == kept(app, run_id)


def test_answers_name_no_pack(app: Flask, engine: Caller) -> None:
    put(app, "a-pack-with-a-long-name")
    result = engine.simulate(request(), key="friday", **{"X-Policy-Pack-Id": "a-pack-with-a-long-name"})
    run_id = segment(result.json["rebalance_run_id"])
    paths = ("", "/artifact", "/support-bundle", "/workflow")
    answers = [result, *(engine.get(f"/rebalance/runs/{run_id}{path}") for path in paths)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 404]
    assert not any("a-pack-with-a-long-name" in answer.text or "policy_pack" in answer.text for answer in answers)


@pytest.mark.parametrize("named", ["x" * 256, "p\x7fq"])
def test_what_is_no_id_is_refused(engine: Caller, named: str) -> None:
    answer = engine.simulate(request(), **{"X-Policy-Pack-Id": named})
    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json["detail"]] == [["header", "X-Policy-Pack-Id"]]


def test_a_stored_pack_that_this_version_does_not_accept_reaches_no_run(app: Flask, engine: Caller) -> None:
    put(app, "cap")
    with app.app_context(), transaction() as session:
        session.get_one(StoredPolicyPack, ("default", "cap")).overrides = {"single_position_max_weight": "many"}
    named = {"X-Policy-Pack-Id": "cap"}
    simulated = engine.simulate(request(), **named)
    analysed = engine.send("POST", "/rebalance/analyze", json=analysis(), headers=named)
    assert [(one.status_code, one.json) for one in (simulated, analysed)] == [
        (409, {"detail": "DPM_POLICY_PACK_INVALID"})
    ] * 2
    accepted = engine.send("POST", "/rebalance/analyze/async", json=analysis(), headers=named).json
    told = engine.get(f"/rebalance/operations/{accepted['operation_id']}").json
    assert (told["status"], told["error"]["code"]) == ("FAILED", "DPM_POLICY_PACK_INVALID")
    assert engine.get("/rebalance/runs").json["items"] == []


def test_a_pack_costs_one_query_and_none_while_packs_are_off_or_unnamed(
    app: Flask, engine: Caller, statements: Statements
) -> None:
    def queries(pack: str | None = None) -> list[str]:
        with statements() as sent:
            run(engine, pack)
        return sent

    put(app, "cap")
    run(engine)
    unnamed, named = queries(), queries("cap")
    switch(app, DPM_POLICY_PACKS_ENABLED="false")
    off = queries("cap")
    assert len(off) == len(unnamed) == len(named) - 1
    assert [sum("dpm_policy_packs" in query for query in sent) for sent in (off, unnamed, named)] == [0, 0, 1]
