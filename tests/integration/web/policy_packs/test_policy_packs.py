"""Policy packs on pages: what a run was computed under, and the catalogue for administrators."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.config.policy import DeploymentPolicy
from lotus_web.config.settings import Settings
from lotus_web.services.policy_packs import put_pack
from lotus_web.services.runs.simulate import simulate
from lotus_web.store.session import transaction
from lotus_web.wire.policy_packs import read_pack
from lotus_web.wire.rebalance.request import RebalanceRequestBody
from tests.integration.conftest import ClientOf
from tests.support.analyses import simulate_json
from tests.support.histories import FEED

pytestmark = pytest.mark.stores("sqlite")
ON = DeploymentPolicy.of(Settings({"DPM_POLICY_PACKS_ENABLED": "true"}))
PACK: dict[str, Any] = {
    "policy_pack_id": "careful",
    "max_turnover_pct": "0.15",
    "enable_tax_awareness": True,
    "group_constraints": {"sector:<b>TECH</b>": {"max_weight": "0.3"}},
    "replay_enabled": False,
}


def put(app: Flask, pack: dict[str, Any], tenant: str = "default") -> None:
    with app.app_context(), transaction() as session:
        put_pack(session, read_pack(pack), tenant_id=tenant, now=utcnow())


def run_under(app: Flask, pack: str | None) -> str:
    body = RebalanceRequestBody.model_validate(simulate_json())
    with app.app_context():
        done = simulate(
            body,
            idempotency_key=f"key of {pack}",
            correlation_id="c",
            actor=FEED,
            policy=ON,
            clock=utcnow,
            policy_pack_id=pack,
        )
    return done.rebalance_run_id


def test_a_run_says_under_which_pack_it_was_computed_and_what_that_set(app: Flask, client_of: ClientOf) -> None:
    put(app, PACK)
    put(app, {"policy_pack_id": "idle"})
    vera = client_of("vera")
    page = vera.get(f"/runs/{run_under(app, 'careful')}").text
    told = " ".join(page.partition("<dt>Policy pack</dt>")[2].partition("</dd>")[0].split())
    assert "<code>careful</code>, named by the request" in told
    assert "<code>max_turnover_pct</code> 0.15" in told
    assert "<code>enable_tax_awareness</code> true" in told
    assert "sector:&lt;b&gt;TECH&lt;/b&gt; at most 0.3" in told
    assert "<code>replay_enabled</code> false" in told
    assert "It was not in the catalogue, so it changed nothing." in vera.get(f"/runs/{run_under(app, 'gone')}").text
    assert "It sets no option." in vera.get(f"/runs/{run_under(app, 'idle')}").text
    assert '<span class="soft">None</span>' in vera.get(f"/runs/{run_under(app, None)}").text


def test_administrators_see_the_packs_of_their_tenant(app: Flask, client_of: ClientOf) -> None:
    ada = client_of("ada")
    assert "Every run uses the options of its request." in ada.get("/admin/settings").text
    put(app, PACK)
    put(app, {"policy_pack_id": "northern"}, tenant="north")
    page = ada.get("/admin/settings").text
    assert "<code>careful</code>" in page
    assert "sector:&lt;b&gt;TECH&lt;/b&gt; at most 0.3" in page
    assert "northern" not in page
    assert "switched off by <code>DPM_POLICY_PACKS_ENABLED</code>" in page
    app.extensions["lotus_settings"].environ["DPM_POLICY_PACKS_ENABLED"] = "true"
    assert "switched off by" not in ada.get("/admin/settings").text
