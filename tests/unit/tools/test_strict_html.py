"""The reader of HTML that every test's client uses: it must let good pages and fragments pass and stop bad ones."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.tools.strict_html import MalformedHtml, StrictHtmlClient, check_html

PAGE = '<!doctype html><html lang="en"><head><title>Inbox</title></head><body>{}</body></html>'


@pytest.mark.parametrize(
    "text",
    [
        PAGE.format("<main><p>One item</main>"),
        '<tr id="item-1"><td>One</td></tr>',
        "<td>One</td>",
        "<!-- one row --><tbody><tr><td>One</td></tr></tbody>",
        '<option value="a">A</option>',
        '<div><svg viewBox="0 0 1 1" role="img"><title>A bar</title><rect width="1" height="1"/></svg></div>',
        '<dialog open><form method="dialog"><button>Close</button></form></dialog>',
        "",
    ],
)
def test_pages_and_fragments_as_they_should_be_pass(text: str) -> None:
    check_html(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        PAGE.format("<div><p>One</div></p>"),
        PAGE.format("<table><p>One</p></table>"),
        PAGE.format('<a href="a" href="b">One</a>'),
        "<div><span>One</div>",
        "<p>One</p></section>",
        '<tr><td class="a" class="b">One</td></tr>',
    ],
)
def test_what_a_browser_would_have_to_mend_is_refused(text: str) -> None:
    with pytest.raises(MalformedHtml):
        check_html(text.encode())


def test_the_refusal_shows_the_place() -> None:
    with pytest.raises(MalformedHtml, match=r"line 2, column \d+.*\n(.*\n)*<span>Two</b>"):
        check_html(b"<div>\n<span>Two</b></span>\n</div>")


def test_the_client_reads_html_and_leaves_everything_else_alone() -> None:
    app = Flask(__name__)
    app.test_client_class = StrictHtmlClient
    app.add_url_rule("/page", "page", lambda: "<p>One</div>")
    app.add_url_rule("/json", "json", lambda: {"text": "<p>One</div>"})
    client = app.test_client()
    assert client.get("/json").json == {"text": "<p>One</div>"}
    with pytest.raises(MalformedHtml):
        client.get("/page")


def test_no_request_sees_the_context_that_a_test_holds_open() -> None:
    app = Flask(__name__)
    app.test_client_class = StrictHtmlClient

    def remember() -> dict[str, bool]:
        from flask import g

        known, g.person = "person" in g, "Rosa"
        return {"known": known}

    app.add_url_rule("/", "remember", remember)
    with app.app_context():
        client = app.test_client()
        assert [client.get("/").json for _ in range(2)] == [{"known": False}, {"known": False}]
