"""Which role may look at which page and send which form: the whole table, walked over the routes of the app."""

from __future__ import annotations

import pytest
from flask import Flask, request

from lotus_web.domain.access import ROLE_PERMISSIONS, Permission, Role
from lotus_web.web.guard.access import OpenTo, access_of, is_json_blueprint
from tests.integration.conftest import ClientOf
from tests.support.people import csrf_token

pytestmark = pytest.mark.stores("sqlite")

READ, REVIEW, ASSIGN = Permission.RUNS_READ, Permission.WORKFLOW_REVIEW, Permission.WORKFLOW_ASSIGN
EXPORT, ADMIN, PROPOSE = Permission.WORKFLOW_EXPORT, Permission.ADMIN, Permission.PROPOSALS_WRITE
# What each page of the control plane asks for; the test fails when one is missing here or asks for something else.
ASKED = {
    "inbox.home": OpenTo.SIGNED_IN,
    "inbox.show": READ,
    "inbox.claim": REVIEW,
    "inbox.take_next": REVIEW,
    "saved_views.save": READ,
    "saved_views.alter": READ,
    "items.show": READ,
    "items.act": READ,
    "signing.ask": READ,
    "passkeys.show": OpenTo.SIGNED_IN,
    "passkeys.ask": OpenTo.SIGNED_IN,
    "passkeys.change": OpenTo.SIGNED_IN,
    "proposals.listing": READ,
    "proposals.export": READ,
    "proposal.show": READ,
    "proposal.version": READ,
    "proposal.artifact": READ,
    "proposal_diff.show": READ,
    "proposal_steps.take": READ,
    "proposals_form.start": PROPOSE,
    "proposals_form.send": PROPOSE,
    "proposals_form.check": PROPOSE,
    "proposals_version.start": PROPOSE,
    "proposals_version.send": PROPOSE,
    "proposals_json.start": PROPOSE,
    "proposals_json.send": PROPOSE,
    "proposals_json.start_version": PROPOSE,
    "proposals_json.send_version": PROPOSE,
    "decisions.show": READ,
    "decisions.export": READ,
    "reasons.show": READ,
    "sla.show": READ,
    "sla.move": ASSIGN,
    "notifications.show": OpenTo.SIGNED_IN,
    "notifications.bell": OpenTo.SIGNED_IN,
    "notifications.read": OpenTo.SIGNED_IN,
    "studio.show": READ,
    "studio.trace": READ,
    "studio.start": REVIEW,
    "traces.show": READ,
    "audit.show": EXPORT,
    "audit.export": EXPORT,
    "audit.verify": EXPORT,
    "audit.export_of_item": EXPORT,
    "audit.archive_of_item": EXPORT,
    "audit.verifier": EXPORT,
    "support.show": READ,
    "accounts.show": ADMIN,
    "accounts.add": ADMIN,
    "accounts.person": ADMIN,
    "accounts.alter": ADMIN,
    "accounts_tokens.show": ADMIN,
    "accounts_tokens.issue": ADMIN,
    "accounts_tokens.revoke": ADMIN,
    "accounts_token.show": ADMIN,
    "accounts_token.ask_to_revoke": ADMIN,
    "accounts_service.alter": ADMIN,
    "accounts_settings.show": ADMIN,
}
FAMILIES = {endpoint.partition(".")[0] for endpoint in ASKED}
ROLE_OF = {
    "vera": Role.VIEWER,
    "leo": Role.ADVISER,
    "nora": Role.REVIEWER,
    "max": Role.MANAGER,
    "ada": Role.ADMIN,
}
PASSED = {200, 303, 404, 409, 422}


def routes(app: Flask) -> list[tuple[str, str, str]]:
    """Return endpoint, method and an address of every route of these pages; ids in it are unknown ones."""
    with app.test_request_context():
        adapter = app.create_url_adapter(request)
        assert adapter is not None
        return [
            (rule.endpoint, method, adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, "1"), method=method))
            for rule in app.url_map.iter_rules()
            if rule.endpoint.partition(".")[0] in FAMILIES and not is_json_blueprint(rule.endpoint.partition(".")[0])
            for method in sorted((rule.methods or set()) & {"GET", "POST"})
        ]


def test_the_table_names_every_page_and_what_it_asks_for(app: Flask) -> None:
    assert {endpoint: access_of(app, endpoint) for endpoint, _, _ in routes(app)} == ASKED


@pytest.mark.parametrize("name", ROLE_OF)
def test_each_role_passes_where_it_may_and_nowhere_else(app: Flask, client_of: ClientOf, name: str) -> None:
    client, may = client_of(name), ROLE_PERMISSIONS[ROLE_OF[name]]
    token = csrf_token(client)
    wrong = {}
    for endpoint, method, path in routes(app):
        answer = (
            client.get(path, buffered=True)
            if method == "GET"
            else client.post(path, data={"csrf_token": token, "notification_id": "x"})
        )
        asked = ASKED[endpoint]
        expected = PASSED if asked is OpenTo.SIGNED_IN or asked in may else {403}
        if answer.status_code not in expected:
            wrong[f"{method} {endpoint}"] = answer.status_code
    assert wrong == {}


def test_the_navigation_leads_only_where_one_may_go(client_of: ClientOf) -> None:
    for name in ROLE_OF:
        client = client_of(name)
        page = client.get("/notifications").text
        rail = page[page.index('id="rail"') : page.index("</nav>", page.index('id="rail"'))]
        links = [part.partition('"')[0] for part in rail.split('class="rail__link" href="')[1:]]
        assert links
        assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)
