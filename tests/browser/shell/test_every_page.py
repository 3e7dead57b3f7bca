"""Every page there is, drawn from the routes of the app, in both themes at three widths; and that a fault on one would be found."""

from __future__ import annotations

import re

from playwright.sync_api import Page

from tests.browser.console import open_store, sign_in
from tests.browser.looks import faults, faults_folded_and_unfolded, look_over
from tests.servers.live_server import LiveServer
from tests.support import people
from tests.support.everything import furnish, pages
from tests.support.people import hire

SHOWN = {200, 303}
# A name, colours, a size and a width that break a rule, each in one place only.
PLANTED = """
  <input id="unnamed">
  <p id="dark" class="black">Black on black</p>
  <p id="light" class="white">White on white</p>
  <p id="dark-narrow" class="black big narrow">Black on black, on a phone</p>
  <p id="light-wide" class="white big wide">White on white, on a wide screen</p>
  <details><summary>More</summary><p id="dark-folded" class="black bigger">Black on black, folded</p></details>
  <div class="narrow"><button id="small" class="dot">1</button><button class="dot">2</button></div>
  <div class="narrow broad">Too wide for a phone</div>
"""
STYLES = """
  @media (min-width: 400px) { .narrow { display: none } }
  @media (max-width: 1000px) { .wide { display: none } }
  .black { color: light-dark(#000, #222) }
  .white { color: light-dark(#fff, #eee) }
  .big { font-size: 15px }
  .bigger { font-size: 17px }
  .dot { all: unset; inline-size: 9px; block-size: 9px; overflow: hidden }
  .broad { inline-size: 376px }
"""
# The page's content security policy takes no style sheet from a test but one made by a script.
PLANT = """([planted, styles]) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  document.adoptedStyleSheets = [sheet];
  document.querySelector('main').insertAdjacentHTML('beforeend', planted);
}"""
FAULT = re.compile(r"planted, (.+): ([a-z-]+) \(\w+\): (\S+)|planted, (.+): (scrolls sideways)")


def test_no_page_has_a_fault(page: Page, live_server: LiveServer) -> None:
    app = open_store(live_server)
    hire(app, "ada")
    ids, client = furnish(app, "mine"), app.test_client()
    assert people.sign_in(client, "ada").status_code == 303
    looked_at = {}
    for address in pages(app, "GET", ids):
        answer = client.get(address.path, buffered=True)
        assert answer.status_code in SHOWN, address
        # The others are files, parts of a page, or lead to one.
        if answer.status_code == 200 and answer.mimetype == "text/html" and "<html" in answer.text:
            looked_at[address.endpoint] = live_server.url + address.path
    assert len(looked_at) > 30
    found = look_over(page, {"sign_in.show": f"{live_server.url}/login"})
    sign_in(page, live_server, "ada")
    assert found + look_over(page, looked_at) == []


def test_a_fault_that_is_planted_is_found(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/login")
    assert faults(page, "before") == []
    page.evaluate(PLANT, [PLANTED, STYLES])
    found = [FAULT.match(fault) for fault in faults_folded_and_unfolded(page, "planted")]
    assert {tuple(filter(None, one.groups())) for one in found if one} == {
        ("dark, 1280 px", "color-contrast", "#dark"),
        ("light, 1280 px", "color-contrast", "#light"),
        ("light, 1280 px", "color-contrast", "#light-wide"),
        ("dark, 375 px", "color-contrast", "#dark-narrow"),
        ("unfolded, dark, 1280 px", "color-contrast", "#dark-folded"),
        ("1280 px", "label", "#unnamed"),
        ("unfolded, 375 px", "label", "#unnamed"),
        ("unfolded, 375 px", "target-size", "#small"),
        ("unfolded, 375 px", "target-size", ".dot:nth-child(2)"),
        ("375 px", "scrolls sideways"),
        ("unfolded, 375 px", "scrolls sideways"),
    }
    assert None not in found
