"""Texts that no store takes, NUL and halves of surrogate pairs: whichever way they come in, nobody gets a fault of ours.

The addresses are those of the app, and the fields those of its models, so one that is added later is asked, too.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lotus_web.api.endpoint.routing import declared_routes
from lotus_web.api.openapi.bodies import ADVISER, BODIES, REVIEWER
from lotus_web.domain.access import Role
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.items.actions import Action
from lotus_web.services.items import actions
from lotus_web.web.guard.access import is_json_blueprint
from tests.contract.callers import ALL, Caller, bearer_of
from tests.integration.conftest import ClientOf
from tests.support import runs
from tests.support.everything import furnish, pages
from tests.support.histories import assert_provable, person
from tests.support.people import csrf_token, hidden_fields, hire

pytestmark = pytest.mark.environ(
    DPM_WORKFLOW_ENABLED="true",
    DPM_LINEAGE_APIS_ENABLED="true",
    DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED="true",
    DPM_ARTIFACT_STORE_MODE="PERSISTED",
)
NUL, HALF = "a\0b", "a\ud800b"
# What is attached to an action, and where in it the text stands; a name of a member counts to its object.
EVIDENCE: tuple[tuple[Any, tuple[str | int, ...]], ...] = (
    ({"a": NUL}, ("a",)),
    ({"a": HALF}, ("a",)),
    ({HALF: 1}, ()),
    ({"a": [{"b": ["fine", {"c": NUL}]}]}, ("a", 0, "b", 1, "c")),
)
WEB = Path(__file__).parents[3] / "lotus_web" / "web"
ASKED = re.compile(r'(?:args\.get|(?:text|enum|choice|day|instant)_arg)\(\s*"(\w+)"')
TOMAS = person("tomas.reviewer", Role.MANAGER)


@pytest.fixture
def engine(app: Flask) -> Caller:
    """A program that may do everything."""
    return Caller(app.test_client(), "everyman", bearer_of(app, "everyman", ALL, "default"), prefix="")


def spoilt(rule: str, ids: dict[str, str], text: str) -> Iterator[str]:
    """Yield the addresses of a rule in which one argument, and no other, is ``text``."""
    arguments = re.findall(r"<(?:\w+:)?(\w+)>", rule)
    for bad in arguments:
        values = {one: text if one == bad else ids.get(one, "x") for one in arguments}
        yield re.sub(r"<(?:\w+:)?(\w+)>", lambda found: quote(values[found[1]], safe=""), rule)  # noqa: B023


def test_an_id_in_a_path_is_one_that_nobody_has(app: Flask, engine: Caller, client_of: ClientOf) -> None:
    ids, ada, wrong = furnish(app, "mine"), client_of("ada"), {}
    hire(app, ADVISER, Role.ADVISER)
    hire(app, REVIEWER, Role.REVIEWER)
    form = {"csrf_token": csrf_token(ada), "action": "comment", "change": "disable", "version": "1", "text": "x"}
    for rule in app.url_map.iter_rules():
        programs = is_json_blueprint(rule.endpoint.partition(".")[0])
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            for path in (*spoilt(rule.rule, ids, NUL), *spoilt(rule.rule, ids, "x" * 1001)):
                if programs:
                    answer = engine.send(method, path, headers={"Idempotency-Key": path[:200]}, json=_body(rule, app))
                else:
                    answer = ada.open(path, method=method, data=form if method == "POST" else None)
                if answer.status_code not in _answers(rule.rule, programs=programs):
                    wrong[f"{method} {path[:80]}"] = answer.status_code
    assert wrong == {}


def _answers(rule: str, *, programs: bool) -> set[int]:
    """Return what may be answered: lineage knows nothing of such an id, and an accepted operation fails by itself."""
    if programs and "/lineage/" in rule:
        return {200}
    return {202, 404, 422} if rule.endswith("/versions/async") else {404, 422}


def _body(rule: Any, app: Flask) -> Any:
    found = next(one for _, _, endpoint, one in declared_routes(app) if endpoint == rule.endpoint)
    return BODIES.get(found.body.__name__) if found.body else None


def test_the_answer_to_such_an_id_is_that_to_an_unknown_one(engine: Caller) -> None:
    for path in ("/rebalance/runs/{}", "/api/v1/workflows/{}", "/api/v1/traces/{}", "/rebalance/operations/{}"):
        unknown, answer = (engine.get(path.format(ident)) for ident in ("nobody", "a%00b"))
        assert answer.status_code == 404
        assert answer.json | {"request_id": ""} == unknown.json | {"request_id": ""}


def test_a_page_gives_a_form_back_without_what_cannot_be_stored(app: Flask, client_of: ClientOf) -> None:
    ids, ada = furnish(app, "mine"), client_of("ada")
    form, wrong = {"csrf_token": csrf_token(ada), "text": f"Long to write. {NUL}", "other": "kept"}, {}
    for page in pages(app, "POST", ids):
        answer = ada.post(page.path, data=form)
        kept = hidden_fields(answer)
        if (answer.status_code, kept.get("text"), kept.get("other")) != (422, "Long to write. ab", "kept"):
            wrong[page.path] = answer.status_code
    assert wrong == {}
    assert ada.post("/inbox/next", data={"csrf_token": form["csrf_token"], NUL: "x"}).status_code == 422
    assert ada.post("/inbox/next", data={"csrf_token": NUL}).status_code == 400


def test_such_a_form_of_nobody_or_of_another_site_is_not_given_back(app: Flask) -> None:
    hire(app, "ada")
    client = app.test_client()
    form = {"csrf_token": csrf_token(client), "name": NUL, "password": NUL}
    answer = client.post("/login", data=form)
    assert answer.status_code == 422
    assert "cannot be stored" in answer.text
    assert client.post("/logout", data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 422
    assert client.post("/inbox/next", data={"skip": NUL}).status_code == 401


def test_a_page_takes_no_such_text_in_its_address(app: Flask, client_of: ClientOf) -> None:
    ids, ada = furnish(app, "mine"), client_of("ada")
    names = {name for source in WEB.rglob("*.py") for name in ASKED.findall(source.read_text())}
    assert names >= {"tab", "cursor", "q", "from", "template"}
    wrong = {}
    for page in pages(app, "GET", ids):
        for query in (dict.fromkeys(names, NUL), {"cursor": NUL, "template": NUL}):
            status = ada.get(page.path, query_string=query, buffered=True).status_code
            if status >= 500:
                wrong[page.path] = status
    assert wrong == {}


def test_a_text_in_json_is_refused_wherever_it_stands(app: Flask, engine: Caller) -> None:
    ids, wrong = furnish(app, "mine"), {}
    for rule, methods, _, declared in declared_routes(app):
        if declared.body is None or rule.startswith("/rebalance"):
            continue
        path = re.sub(r"<ident:(\w+)>", lambda found: quote(ids[found[1]], safe=""), rule)
        for place, body in spoilt_bodies(declared.body):
            answer = engine.client.open(
                path,
                method=next(iter(methods - {"GET"})),
                data=json.dumps(body),
                content_type="application/json",
                headers={"Authorization": f"Bearer {engine.bearer}", "Idempotency-Key": "k"},
            )
            if answer.status_code not in (400, 422):
                wrong[f"{rule} {place}"] = (answer.status_code, answer.text[:200])
    assert wrong == {}


def spoilt_bodies(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield a body for each member of a model and each text of its example, in which that is what no store takes."""
    example = BODIES.get(model.__name__, {})
    for text in (NUL, HALF):
        for name in model.model_fields:
            yield f"{name} {text!r}", example | {name: text}
            yield f"{name} within {text!r}", example | {name: {"a": [text]}}
        for steps in _texts(example):
            body = copy.deepcopy(example)
            inner = body
            for step in steps[:-1]:
                inner = inner[step]
            inner[steps[-1]] = text
            yield f"{steps} {text!r}", body


def _texts(value: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, str):
        yield steps
    elif isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(item, (*steps, key))


def reads(engine: Caller, ada: FlaskClient, workflow_id: str) -> dict[str, TestResponse]:
    """Look at an item in every way there is."""
    item, trace = quote(workflow_id, safe=""), quote(workflow_id.partition(":")[0], safe="")
    programs = (f"workflows/{item}", f"admin/workflows/{item}/export", f"traces/{trace}", "workflows")
    people = (f"/inbox/{item}", f"/inbox/{item}/export.json", f"/traces/{trace}", "/audit", "/audit.csv")
    found = {path: engine.get(f"/api/v1/{path}") for path in programs}
    return found | {path: ada.get(path, buffered=True) for path in people}


def test_evidence_is_storable_at_any_depth(app: Flask, engine: Caller, client_of: ClientOf) -> None:
    workflow_id, ada = runs.item(app), client_of("ada")
    path = f"/api/v1/workflows/{quote(workflow_id, safe='')}/actions"
    for action, (evidence, place) in itertools.product(Action, EVIDENCE):
        body = {"action": action.value, "reason": "x", "reason_code": "OTHER", "evidence": evidence}
        answer = engine.send("POST", path, data=json.dumps(body), content_type="application/json")
        assert answer.status_code == 422, (action, answer.text)
        assert answer.json["error"]["details"]["problems"][0]["loc"] == ["body", "evidence", *place]
    for evidence, place in EVIDENCE:
        with pytest.raises(InvalidInput, match=r"evidence.* contains characters that cannot be stored") as refused:
            runs.act(app, workflow_id, Action.COMMENT, by=TOMAS, text="x", evidence=evidence)
        assert refused.value.loc == ("body", "evidence", *place)
    assert {answer.status_code for answer in reads(engine, ada, workflow_id).values()} == {200}


def test_what_was_stored_before_is_answered_with_its_holes(
    app: Flask, engine: Caller, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow_id, ada = runs.item(app), client_of("ada")
    with monkeypatch.context() as unchecked:
        unchecked.setattr(actions, "check_storable", lambda *_args, **_named: None)
        runs.act(app, workflow_id, Action.COMMENT, by=TOMAS, text="x", evidence={"place": HALF})
    found = reads(engine, ada, workflow_id)
    assert {name: answer.status_code for name, answer in found.items() if answer.status_code != 200} == {}
    item = found[f"workflows/{quote(workflow_id, safe='')}"]
    assert "a?b" in item.text
    assert "\\ud800" not in item.text
    with app.app_context():
        assert_provable()
