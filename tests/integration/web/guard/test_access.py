"""Every page is closed until its view says who may see it."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from lotus_web.api.endpoint.routing import declared_routes
from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission, Role
from lotus_web.services.accounts.people import give_role
from lotus_web.store.session import transaction
from lotus_web.web.guard.access import OpenTo, access_of, is_json_blueprint
from tests.integration.conftest import ClientOf
from tests.support.people import PASSWORD, hidden_fields, hire, post, sign_in

EVERYONE = ("vera", "nora", "max", "ada")


@pytest.mark.stores("sqlite")
def test_every_page_of_the_app_says_who_may_see_it(app: Flask) -> None:
    silent = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if not is_json_blueprint(rule.endpoint.rpartition(".")[0]) and access_of(app, rule.endpoint) is None
    ]
    assert silent == []


def page_addresses(app: Flask, method: str) -> list[str]:
    """Return an address of every page route with a method, public ones left out."""
    with app.test_request_context():
        adapter = app.create_url_adapter(request)
        assert adapter is not None
        return [
            adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, "1"), method=method)
            for rule in app.url_map.iter_rules()
            if method in (rule.methods or ())
            and not is_json_blueprint(rule.endpoint.rpartition(".")[0])
            and access_of(app, rule.endpoint) is not OpenTo.PUBLIC
        ]


@pytest.mark.stores("sqlite")
def test_whoever_is_signed_out_sees_no_page_and_sends_no_form(app: Flask, client: FlaskClient) -> None:
    looked = {path: client.get(path) for path in page_addresses(app, "GET")}
    assert {path for path, answer in looked.items() if answer.status_code != 303} == set()
    assert {path for path, answer in looked.items() if not answer.location.startswith("/login")} == set()
    sent = {path: client.post(path, data={"reason": "x"}).status_code for path in page_addresses(app, "POST")}
    assert sent
    assert set(sent.values()) == {401}


@pytest.mark.stores("sqlite")
def test_no_form_is_taken_without_its_token_even_from_who_may_do_everything(app: Flask, client_of: ClientOf) -> None:
    ada = client_of("ada")
    sent = {path: ada.post(path, data={"reason": "x"}).status_code for path in page_addresses(app, "POST")}
    assert set(sent.values()) == {400}


@pytest.mark.stores("sqlite")
@pytest.mark.environ(DPM_WORKFLOW_ENABLED="true", DPM_LINEAGE_APIS_ENABLED="true")
def test_a_browsers_cookie_opens_no_json_route_so_that_no_other_site_can_use_it(
    app: Flask, client_of: ClientOf
) -> None:
    ada, told = client_of("ada"), {}
    for rule, methods, _, declared in declared_routes(app):
        path = re.sub(r"<[^>]+>", "x", rule)
        for method in methods if declared.permission is not None and declared.opened is None else ():
            told[f"{method} {path}"] = ada.open(path, method=method, json={} if method == "POST" else None).status_code
    assert len(told) > 50
    assert set(told.values()) == {401}


@pytest.mark.stores("sqlite")
def test_only_signing_in_and_out_the_reference_and_static_files_are_public(app: Flask) -> None:
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if not is_json_blueprint(rule.endpoint.rpartition(".")[0]) and access_of(app, rule.endpoint) is OpenTo.PUBLIC
    }
    assert public == {
        "static",
        "sign_in.show",
        "sign_in.sign_in",
        "sign_in.sign_out",
        "by_passkey.ask",
        "by_passkey.sign_in",
        "by_passkey.second",
        "docs.show",
    }


@pytest.mark.stores("sqlite")
def test_a_view_that_says_nothing_fails_in_tests(sample_pages: Flask, client: FlaskClient) -> None:
    with pytest.raises(RuntimeError, match=r"sample\.unmarked"):
        client.get("/sample/unmarked")


@pytest.mark.stores("sqlite")
def test_a_view_that_says_nothing_is_refused_to_everyone_else(sample_pages: Flask, client_of: ClientOf) -> None:
    ada = client_of("ada")
    sample_pages.testing = False
    answer = ada.get("/sample/unmarked")
    assert answer.status_code == 403
    assert "nobody thought" not in answer.text


@pytest.mark.parametrize(
    ("path", "welcome"),
    [
        ("/sample/hall", EVERYONE),
        ("/sample/lounge", EVERYONE),
        ("/sample/", EVERYONE),
        ("/sample/vault", ("ada",)),
    ],
)
@pytest.mark.stores("sqlite")
def test_a_page_opens_to_those_it_names(
    sample_pages: Flask, client_of: ClientOf, path: str, welcome: tuple[str, ...]
) -> None:
    assert {name for name in EVERYONE if client_of(name).get(path).status_code == 200} == set(welcome)


@pytest.mark.stores("sqlite")
def test_a_form_is_taken_from_those_who_hold_its_permission(sample_pages: Flask, client_of: ClientOf) -> None:
    taken = {name: post(client_of(name), "/sample/notes", {"reason": "fine"}).status_code for name in EVERYONE}
    assert taken == {"vera": 403, "nora": 303, "max": 303, "ada": 303}


def test_a_refusal_names_the_permission(sample_pages: Flask, client_of: ClientOf) -> None:
    answer = client_of("nora").get("/sample/vault")
    assert answer.status_code == 403
    assert "This needs the permission “Administer people and tokens”." in answer.text
    assert "gold" not in answer.text


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/sample/", "/login?next=/sample/"),
        ("/sample/?q=a%20b&status=open", "/login?next=/sample/?q%3Da%2520b%26status%3Dopen"),
        ("/sample/records/a%2Fb:exception:c", "/login?next=/sample/records/a%252Fb%253Aexception%253Ac"),
    ],
)
@pytest.mark.stores("sqlite")
def test_whoever_is_signed_out_is_led_to_the_sign_in_and_back_to_the_very_page(
    sample_pages: Flask, client: FlaskClient, path: str, leads_to: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (303, leads_to)
    hire(sample_pages, "nora")
    form_page = client.get(leads_to)
    assert form_page.status_code == 200
    form = hidden_fields(form_page) | {"name": "nora", "password": PASSWORD}
    back = client.post("/login", data=form).location
    assert unquote(back) == unquote(path)
    assert client.get(back).status_code == 200


def test_a_page_that_does_not_exist_is_not_found_signed_in_or_out(
    sample_pages: Flask, client: FlaskClient, nora: str
) -> None:
    assert client.get("/nothing").status_code == 404
    sign_in(client, nora)
    assert client.get("/nothing").status_code == 404


def test_a_person_moves_between_their_tenants_and_takes_the_roles_of_each(
    sample_pages: Flask, client: FlaskClient
) -> None:
    hire(sample_pages, "nora", Role.VIEWER, tenant="north")
    with sample_pages.app_context(), transaction() as store:
        give_role(store, name="nora", role=Role.ADMIN, tenant_id="south", now=utcnow())
    asked = sign_in(client, "nora", next_path="/sample/")
    assert asked.location == "/tenant?next=/sample/"
    assert "south" in client.get(asked.location).text
    assert client.get("/sample/vault").status_code == 403
    moved = post(client, "/tenant", {"tenant": "south", "next": "/sample/"})
    assert (moved.status_code, moved.location) == (303, "/sample/")
    assert "nora in south" in client.get("/sample/").text
    assert client.get("/sample/vault").status_code == 200
    post(client, "/logout")
    assert sign_in(client, "nora", next_path="/sample/").location == "/sample/"
    assert "nora in south" in client.get("/sample/").text


def test_another_tenant_does_not_exist(sample_pages: Flask, client_of: ClientOf) -> None:
    hire(sample_pages, "tom", Role.ADMIN, tenant="elsewhere")
    nora = client_of("nora")
    for tenant in ("elsewhere", "nowhere", ""):
        assert post(nora, "/tenant", {"tenant": tenant}).status_code == 404
    assert "nora in default" in nora.get("/sample/").text


@pytest.mark.stores("sqlite")
def test_the_names_of_permissions_and_marks_agree(sample_pages: Flask) -> None:
    assert access_of(sample_pages, "sample.vault") is Permission.ADMIN
    assert access_of(sample_pages, "sample.lounge") is OpenTo.SIGNED_IN
    assert access_of(sample_pages, "sample.hall") is OpenTo.PUBLIC
    assert access_of(sample_pages, "sample.unmarked") is None
