"""Passkeys on both stores: adding one, signing in with it alone and after the password, recovery codes, removal, and every attack on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lotus_web.config.current import utcnow
from lotus_web.domain.sign_in.passkeys import COUNTER, REFUSED_SENTENCE
from lotus_web.models import AuditRecord, Passkey, PersonSession
from lotus_web.queries.audit.facts import verify_facts
from lotus_web.services.retention.housekeeping import PURGES
from lotus_web.store.session import db, transaction
from tests.support import passkeys, people
from tests.support.authenticators import AT, EDDSA, ES256, RS256, UP, UV, Authenticator

Wrong = dict[str, Any]


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Nora, signed in with her password."""
    people.hire(app, "nora")
    found = app.test_client()
    assert people.sign_in(found, "nora").status_code == 303
    return found


@pytest.fixture
def laptop(client: FlaskClient) -> Authenticator:
    """Nora's passkey."""
    made, answer = passkeys.add(client)
    assert answer.status_code == 200
    found: Authenticator = made
    return found


def name_of(client: FlaskClient) -> str | None:
    """Return who is signed in."""
    page = client.get("/account/passkeys")
    return page.text.partition('class="who__name" dir="auto">')[2].partition("<")[0] or None


def methods(app: Flask) -> list[str | None]:
    with app.app_context():
        return list(db.session.scalars(select(PersonSession.method).order_by(PersonSession.created_at)))


def contradictions(app: Flask) -> list[str]:
    with app.app_context():
        return list(verify_facts(db.session(), "default"))


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_a_passkey_signs_in_alone(app: Flask, client: FlaskClient, algorithm: int) -> None:
    made, answer = passkeys.add(client, Authenticator(algorithm))
    assert len(set(passkeys.codes_in(answer))) == 10
    fresh = app.test_client()
    answer = passkeys.sign_in(fresh, made)
    assert (answer.status_code, name_of(fresh)) == (303, "nora")
    assert methods(app) == ["password+passkey", "passkey"]
    assert contradictions(app) == []


def test_a_password_alone_opens_nothing_once_there_is_a_passkey(app: Flask, laptop: Authenticator) -> None:
    fresh = app.test_client()
    page = people.sign_in(fresh, "nora")
    assert page.status_code == 200
    assert fresh.get("/inbox").status_code == 303
    # Present is enough after the password; alone it must be verified.
    assert passkeys.second(fresh, page, laptop, flags=UP).status_code == 303
    assert name_of(fresh) == "nora"
    assert methods(app)[-1] == "password+passkey"


def test_a_recovery_code_replaces_a_passkey_once(app: Flask, client: FlaskClient) -> None:
    _, answer = passkeys.add(client)
    code = passkeys.codes_in(answer)[0]
    for expected, typed in ((303, code.lower().replace("-", " ")), (401, code), (401, "AAAA-AAAA-AAAA-AAAA")):
        fresh = app.test_client()
        form = people.hidden_fields(people.sign_in(fresh, "nora"))
        answer = fresh.post("/login/second", data=form | {"code": typed})
        assert answer.status_code == expected
        assert (name_of(fresh) == "nora") is (expected == 303)
    assert "password+recovery_code" in methods(app)
    assert contradictions(app) == []


def test_guessing_recovery_codes_is_slowed_down_like_passwords(app: Flask, laptop: Authenticator) -> None:
    fresh = app.test_client()
    form = people.hidden_fields(people.sign_in(fresh, "nora"))
    found = [fresh.post("/login/second", data=form | {"code": f"AAAA-{n}"}).status_code for n in range(8)]
    assert found[0] == 401
    assert found[-1] == 429


def test_new_codes_replace_the_old_ones(app: Flask, client: FlaskClient) -> None:
    _, answer = passkeys.add(client)
    old = passkeys.codes_in(answer)
    new = passkeys.codes_in(people.post(client, "/account/passkeys", {"change": "codes"}))
    assert len(new) == 10
    assert not set(old) & set(new)
    for expected, code in ((401, old[0]), (303, new[0])):
        fresh = app.test_client()
        form = people.hidden_fields(people.sign_in(fresh, "nora"))
        assert fresh.post("/login/second", data=form | {"code": code}).status_code == expected
    assert contradictions(app) == []


WRONG = {
    "another origin": {"origin": "http://localhost.evil.example"},
    "another port": {"origin": "http://localhost:9999"},
    "another site": {"domain": "evil.example"},
    "nobody present": {"flags": UV},
    "nobody verified": {"flags": UP},
    "another question": {"kind": "webauthn.create"},
    "another person's handle": {"handle": "bWF4"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_answer_signs_nobody_in(app: Flask, laptop: Authenticator, wrong: Wrong) -> None:
    fresh = app.test_client()
    answer = passkeys.sign_in(fresh, laptop, **wrong)
    assert answer.status_code == 401
    assert REFUSED_SENTENCE in answer.text
    assert fresh.get("/inbox").status_code == 303
    assert passkeys.sign_in(fresh, laptop).status_code == 303


NOT_MADE = {
    "another origin": {"origin": "https://localhost"},
    "another site": {"domain": "evil.example"},
    "nobody verified": {"flags": UP | AT},
    "another question": {"kind": "webauthn.get"},
}


@pytest.mark.parametrize("wrong", NOT_MADE.values(), ids=NOT_MADE)
def test_a_wrong_answer_adds_nothing(app: Flask, client: FlaskClient, wrong: Wrong) -> None:
    _, answer = passkeys.add(client, label="phone", **wrong)
    assert answer.status_code == 409
    assert 'value="phone"' in answer.text
    with app.app_context():
        assert db.session.scalars(select(Passkey)).all() == []


def replayed(client: FlaskClient, laptop: Authenticator) -> tuple[FlaskClient, dict[str, str]]:
    token = people.csrf_token(client)
    asked = client.get("/login/challenge").json
    return client, {"csrf_token": token, "sealed": asked["sealed"], "answer": laptop.get(asked["options"])}


def test_an_answer_counts_once(app: Flask, laptop: Authenticator) -> None:
    fresh = app.test_client()
    _, form = replayed(fresh, laptop)
    with fresh.session_transaction() as cookie:
        before = dict(cookie)
    assert fresh.post("/login/passkey", data=form).status_code == 303
    with fresh.session_transaction() as cookie:
        cookie.clear()
        cookie.update(before)
    assert fresh.post("/login/passkey", data=form).status_code == 401


def test_of_the_same_answer_at_once_one_counts(app: Flask, laptop: Authenticator) -> None:
    fresh = app.test_client()
    _, form = replayed(fresh, laptop)
    cookie = fresh.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None

    def send(_: int) -> int:
        other = app.test_client()
        other.set_cookie(cookie.key, cookie.value)
        return other.post("/login/passkey", data=form).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(send, range(4))) == [303, 401, 401, 401]


def test_a_challenge_is_of_one_browser_and_of_five_minutes(app: Flask, laptop: Authenticator) -> None:
    mine, theirs = app.test_client(), app.test_client()
    _, form = replayed(mine, laptop)
    assert theirs.post("/login/passkey", data=form | {"csrf_token": people.csrf_token(theirs)}).status_code == 401
    with time_machine.travel(utcnow() + timedelta(minutes=5), tick=False):
        assert mine.post("/login/passkey", data=form).status_code == 401


def test_a_challenge_is_for_one_purpose(app: Flask, client: FlaskClient, laptop: Authenticator) -> None:
    asked = client.get("/login/challenge").json
    options = {"challenge": asked["options"]["challenge"], "rp": {"id": "localhost"}, "user": {"id": laptop.handle}}
    form = {"change": "add", "label": "phone", "sealed": asked["sealed"], "csrf_token": people.csrf_token(client)}
    answer = client.post("/account/passkeys", data=form | {"answer": Authenticator().create(options)})
    assert (answer.status_code, REFUSED_SENTENCE in answer.text) == (409, True)


def test_the_second_step_is_good_for_five_minutes_in_one_browser(app: Flask, client: FlaskClient) -> None:
    codes = passkeys.codes_in(passkeys.add(client)[1])
    fresh, other = app.test_client(), app.test_client()
    form = people.hidden_fields(people.sign_in(fresh, "nora"))
    theirs = form | {"csrf_token": people.csrf_token(other), "code": codes[0]}
    assert other.post("/login/second", data=theirs).status_code == 401
    with time_machine.travel(utcnow() + timedelta(minutes=5), tick=False):
        answer = fresh.post("/login/second", data=form | {"code": codes[0]})
    assert (answer.status_code, "took too long" in answer.text) == (401, True)
    assert fresh.post("/login/second", data=form | {"code": codes[0]}).status_code == 303


def test_a_passkey_of_another_person_is_no_second_factor(app: Flask, laptop: Authenticator) -> None:
    people.hire(app, "max")
    other = app.test_client()
    people.sign_in(other, "max")
    stolen, _ = passkeys.add(other)
    fresh = app.test_client()
    page = people.sign_in(fresh, "nora")
    assert passkeys.second(fresh, page, stolen).status_code == 401
    assert fresh.get("/inbox").status_code == 303


def test_a_removed_passkey_opens_nothing(app: Flask, client: FlaskClient, laptop: Authenticator) -> None:
    with app.app_context():
        passkey_id = db.session.scalars(select(Passkey.passkey_id)).one()
    fresh = app.test_client()
    _, form = replayed(fresh, laptop)
    answer = people.post(client, "/account/passkeys", {"change": "remove", "passkey": passkey_id})
    assert answer.status_code == 303
    assert fresh.post("/login/passkey", data=form).status_code == 401
    assert people.post(client, "/account/passkeys", {"change": "remove", "passkey": passkey_id}).status_code == 404
    assert contradictions(app) == []


def test_a_key_that_is_known_is_not_added_again_not_for_another_person_either(
    app: Flask, laptop: Authenticator
) -> None:
    people.hire(app, "max")
    other = app.test_client()
    people.sign_in(other, "max")
    _, answer = passkeys.add(other, laptop)
    assert answer.status_code == 409


@pytest.mark.parametrize("step", [0, -1])
def test_a_counter_that_does_not_go_on_is_refused_and_noted(app: Flask, laptop: Authenticator, step: int) -> None:
    assert passkeys.sign_in(app.test_client(), laptop).status_code == 303
    assert passkeys.sign_in(app.test_client(), laptop).status_code == 303
    answer = passkeys.sign_in(app.test_client(), laptop, step=step)
    assert answer.status_code == 401
    assert "a copy of it" in answer.text
    with app.app_context():
        (line,) = db.session.scalars(select(AuditRecord).where(AuditRecord.code == COUNTER))
        assert (line.category, line.subject) == ("failed", "nora")


def test_a_passkey_without_a_counter_goes_on(app: Flask, client: FlaskClient) -> None:
    synced, _ = passkeys.add(client)
    for _ in range(2):
        assert passkeys.sign_in(app.test_client(), synced, step=0).status_code == 303


def test_a_disabled_person_does_not_sign_in_with_a_passkey(app: Flask, laptop: Authenticator) -> None:
    people.hire(app, "ada")
    admin = app.test_client()
    people.sign_in(admin, "ada")
    assert people.post(admin, "/admin/people/nora", {"change": "disable"}).status_code == 303
    fresh = app.test_client()
    answer = passkeys.sign_in(fresh, laptop)
    assert (answer.status_code, REFUSED_SENTENCE in answer.text) == (401, True)
    assert fresh.get("/inbox").status_code == 303
    assert methods(app).count("passkey") == 0


def test_passkeys_change_only_shortly_after_a_sign_in(app: Flask, client: FlaskClient, laptop: Authenticator) -> None:
    with time_machine.travel(utcnow() + timedelta(minutes=16), tick=False):
        _, answer = passkeys.add(client, label="phone")
        assert answer.status_code == 409
        assert "more than 15 minutes ago" in answer.text
        assert people.post(client, "/account/passkeys", {"change": "codes"}).status_code == 409


MISMADE: list[Callable[[dict[str, Any]], Any]] = [
    lambda _: "",
    lambda _: "[]",
    lambda _: "[" * 5000,
    lambda _: "x" * 20_000,
    lambda found: json.dumps(found | {"response": None}),
    lambda found: json.dumps(found | {"response": {"clientDataJSON": 1}}),
    lambda found: json.dumps(found | {"id": 1}),
    lambda found: json.dumps(found | {"id": "a\x00b"}),
    lambda found: json.dumps(found | {"id": "\ud800"}),
    lambda found: json.dumps(found | {"rawId": "AAAA"}),
    lambda found: json.dumps(found | {"type": "password"}),
    lambda found: json.dumps(found | {"response": found["response"] | {"authenticatorData": "AA"}}),
    lambda found: json.dumps(found | {"response": found["response"] | {"signature": "é"}}),
    lambda found: json.dumps(found | {"response": found["response"] | {"clientDataJSON": "e30"}}),
]


def test_an_answer_that_is_none_is_refused(app: Flask, laptop: Authenticator) -> None:
    fresh = app.test_client()
    for mismade in MISMADE:
        _, form = replayed(fresh, laptop)
        form["answer"] = mismade(json.loads(form["answer"]))
        assert fresh.post("/login/passkey", data=form).status_code == 401, form["answer"][:200]


def test_answered_challenges_are_removed_once_expired(app: Flask, laptop: Authenticator) -> None:
    passkeys.sign_in(app.test_client(), laptop)
    with app.app_context():
        for hours, gone in ((0, 0), (2, 2)):
            with transaction() as session:
                assert PURGES["challenges"](session, now=utcnow() + timedelta(hours=hours)) == gone


@pytest.mark.environ(LOTUS_SECOND_FACTOR="reviewer")
def test_who_needs_a_passkey_adds_one_before_anything_else(app: Flask, client: FlaskClient) -> None:
    for path in ("/inbox", "/decisions"):
        answer = client.get(path)
        assert (answer.status_code, answer.location) == (303, "/account/passkeys")
    assert people.post(client, "/inbox/next").location == "/account/passkeys"
    assert "Your role needs a passkey" in client.get("/account/passkeys").text
    passkeys.add(client)
    assert client.get("/inbox").status_code == 200
    people.hire(app, "vera")
    other = app.test_client()
    people.sign_in(other, "vera")
    assert other.get("/inbox").status_code == 200


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize(
    ("address", "says"),
    [("http://127.0.0.1:8000", "http://localhost:8000/account/passkeys"), ("http://localhost", "data-passkey")],
)
def test_the_page_tells_where_passkeys_work(client: FlaskClient, address: str, says: str) -> None:
    answer = client.get("/account/passkeys", base_url=address)
    if answer.status_code == 303:  # the cookie is of the other name
        people.sign_in(client, "nora")
        with client.session_transaction() as cookie:
            kept = dict(cookie)
        with client.session_transaction(base_url=address) as cookie:
            cookie.update(kept)
        answer = client.get("/account/passkeys", base_url=address)
    assert says in answer.text
    assert client.get("/login/challenge", base_url="http://127.0.0.1:8000").status_code == 409


@pytest.mark.stores("sqlite")
@pytest.mark.environ(LOTUS_PUBLIC_URL="https://lotus.example")
def test_passkeys_are_bound_to_the_public_name(app: Flask) -> None:
    at = {"base_url": "https://lotus.example"}
    assert app.test_client().get("/login/challenge", **at).json["options"]["rpId"] == "lotus.example"
    assert app.test_client().get("/login/challenge").status_code == 409


def test_an_administrator_resets_lost_passkeys_and_it_is_recorded(
    app: Flask, client: FlaskClient, laptop: Authenticator
) -> None:
    people.hire(app, "ada")
    admin = app.test_client()
    people.sign_in(admin, "ada")
    assert "laptop" in admin.get("/admin/people/nora").text
    assert people.post(admin, "/admin/people/nora", {"change": "passkeys"}).status_code == 303
    assert client.get("/inbox").status_code == 303
    assert passkeys.sign_in(app.test_client(), laptop).status_code == 401
    assert people.sign_in(app.test_client(), "nora").status_code == 303
    again = people.post(admin, "/admin/people/nora", {"change": "passkeys"})
    assert (again.status_code, "has no passkey" in again.text) == (409, True)
    with app.app_context():
        (line,) = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "reset_passkeys"))
        (row,) = db.session.scalars(select(Passkey))
    assert (line.actor_id, line.subject, row.removed_by) == ("ada", "nora", "ada")
    assert contradictions(app) == []


def test_who_may_not_administer_resets_nothing(app: Flask, client: FlaskClient, laptop: Authenticator) -> None:
    assert people.post(client, "/admin/people/nora", {"change": "passkeys"}).status_code == 403
    assert passkeys.sign_in(app.test_client(), laptop).status_code == 303
