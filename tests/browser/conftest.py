"""Chromium against a real server: one of each a worker, an empty SQLite store a module, no network beyond 127.0.0.1."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Keyboard, Locator, Page, expect

from tests.browser.console import forget_sign_ins
from tests.conftest import missing
from tests.servers.live_server import LiveServer
from tests.servers.patience import BROWSER_MS
from tests.stores.makers import SqliteStores, environment
from tests.support.logs import log_settings

INSTALL_HINT = "no Chromium found: run `apt-get install chromium` (or set CHROMIUM to the browser's path)"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SETTINGS = {
    "DPM_WORKFLOW_ENABLED": "true",
    "DPM_LINEAGE_APIS_ENABLED": "true",
    "DPM_IDEMPOTENCY_HISTORY_APIS_ENABLED": "true",
    "DPM_ASYNC_EXECUTION_MODE": "ACCEPT_ONLY",
}
expect.set_options(timeout=BROWSER_MS)
# A refused form answers 422 by design, and Chromium notes every such answer in the console.
EXPECTED_IN_CONSOLE = "Failed to load resource"


def find_chromium() -> str | None:
    """Return the path of the browser: ``$CHROMIUM``, or the first of the usual names on the PATH."""
    given = os.environ.get("CHROMIUM")
    return shutil.which(given) if given else next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the machine's own Chromium, quiet, and without its sandbox where we are root."""
    executable = find_chromium()
    if executable is None:
        missing(INSTALL_HINT)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {
        **browser_type_launch_args,
        "executable_path": executable,
        "args": [*sandbox, *QUIET],
        "timeout": BROWSER_MS,
    }


@pytest.fixture(scope="session")
def shared_server(
    sqlite_stores: SqliteStores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LiveServer, str]]:
    """The one server of a worker, with everything switched on, and the URL of its store."""
    url = sqlite_stores.create()
    folder = tmp_path_factory.mktemp("server")
    server = LiveServer(environment(url) | SETTINGS | log_settings(folder), folder)
    server.start()
    yield server, url
    server.stop()
    sqlite_stores.drop(url)


@pytest.fixture(scope="module")
def live_server(sqlite_stores: SqliteStores, shared_server: tuple[LiveServer, str]) -> LiveServer:
    """A started server on a migrated store that is empty for the tests of one module."""
    server, url = shared_server
    sqlite_stores.empty(url)
    forget_sign_ins()
    return server


@contextmanager
def opened(context: BrowserContext, server: LiveServer) -> Iterator[Page]:
    """Yield a new page of a context; nobody is signed in on it and nothing is kept from the page before."""
    page = context.new_page()
    yield page
    context.new_cdp_session(page).send(
        "Storage.clearDataForOrigin", {"origin": server.url, "storageTypes": "cookies,local_storage"}
    )
    page.close()


def context_of(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """Open a context for all tests of a worker: it loads the style sheets, scripts and fonts of the console once."""
    context = browser.new_context(**options)
    context.set_default_timeout(BROWSER_MS)
    yield context
    context.close()


@pytest.fixture(scope="session")
def scripted(browser: Browser) -> Iterator[BrowserContext]:
    """The context of pages with scripts."""
    yield from context_of(browser)


@pytest.fixture(scope="session")
def scriptless(browser: Browser) -> Iterator[BrowserContext]:
    """The context of pages without scripts."""
    yield from context_of(browser, java_script_enabled=False)


@pytest.fixture
def page(scripted: BrowserContext, live_server: LiveServer) -> Iterator[Page]:
    """A page that fails its test when a script breaks or the console shows an error (a refusal by the CSP, too)."""
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and EXPECTED_IN_CONSOLE not in message.text:
            problems.append(message.text)

    with opened(scripted, live_server) as page:
        page.on("console", note)
        page.on("pageerror", lambda error: problems.append(str(error)))
        yield page
    assert problems == []


@pytest.fixture
def plain_page(scriptless: BrowserContext, live_server: LiveServer) -> Iterator[Page]:
    """A page in a browser without scripts."""
    with opened(scriptless, live_server) as page:
        yield page


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Press and click on a page that has loaded, as people do: a test is faster than the deferred scripts of a new page."""
    keyboard, click = Page.keyboard.fget, Locator.click

    def keyboard_when_loaded(page: Page) -> Keyboard:
        page.wait_for_load_state()
        return keyboard(page)

    def click_when_loaded(locator: Locator, *args: Any, **kwargs: Any) -> None:
        locator.page.wait_for_load_state()
        click(locator, *args, **kwargs)

    monkeypatch.setattr(Page, "keyboard", property(keyboard_when_loaded))
    monkeypatch.setattr(Locator, "click", click_when_loaded)
