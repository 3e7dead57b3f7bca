"""Leaving out what was read before never hides a fault and never invents one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools import strict_html
from tests.tools.html_outline import Outline, Unbalanced
from tests.tools.strict_html import MalformedHtml, check_html

TAGS = (
    "div",
    "p",
    "a",
    "b",
    "ul",
    "li",
    "table",
    "tr",
    "td",
    "form",
    "button",
    "select",
    "option",
    "h2",
    "dl",
    "svg",
    "br",
    "input",
)
START = st.sampled_from(
    [
        f"<{tag}{attributes}>"
        for tag in TAGS
        for attributes in ("", ' class="a"', ' class="a" id="b"', ' title="a" title="b"')
    ]
)
PIECE = st.sampled_from(
    [
        "text",
        " ",
        "&amp;",
        "&amp",
        "&nbsp;",
        "\x01",
        "<!-- note -->",
        '<input type="hidden">',
        "<br/>",
        '<p a="1"b="2"></p>',
        "</p>",
        "<p>",
        "<DIV></DIV>",
    ]
)


def closed(start: str, inside: list[str]) -> str:
    tag = re.findall(r"\w+", start)[0]
    return start if tag in {"br", "input"} else f"{start}{''.join(inside)}</{tag}>"


ELEMENT = st.recursive(PIECE, lambda inner: st.builds(closed, START, st.lists(inner, max_size=3)), max_leaves=12)
FRAGMENTS = st.lists(st.lists(ELEMENT, min_size=1, max_size=4).map("".join), min_size=2, max_size=5)


def is_faulty(text: str) -> bool:
    try:
        strict_html._parse(text.encode(), strict_html._parent(text.encode()))
    except MalformedHtml:
        return True
    return False


@given(FRAGMENTS)
def test_whatever_was_read_before_the_verdict_is_the_parsers(texts: list[str]) -> None:
    strict_html._outline.known.clear()
    strict_html._well_formed.clear()
    for text in [*texts, "".join(texts), *texts]:
        faulty = False
        try:
            check_html(text.encode())
        except MalformedHtml:
            faulty = True
        assert faulty == is_faulty(text), text


def test_a_row_that_was_read_is_not_read_again_in_the_same_place_only() -> None:
    page = "<!doctype html><html><head><title>{0}</title></head><body><ul>{0}</ul><ol>{0}</ol></body></html>"
    outline = Outline()
    text = page.format('<li class="a">1</li><li class="b">2</li>').replace("<title><li", "<title>li").encode()
    with pytest.raises(Unbalanced):
        outline.of(text, "")
    text = b'<ul><li class="a">1</li><li class="b">2</li></ul><ol><li class="c">3</li></ol>'
    rest, outline.known = outline.of(text, "div")
    assert rest == b'<ul><li class="x">x</li></ul><ol><li class="x">x</li></ol>'
    assert outline.of(b"<ol><li>4</li></ol>" + text, "div")[0] == b"<ol><li>x</li></ol>"
    assert outline.of(b'<li class="a">1</li>', "div")[0] == b'<li class="x">x</li>'


@pytest.mark.parametrize(
    "text", [b"<p>One", b"One</p>", b"<b><i>One</b></i>", b"<script>1 < 2</script>", b"\xff", b"a < b", b"&none;"]
)
def test_what_cannot_be_taken_apart_is_parsed_whole(text: bytes) -> None:
    with pytest.raises(Unbalanced):
        Outline().of(text, "div")
