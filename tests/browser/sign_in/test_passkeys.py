"""A passkey in a real browser, by Chromium's virtual authenticator: added, signed in with, a decision signed, its receipt proved elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, CDPSession, Page, expect

from lotus_web.config import current
from lotus_web.domain.access import Role
from lotus_web.queries.transparency.keys import log_keys
from lotus_web.store.session import db
from tests.browser.conftest import SETTINGS
from tests.browser.console import open_store
from tests.browser.looks import faults
from tests.servers.live_server import LiveServer
from tests.stores.makers import SqliteStores, environment
from tests.support import runs
from tests.support.alone import verify_alone
from tests.support.logs import log_settings, sign
from tests.support.people import PASSWORD, hire

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def live_server(sqlite_stores: SqliteStores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server on which every decision is signed."""
    url, folder = sqlite_stores.create(), tmp_path_factory.mktemp("signing")
    signing = {"LOTUS_SIGN_DECISIONS": "all", "WEB_CONCURRENCY": "1"}
    server = LiveServer(environment(url) | SETTINGS | log_settings(folder) | signing, folder)
    server.start()
    yield server
    server.stop()
    sqlite_stores.drop(url)


@pytest.fixture(scope="module")
def store(live_server: LiveServer) -> Flask:
    """Its store, with people."""
    app = open_store(live_server)
    for name in ("nora", "max", "ada"):
        hire(app, name)
    return app


@pytest.fixture
def here(live_server: LiveServer) -> str:
    """The server by its name, which a passkey can be bound to."""
    return live_server.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def authenticator(page: Page, here: str) -> Iterator[CDPSession]:
    """A virtual authenticator in the browser; the cookies of the name go with it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    yield session
    session.send("Storage.clearDataForOrigin", {"origin": here, "storageTypes": "cookies,local_storage"})


def sign_in(page: Page, here: str, name: str) -> None:
    page.goto(f"{here}/login")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{here}/inbox*")


def add_passkey(page: Page, here: str) -> None:
    page.goto(f"{here}/account/passkeys")
    page.fill("[name=label]", "Work laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#codes")).to_contain_text("shown only now")


def sign_out(page: Page, here: str) -> None:
    page.locator(".who").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{here}/login*")


def approve(page: Page, here: str, item: str) -> None:
    page.goto(f"{here}/inbox/{item}")
    page.locator("#fold-approve > summary").click()
    page.select_option("#approve-reason_code", "WITHIN_MANDATE")
    page.fill("#approve-text", "Looked at it with the client.")


def receipt_of(page: Page, here: str, store: Flask) -> tuple[bytes, str]:
    """Return the receipt of the last decision as the page gives it, and the key of the log."""
    with store.app_context():
        sign(store)
        key = str(log_keys(db.session(), current.settings(), "default")[-1])
    page.goto(f"{here}/decisions")
    page.locator("a[href$='/receipt']").first.click()
    page.wait_for_url("**/receipt")
    with page.expect_download() as download:
        page.get_by_role("link", name="Receipt as a file").click()
    return Path(download.value.path()).read_bytes(), key


def flipped(receipt: bytes, member: str) -> bytes:
    """Return the receipt with another character in one member of its signature."""
    document: Any = json.loads(receipt)
    signature = document["entry"]["event"]["payload"]["evidence"]["signature"]
    old = signature[member]
    signature[member] = old[:40] + ("A" if old[40] != "A" else "B") + old[41:]
    return (json.dumps(document, sort_keys=True, indent=1) + "\n").encode("ascii")


def test_a_passkey_is_added_signs_in_and_signs_a_decision_that_is_proved_elsewhere(
    page: Page, authenticator: CDPSession, store: Flask, here: str, tmp_path: Path
) -> None:
    item = runs.item(store, key="signed")
    sign_in(page, here, "ada")
    add_passkey(page, here)
    assert faults(page, "the page of passkeys") == []
    sign_out(page, here)
    assert faults(page, "the sign-in with a passkey") == []
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{here}/inbox*")
    approve(page, here, item)
    expect(page.locator("#approve-password")).to_have_count(0)
    page.get_by_role("button", name="Approve this run").click()
    expect(page.locator("#outcome")).to_contain_text("Approved.")
    receipt, key = receipt_of(page, here, store)
    (tmp_path / "receipt.json").write_bytes(receipt)
    done = verify_alone(tmp_path, "receipt.json", "--key", key)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "Signed with the passkey" in done.stdout
    for member in ("signature", "authenticator_data", "client_data"):
        (tmp_path / "receipt.json").write_bytes(flipped(receipt, member))
        assert verify_alone(tmp_path, "receipt.json", "--key", key).returncode == 1, member


def test_a_passkey_follows_the_password(page: Page, authenticator: CDPSession, store: Flask, here: str) -> None:
    sign_in(page, here, "max")
    add_passkey(page, here)
    sign_out(page, here)
    page.fill("[name=name]", "max")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    assert faults(page, "the second step") == []
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{here}/inbox*")


def test_what_no_passkey_answers_is_not_sent_and_the_text_stays(
    page: Page, authenticator: CDPSession, store: Flask, here: str
) -> None:
    hire(store, "ben", Role.ADMIN)
    item = runs.item(store, key="unanswered")
    sign_in(page, here, "ben")
    add_passkey(page, here)
    authenticator.send("WebAuthn.disable")
    authenticator.send("WebAuthn.enable")
    authenticator.send(
        "WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR | {"automaticPresenceSimulation": True}}
    )
    approve(page, here, item)
    page.get_by_role("button", name="Approve this run").click()
    expect(page.locator("#trouble")).to_contain_text("No passkey answered")
    expect(page.locator("#approve-text")).to_have_value("Looked at it with the client.")


def test_without_scripts_the_password_signs(
    plain_page: Page, scriptless: BrowserContext, store: Flask, here: str, tmp_path: Path
) -> None:
    hire(store, "nina", Role.ADMIN)
    item = runs.item(store, key="typed")
    sign_in(plain_page, here, "nina")
    approve(plain_page, here, item)
    plain_page.fill("#approve-password", "not the password")
    plain_page.get_by_role("button", name="Approve this run").click()
    expect(plain_page.locator("body")).to_contain_text("This signature is not yours")
    expect(plain_page.locator("#approve-text")).to_have_value("Looked at it with the client.")
    plain_page.fill("#approve-password", PASSWORD)
    plain_page.get_by_role("button", name="Approve this run").click()
    expect(plain_page.locator("#flashes")).to_contain_text("Approved.")
    receipt, key = receipt_of(plain_page, here, store)
    assert json.loads(receipt)["decision"]["signed"] == "password"
    (tmp_path / "receipt.json").write_bytes(receipt)
    assert verify_alone(tmp_path, "receipt.json", "--key", key).returncode == 0
    scriptless.clear_cookies()
