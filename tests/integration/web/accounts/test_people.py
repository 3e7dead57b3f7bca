"""Administration: people, roles, passwords, tokens and settings, and that each change is on record."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission, Role
from lotus_web.services.accounts.people import give_role
from lotus_web.store.session import db, transaction
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import HTMX
from tests.stores.makers import KINDS
from tests.support.people import PASSWORD, bearer_of, hidden_fields, hire, post, sign_in

pytestmark = pytest.mark.stores("sqlite")
NEW = {"name": "rita", "display_name": "Rita Blum", "role": "reviewer", "password": PASSWORD}


def record(app: Flask) -> list[tuple[str, str]]:
    """Return what is on record about changes: action and subject, in order."""
    with app.app_context():
        found = db.session.execute(
            text("SELECT action, subject FROM dg_audit_records WHERE category = 'admin' ORDER BY audit_seq")
        )
        return [(row.action, row.subject) for row in found]


def alter(client: FlaskClient, name: str, change: str, **fields: str) -> TestResponse:
    return post(client, f"/admin/people/{name}", {"change": change, **fields})


def refusal(answer: TestResponse) -> str:
    """Return what a refused page says."""
    return answer.text[answer.text.index('<section id="error"') :]


def issue(client: FlaskClient, *permissions: str, account: str = "nightly", days: str = "30") -> TestResponse:
    form = hidden_fields(client.get("/admin/tokens"))
    data = {**form, "account": account, "permissions": list(permissions), "days": days}
    return client.post("/admin/tokens", data=data)


def test_a_person_is_added_and_can_sign_in(app: Flask, client_of: ClientOf) -> None:
    ada = client_of("ada")
    answer = post(ada, "/admin", NEW)
    assert (answer.status_code, answer.location) == (303, "/admin/people/rita")
    page = ada.get(answer.location).text
    assert "Rita Blum" in page
    assert "rita may sign in now." in page
    assert "rita" in ada.get("/admin").text
    assert sign_in(app.test_client(), "rita").status_code == 303
    assert record(app) == [("add_person", "rita")]


@pytest.mark.parametrize(
    ("changed", "status", "sentence", "field"),
    [
        ({"name": ""}, 422, "name", "name"),
        ({"name": "ada"}, 409, "The name ada is taken.", "name"),
        ({"name": "a:b"}, 422, "name must not contain a colon", "name"),
        ({"password": "short"}, 422, "A password has 12 to 1024 characters.", "password"),
        ({"role": "emperor"}, 422, "Choose a role.", "role"),
    ],
)
def test_a_person_who_cannot_be_is_refused_at_the_field(
    app: Flask, client_of: ClientOf, changed: dict[str, str], status: int, sentence: str, field: str
) -> None:
    answer = post(client_of("ada"), "/admin", NEW | changed)
    assert answer.status_code == status
    assert re.search(rf'<a href="#{field}">[^<]*{re.escape(sentence)}', answer.text)
    assert 'value="Rita Blum"' in answer.text
    assert PASSWORD not in answer.text
    assert record(app) == []


@pytest.mark.stores(*KINDS)
def test_roles_are_given_and_taken_away(app: Flask, client_of: ClientOf) -> None:
    ada, nora = client_of("ada"), client_of("nora")
    assert alter(ada, "nora", "grant", role="manager").status_code == 303
    assert nora.get("/audit").status_code == 200
    assert "nora is manager now." in ada.get("/admin/people/nora").text
    alter(ada, "nora", "withdraw", held="manager")
    assert nora.get("/audit").status_code == 403
    assert record(app) == [("grant_role", "nora"), ("withdraw_role", "nora")]


@pytest.mark.stores(*KINDS)
def test_whoever_is_disabled_is_out_at_once_and_may_come_back(app: Flask, client_of: ClientOf) -> None:
    ada, nora = client_of("ada"), client_of("nora")
    alter(ada, "nora", "disable")
    assert nora.get("/inbox").status_code == 303
    assert sign_in(app.test_client(), "nora").status_code == 401
    assert "Disabled" in ada.get("/admin/people/nora").text
    alter(ada, "nora", "enable")
    assert sign_in(app.test_client(), "nora").status_code == 303
    assert record(app) == [("disable_person", "nora"), ("enable_person", "nora")]


def test_another_password_ends_the_sessions(app: Flask, client_of: ClientOf) -> None:
    ada, nora = client_of("ada"), client_of("nora")
    assert alter(ada, "nora", "password", password="short").status_code == 422
    answer = alter(ada, "nora", "password", password="another password")
    assert answer.status_code == 303
    assert nora.get("/inbox").status_code == 303
    assert sign_in(app.test_client(), "nora").status_code == 401
    assert sign_in(app.test_client(), "nora", "another password").status_code == 303
    assert record(app) == [("set_password", "nora")]


@pytest.mark.stores(*KINDS)
def test_the_last_administrator_stays(app: Flask, client_of: ClientOf) -> None:
    ada = client_of("ada")
    for change, fields in (("disable", {}), ("withdraw", {"held": "admin"})):
        answer = alter(ada, "ada", change, **fields)
        assert answer.status_code == 409
        assert "ada is the only administrator here: make another one first." in answer.text
    assert ada.get("/admin").status_code == 200
    assert record(app) == []


def test_who_works_elsewhere_too_is_left_to_an_operator(app: Flask, client_of: ClientOf) -> None:
    ada = client_of("ada")
    hire(app, "tom", Role.REVIEWER)
    with app.app_context(), transaction() as session:
        give_role(session, name="tom", role=Role.VIEWER, tenant_id="elsewhere", now=utcnow())
    for change, fields in (("disable", {}), ("password", {"password": "another password"})):
        answer = alter(ada, "tom", change, **fields)
        assert answer.status_code == 409
        assert "an operator has to do this" in answer.text


def test_people_of_other_tenants_do_not_exist(app: Flask, client_of: ClientOf) -> None:
    hire(app, "theo", Role.REVIEWER, tenant="elsewhere")
    ada = client_of("ada")
    assert "theo" not in ada.get("/admin").text
    unknown, foreign = ada.get("/admin/people/nobody"), ada.get("/admin/people/theo")
    assert (unknown.status_code, foreign.status_code) == (404, 404)
    assert refusal(foreign).replace("theo", "nobody") == refusal(unknown)
    for change, fields in (("grant", {"role": "admin"}), ("disable", {}), ("password", {"password": PASSWORD})):
        assert alter(ada, "theo", change, **fields).status_code == 404
    assert record(app) == []


def test_only_permissions_that_something_asks_for_are_offered_for_a_token(client_of: ClientOf) -> None:
    page = client_of("ada").get("/admin/tokens").text
    offered = re.findall(r'name="permissions" value="([a-z_]+)"', page)
    assert offered == [one.value for one in Permission if one.value != "act_on_behalf"]


@pytest.mark.parametrize(
    ("permissions", "fields", "sentence"),
    [
        ((), {}, "Choose what the token may do."),
        (("act_on_behalf",), {}, "Choose what the token may do."),
        (("runs_read",), {"days": "9999"}, "Choose how long the token is good for."),
        (("runs_read",), {"account": "ada"}, "The name ada is taken."),
        (("runs_read",), {"account": ""}, "name"),
    ],
)
def test_a_token_that_cannot_be_is_refused(
    app: Flask, client_of: ClientOf, permissions: tuple[str, ...], fields: dict[str, str], sentence: str
) -> None:
    answer = issue(client_of("ada"), *permissions, **fields)
    assert answer.status_code in (409, 422)
    assert sentence in answer.text
    assert 'class="error-summary"' in answer.text
    assert record(app) == []


@pytest.mark.stores(*KINDS)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["form", "htmx"])
def test_an_account_is_shut_out_with_all_its_tokens_and_let_in_again(
    app: Flask, client_of: ClientOf, headers: dict[str, str]
) -> None:
    ada = client_of("ada")
    bearers = [bearer_of(app, "engine", [permission]) for permission in (Permission.RUNS_READ, Permission.ADMIN)]
    for change, told, statuses in (
        ("disable", "is disabled. Its tokens no longer work.", [401, 401]),
        ("enable", "is enabled. Its valid tokens work again.", [200, 403]),
    ):
        answer = post(ada, "/admin/accounts/engine", {"change": change}, headers=headers)
        assert (answer.status_code, answer.location) == ((200, None) if headers else (303, "/admin/tokens"))
        page = answer.text if headers else ada.get(answer.location).text
        assert f"engine {told}" in page
        assert ("Account disabled" in page) is (change == "disable")
        found = [
            app.test_client().get("/api/v1/workflows", headers={"Authorization": f"Bearer {bearer}"})
            for bearer in bearers
        ]
        assert [one.status_code for one in found] == statuses
    assert record(app) == [("disable_account", "engine"), ("enable_account", "engine")]


def test_an_account_that_cannot_be_changed_is_left_as_it_is(app: Flask, client_of: ClientOf) -> None:
    ada = client_of("ada")
    shared = [bearer_of(app, "shared", [Permission.RUNS_READ], tenant=tenant) for tenant in ("default", "elsewhere")]
    theirs = bearer_of(app, "theirs", [Permission.RUNS_READ], tenant="elsewhere")
    refused = post(ada, "/admin/accounts/shared", {"change": "disable"})
    assert refused.status_code == 409
    assert "shared works for other tenants too" in refused.text
    assert "only an operator can disable it" in refused.text
    assert post(ada, "/admin/accounts/shared", {"change": "paint"}).status_code == 422
    unknown, foreign = (post(ada, f"/admin/accounts/{name}", {"change": "disable"}) for name in ("nobody", "theirs"))
    assert (unknown.status_code, foreign.status_code) == (404, 404)
    assert refusal(foreign).replace("theirs", "nobody") == refusal(unknown)
    for bearer, tenant in ((shared[0], "default"), (shared[1], "elsewhere"), (theirs, "elsewhere")):
        headers = {"Authorization": f"Bearer {bearer}", "X-Tenant-Id": tenant}
        assert app.test_client().get("/api/v1/workflows", headers=headers).status_code == 200
    assert record(app) == []


@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", LOTUS_SECRET_KEY="x" * 40)
def test_settings_in_force_tell_no_secret(client_of: ClientOf) -> None:
    page = client_of("ada").get("/admin/settings").text
    assert re.search(
        r"DPM_WORKFLOW_ENABLED</code></th>\s*<td[^>]*><span class=\"badge badge--good\">.*?On", page, re.DOTALL
    )
    assert "LOTUS_CLAIM_MINUTES" in page
    assert "x" * 40 not in page


@pytest.mark.parametrize(("exempt", "packs"), [(False, False), (True, True)])
def test_settings_in_force_tell_of_no_other_tenant(app: Flask, client_of: ClientOf, exempt: bool, packs: bool) -> None:
    environ = app.extensions["lotus_settings"].environ
    environ["LOTUS_FOUR_EYES_EXEMPT_TENANTS"] = "globex,default,initech" if exempt else "globex,initech"
    environ["DPM_TENANT_POLICY_PACK_MAP_JSON"] = json.dumps(
        {"globex": "bold", **({"default": "careful"} if packs else {})}
    )
    page = client_of("ada").get("/admin/settings").text
    for foreign in ("globex", "initech", "bold"):
        assert foreign not in page
    own = "<code>default</code>" if exempt else "<code>–</code>"
    assert re.search(rf"LOTUS_FOUR_EYES_EXEMPT_TENANTS</code></th>\s*<td[^>]*>{own}", page)
    assert ("{&#34;default&#34;:&#34;careful&#34;}" in page) is packs


def test_the_pages_are_for_administrators(client_of: ClientOf) -> None:
    for name in ("vera", "nora", "max"):
        client = client_of(name)
        for path in ("/admin", "/admin/people/ada", "/admin/tokens", "/admin/settings"):
            assert client.get(path).status_code == 403
        assert post(client, "/admin", NEW).status_code == 403
        assert alter(client, name, "grant", role="admin").status_code == 403
        assert 'href="/admin"' not in client.get("/inbox").text
