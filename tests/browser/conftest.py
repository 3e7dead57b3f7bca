"""Chromium against a real server: one server and one SQLite store a module, no network beyond 127.0.0.1."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Keyboard, Locator, Page, expect

from tests.conftest import marked_settings, missing
from tests.servers.live_server import LiveServer
from tests.servers.patience import BROWSER_MS
from tests.stores.makers import SqliteStores, environment

Axe = Callable[..., list[str]]

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
AXE = Path(__file__).resolve().parents[1] / "vendor" / "axe.min.js"
# What rules need from elsewhere (preload) is for media and style sheets of other hosts: there are none.
FAULTS = """([include, options]) => axe.run(include, {resultTypes: ['violations'], preload: false, ...options}).then(
  (found) => found.violations.flatMap(
    (fault) => fault.nodes.map((node) => `${fault.id} (${fault.impact}): ${node.target} ${node.failureSummary}`)))"""
# The rules that read computed colours; they take two thirds of the time.
COLOURS = ("color-contrast", "link-in-text-block")
OPTIONS: dict[str, dict[str, Any]] = {
    "all": {},
    "colours": {"runOnly": {"type": "rule", "values": list(COLOURS)}},
    "structure": {"rules": {rule: {"enabled": False} for rule in COLOURS}},
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


@pytest.fixture(scope="module")
def live_server(
    sqlite_stores: SqliteStores, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[LiveServer]:
    """A started server for the tests of one module, on a migrated and empty store; fill it with ``live_server.flask(...)``.

    ``pytestmark = pytest.mark.environ(NAME="value")`` changes its settings.
    """
    url = sqlite_stores.create()
    server = LiveServer({**environment(url), **marked_settings(request.node)}, tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()
    sqlite_stores.drop(url)


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page that fails its test when a script breaks or the console shows an error (a refusal by the CSP, too)."""
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and EXPECTED_IN_CONSOLE not in message.text:
            problems.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    assert problems == []


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Press and click on a page that has loaded, as people do: a test is faster than the deferred scripts of a new page.

    What is waited for may take its time (tests/servers/patience.py), in every window that a test opens.
    """
    keyboard, click, new_context = Page.keyboard.fget, Locator.click, Browser.new_context

    def patient_context(browser: Browser, **options: Any) -> BrowserContext:
        context = new_context(browser, **options)
        context.set_default_timeout(BROWSER_MS)
        return context

    def keyboard_when_loaded(page: Page) -> Keyboard:
        page.wait_for_load_state()
        return keyboard(page)

    def click_when_loaded(locator: Locator, *args: Any, **kwargs: Any) -> None:
        locator.page.wait_for_load_state()
        click(locator, *args, **kwargs)

    monkeypatch.setattr(Browser, "new_context", patient_context)
    monkeypatch.setattr(Page, "keyboard", property(keyboard_when_loaded))
    monkeypatch.setattr(Locator, "click", click_when_loaded)


@pytest.fixture(scope="session")
def axe() -> Axe:
    """``axe(page, include="main", rules="all") -> list[str]``: the accessibility faults of what is shown now, one line each.

    ``rules`` are "all", "colours" (those that read computed colours) or "structure" (all others).
    The source is evaluated rather than loaded by a tag, so it works under the page's own content security policy.
    """
    source = AXE.read_text(encoding="utf-8")

    def run(page: Page, include: str = "html", rules: str = "all") -> list[str]:
        if page.evaluate("!window.axe"):
            page.evaluate(source)
        found: list[str] = page.evaluate(FAULTS, [include, OPTIONS[rules]])
        return found

    return run
