"""Signing in: through the form, under a new id, back to where one was going, and out again for good."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Role
from lotus_web.domain.sign_in.throttle import LONGEST
from lotus_web.models import PersonSession
from lotus_web.services.accounts import people as hr
from lotus_web.services.sign_in.attempts import begin_attempt
from lotus_web.store.session import db, transaction
from tests.integration.conftest import ClientOf
from tests.support.people import PASSWORD, csrf_token, hidden_fields, hire, post, shown, sign_in

MORNING = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie("lotus_session")
    assert cookie is not None
    return cookie.value


def sessions(app: Flask) -> list[PersonSession]:
    with app.app_context():
        return list(db.session.scalars(select(PersonSession).order_by(PersonSession.created_at)))


def test_a_person_signs_in_and_is_led_on(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    answer = sign_in(client, nora, next_path="/sample/?status=open")
    assert (answer.status_code, answer.location) == (303, "/sample/?status=open")
    assert "nora in default" in client.get("/sample/").text


def test_without_a_place_to_go_to_it_leads_home(client: FlaskClient, nora: str) -> None:
    assert sign_in(client, nora).location == "/"


@pytest.mark.parametrize(
    "trick", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "/login"]
)
def test_nobody_is_led_to_another_site(client: FlaskClient, nora: str, trick: str) -> None:
    assert hidden_fields(client.get("/login", query_string={"next": trick}))["next"] == "/"
    form = hidden_fields(client.get("/login")) | {"name": nora, "password": PASSWORD, "next": trick}
    assert client.post("/login", data=form).location == "/"


def test_whoever_is_signed_in_is_led_on_from_the_form(client_of: ClientOf) -> None:
    answer = client_of("nora").get("/login", query_string={"next": "/sample/"})
    assert (answer.status_code, answer.location) == (303, "/sample/")


@pytest.mark.parametrize(
    ("name", "password"), [("nora", "not her password"), ("nobody", PASSWORD), ("no:ra", PASSWORD)]
)
def test_a_wrong_name_and_a_wrong_password_read_the_same(
    client: FlaskClient, nora: str, name: str, password: str
) -> None:
    answer = sign_in(client, name, password, next_path="/inbox")
    assert answer.status_code == 401
    assert "The username or the password is wrong, or you have no role here yet." in answer.text
    assert f'value="{name}"' in answer.text
    assert password not in answer.text
    assert hidden_fields(answer)["next"] == "/inbox"


def test_missing_fields_are_named_and_linked(client: FlaskClient) -> None:
    answer = sign_in(client, " ", "")
    assert answer.status_code == 422
    assert '<a href="#name">Enter your name.</a>' in answer.text
    assert '<a href="#password">Enter your password.</a>' in answer.text
    only_one = sign_in(client, "nora", "")
    assert 'href="#name"' not in only_one.text


def test_a_disabled_person_stays_outside(app: Flask, client: FlaskClient, nora: str) -> None:
    with app.app_context(), transaction() as store:
        hr.disable_person(store, name=nora, now=MORNING)
    assert sign_in(client, nora).status_code == 401


def test_a_right_password_of_somebody_without_a_role_reads_like_a_wrong_one(
    app: Flask, client: FlaskClient, nora: str
) -> None:
    with app.app_context(), transaction() as store:
        hr.take_role(store, name=nora, role=Role.REVIEWER, tenant_id="default")
    right, wrong = sign_in(client, nora), sign_in(app.test_client(), nora, "not her password")
    assert right.status_code == wrong.status_code == 401
    assert shown(right) == shown(wrong)
    assert "Set-Cookie" not in right.headers or "device" not in right.headers["Set-Cookie"]
    for _ in range(3):
        assert sign_in(client, nora).status_code == 401
    assert sign_in(client, nora).status_code == 429  # counted like wrong ones, too


def test_the_sixth_wrong_password_has_to_wait_and_even_the_right_one_then_does(client: FlaskClient, nora: str) -> None:
    with time_machine.travel(MORNING, tick=False):
        for _ in range(5):
            assert sign_in(client, nora, "not her password").status_code == 401
        slow = sign_in(client, nora)
        assert (slow.status_code, slow.headers["Retry-After"]) == (429, "1")
        assert "Try again in 1 second." in slow.text
        assert 'value="nora"' in slow.text
    with time_machine.travel(MORNING + timedelta(seconds=1), tick=False):
        assert sign_in(client, nora).status_code == 303


def test_strangers_lock_nobody_out(app: Flask, client: FlaskClient, nora: str) -> None:
    """1,000 wrong passwords from 50 addresses, of which one is the company's own: the last of them at this moment."""
    at_home = app.test_client()
    assert sign_in(at_home, nora).status_code == 303
    post(at_home, "/logout")
    with app.app_context(), transaction() as store:
        for number in range(50):
            for guess in range(20):
                at = utcnow() - timedelta(minutes=5 * (19 - guess))
                begin_attempt(store, name=nora, address=f"203.0.113.{number}", now=at)
    for address in ("127.0.0.1", "203.0.113.7"):
        at_home.environ_base["REMOTE_ADDR"] = address
        assert sign_in(at_home, nora).status_code == 303  # at once, from a device that she has used
        post(at_home, "/logout")
    new = app.test_client()
    new.environ_base["REMOTE_ADDR"] = "203.0.113.7"
    slow = sign_in(new, nora)
    assert slow.status_code == 429
    assert int(slow.headers["Retry-After"]) <= LONGEST.total_seconds()
    with time_machine.travel(utcnow() + LONGEST):
        assert sign_in(new, nora).status_code == 303  # within five minutes, from a new one at an address that guesses
    assert sign_in(app.test_client(), nora).status_code == 303  # at once, from a new one elsewhere


def test_the_cookie_of_a_device_is_for_who_signed_in_there_and_cannot_be_made_up(
    app: Flask, client: FlaskClient, nora: str
) -> None:
    signed = sign_in(client, nora)
    (device,) = [one for one in signed.headers.getlist("Set-Cookie") if one.startswith("lotus_device=")]
    assert "HttpOnly" in device
    assert "SameSite=Lax" in device
    post(client, "/logout")
    hire(app, "max")
    for _ in range(5):
        assert sign_in(client, "max", "a guess").status_code == 401
    assert sign_in(client, "max").status_code == 429  # the device is nora's
    assert sign_in(client, nora).status_code == 303
    forger = app.test_client()
    forger.set_cookie("lotus_device", device.partition("=")[2].partition(";")[0] + "x")
    for _ in range(5):
        sign_in(forger, nora, "a guess")
    assert sign_in(forger, nora).status_code == 429


def test_the_right_password_takes_its_failures_back(client: FlaskClient, nora: str) -> None:
    for _ in range(2):
        for _ in range(4):
            assert sign_in(client, nora, "not her password").status_code == 401
        assert sign_in(client, nora).status_code == 303
        post(client, "/logout")


def test_a_line_of_ipv6_addresses_counts_as_one(app: Flask, nora: str) -> None:
    for number in range(5):
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = f"2001:db8:1:2::{number:x}"
        assert sign_in(client, nora, "a guess").status_code == 401
    client.environ_base["REMOTE_ADDR"] = "2001:db8:1:2:ffff::1"
    assert sign_in(client, nora).status_code == 429
    client.environ_base["REMOTE_ADDR"] = "2001:db8:1:3::1"
    assert sign_in(client, nora).status_code == 303


@pytest.mark.environ(LOTUS_TRUSTED_PROXIES="1")
def test_behind_a_proxy_the_client_counts_and_not_the_proxy(app: Flask, nora: str) -> None:
    for _ in range(5):
        client = app.test_client()
        client.environ_base["HTTP_X_FORWARDED_FOR"] = "203.0.113.9, 192.0.2.50"
        assert sign_in(client, nora, "a guess").status_code == 401
    assert sign_in(client, nora).status_code == 429
    client.environ_base["HTTP_X_FORWARDED_FOR"] = "192.0.2.50, 192.0.2.51"
    assert sign_in(client, nora).status_code == 303


def test_without_a_trusted_proxy_nobody_names_their_own_address(app: Flask, nora: str) -> None:
    for number in range(5):
        client = app.test_client()
        client.environ_base["HTTP_X_FORWARDED_FOR"] = f"192.0.2.{number}"
        assert sign_in(client, nora, "a guess").status_code == 401
    client.environ_base["HTTP_X_FORWARDED_FOR"] = "203.0.113.1"
    assert sign_in(client, nora, "a guess").status_code == 429


def test_signing_in_leaves_nothing_of_the_cookie_before(app: Flask, client: FlaskClient, nora: str) -> None:
    before = csrf_token(client)
    with client.session_transaction() as cookie:
        cookie["planted"] = "by someone else"
    sign_in(client, nora)
    with client.session_transaction() as cookie:
        assert "planted" not in cookie
        first_id = cookie["_user_id"]
    refused = client.post("/tenant", data={"csrf_token": before, "tenant": "default"})
    assert refused.status_code == 400
    post(client, "/logout")
    sign_in(client, nora)
    with client.session_transaction() as cookie:
        assert cookie["_user_id"] != first_id


def test_a_planted_session_id_is_not_taken_up(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    with client.session_transaction() as cookie:
        cookie["_user_id"] = "an id the attacker knows"
        cookie["seen"] = int(datetime.now(UTC).timestamp() // 60)
    sign_in(client, nora)
    with client.session_transaction() as cookie:
        assert cookie["_user_id"] != "an id the attacker knows"


def test_signing_in_again_ends_the_session_before(app: Flask, client: FlaskClient, nora: str) -> None:
    sign_in(client, nora)
    form = {"csrf_token": csrf_token(client), "name": nora, "password": PASSWORD}
    assert client.post("/login", data=form).status_code == 303
    assert sorted(one.revoked_at is None for one in sessions(app)) == [False, True]


def test_signing_out_ends_the_session_whatever_the_cookie_says(
    sample_pages: Flask, client: FlaskClient, nora: str
) -> None:
    sign_in(client, nora)
    kept = cookie_of(client)
    assert post(client, "/logout").location == "/login"
    assert "You are signed out." in client.get("/login").text
    client.set_cookie("lotus_session", kept)
    assert client.get("/sample/").status_code == 303


def test_signing_out_needs_a_token(client_of: ClientOf, sample_pages: Flask) -> None:
    client = client_of("nora")
    assert client.post("/logout").status_code == 400
    assert client.get("/sample/").status_code == 200


def test_signing_out_twice_is_harmless(client: FlaskClient) -> None:
    assert post(client, "/logout").status_code == 303


def test_a_cookie_with_another_signature_opens_nothing(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    sign_in(client, nora)
    value = cookie_of(client)
    client.set_cookie("lotus_session", value[:-2] + ("aa" if value[-2:] != "aa" else "bb"))
    assert client.get("/sample/").status_code == 303


def test_a_session_holds_on_every_replica(
    sample_pages: Flask, client: FlaskClient, nora: str, make_app: object
) -> None:
    sign_in(client, nora)
    other = make_app().test_client()  # type: ignore[operator]
    other.set_cookie("lotus_session", cookie_of(client))
    assert other.get("/tenant").status_code == 200


@pytest.mark.environ(LOTUS_SESSION_HOURS="2", LOTUS_SESSION_IDLE_MINUTES="600")
def test_a_session_ends_after_its_hours_however_busy_it_is(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        sign_in(client, nora)
        for _ in range(4):
            assert client.get("/sample/").status_code == 200
            clock.shift(timedelta(minutes=30))
        assert client.get("/sample/").status_code == 303


@pytest.mark.environ(LOTUS_SESSION_IDLE_MINUTES="30")
def test_a_silent_session_ends_and_a_used_one_goes_on(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        sign_in(client, nora)
        for _ in range(4):
            clock.shift(timedelta(minutes=29))
            assert client.get("/sample/").status_code == 200
        clock.shift(timedelta(minutes=32))
        assert client.get("/sample/").status_code == 303


@pytest.mark.environ(LOTUS_SESSION_IDLE_MINUTES="30")
def test_a_page_that_refreshes_itself_keeps_nobody_awake(sample_pages: Flask, client: FlaskClient, nora: str) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        sign_in(client, nora)
        for _ in range(3):
            clock.shift(timedelta(minutes=10))
            live = client.get("/sample/", headers={"HX-Request": "true", "X-Lotus-Live": "1"})
            assert live.status_code == 200
        clock.shift(timedelta(minutes=2))
        assert client.get("/sample/", headers={"HX-Request": "true", "X-Lotus-Live": "1"}).status_code == 401


def test_looking_writes_nothing_and_posting_notes_the_time_now_and_then(
    sample_pages: Flask, client: FlaskClient, nora: str
) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        sign_in(client, nora)
        clock.shift(timedelta(minutes=10))
        client.get("/sample/")
        assert sessions(sample_pages)[0].last_seen_at == MORNING
        post(client, "/sample/notes", {"reason": "within the mandate"})
        assert sessions(sample_pages)[0].last_seen_at == MORNING + timedelta(minutes=10)
        clock.shift(timedelta(minutes=4))
        post(client, "/sample/notes", {"reason": "within the mandate"})
        assert sessions(sample_pages)[0].last_seen_at == MORNING + timedelta(minutes=10)


def test_the_cookie_is_issued_again_once_a_minute_and_not_more(
    sample_pages: Flask, client: FlaskClient, nora: str
) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        sign_in(client, nora)
        client.get("/sample/")
        assert "Set-Cookie" not in client.get("/sample/hall").headers
        assert "Set-Cookie" not in client.get("/sample/").headers
        clock.shift(timedelta(minutes=1))
        assert "Set-Cookie" in client.get("/sample/").headers


def test_a_person_who_is_disabled_is_out_with_the_next_request(sample_pages: Flask, client_of: ClientOf) -> None:
    client = client_of("nora")
    with sample_pages.app_context(), transaction() as store:
        hr.disable_person(store, name="nora", now=MORNING)
    assert client.get("/sample/").status_code == 303
    assert client.post("/sample/notes", data={"reason": "x"}).status_code == 401


def test_a_role_counts_from_the_next_request_on(sample_pages: Flask, client_of: ClientOf) -> None:
    client = client_of("nora")
    assert client.get("/sample/vault").status_code == 403
    with sample_pages.app_context(), transaction() as store:
        hr.give_role(store, name="nora", role=Role.ADMIN, tenant_id="default", now=utcnow())
    assert client.get("/sample/vault").status_code == 200
    with sample_pages.app_context(), transaction() as store:
        hr.take_role(store, name="nora", role=Role.ADMIN, tenant_id="default")
    assert client.get("/sample/vault").status_code == 403


@pytest.mark.environ(LOTUS_ENV="production")
def test_in_production_the_cookie_travels_by_tls_only(app: Flask) -> None:
    cookie = app.test_client().get("/login").headers["Set-Cookie"]
    assert cookie.startswith("__Host-lotus_session=")
    assert "Secure" in cookie
    assert "Path=/;" in f"{cookie};"
    assert "Domain" not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize("path", ["/login", "/logout", "/tenant", "/nothing", "/items/x"])
@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}]
)
@pytest.mark.stores("sqlite")
def test_a_form_of_another_site_replaces_no_session(app: Flask, path: str, headers: dict[str, str]) -> None:
    stranger = (
        app.test_client()
    )  # as the browser of someone signed in: it leaves the cookie out, and would take another
    answer = stranger.post(path, data={"name": "nora"}, headers=headers)
    assert answer.status_code >= 400
    assert "Set-Cookie" not in answer.headers
    own = stranger.post("/login", data={"name": "nora"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert "Set-Cookie" in own.headers


@pytest.mark.parametrize("path", ["/login", "/inbox/w"])
@pytest.mark.stores("sqlite")
def test_a_guest_sent_here_by_another_site_sees_the_form_once(app: Flask, path: str) -> None:
    hire(app, "nora")
    guest = app.test_client()
    refused = guest.post(path, data={"name": "nora"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert "This form came from another site" in refused.text
    assert 'name="password"' not in refused.text
    (link,) = re.findall(r'<p class="bare__below"><a href="([^"]+)">', refused.text)
    shown = guest.get(link, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=True)
    form = hidden_fields(shown) | {"name": "nora", "password": PASSWORD}
    assert guest.post("/login", data=form, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


@pytest.mark.environ(LOTUS_ENV="production", LOTUS_TRUSTED_PROXIES="1")
def test_behind_a_tls_proxy_a_person_signs_in_and_a_foreign_referrer_does_not(app: Flask) -> None:
    hire(app, "nora")
    client = app.test_client()
    client.environ_base |= {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "sample.example"}
    base = "https://localhost"
    form = hidden_fields(client.get("/login", base_url=base)) | {"name": "nora", "password": PASSWORD}
    foreign = client.post("/login", base_url=base, data=form, headers={"Referer": "https://elsewhere.example/"})
    assert foreign.status_code == 400
    own = client.post("/login", base_url=base, data=form, headers={"Referer": "https://sample.example/login"})
    assert own.status_code == 303
