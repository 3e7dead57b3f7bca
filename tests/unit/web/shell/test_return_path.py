"""A sign-in leads back into this site and nowhere else."""

from __future__ import annotations

import pytest

from lotus_web.web.shell.return_path import PATH_MAX, safe_path

OURS = [
    "/",
    "/inbox",
    "/inbox?status=requested&q=a%2Fb",
    "/runs/rr_1%2F2%3Aexception",
    "/runs/corr:exception:rr_1",
    "/runs?next=https://elsewhere.example/",
    "/runs/..hidden",
    "/runs?path=../..",
    "/search?q=a\\b",
]
TRICKS = [
    None,
    "",
    "inbox",
    "https://elsewhere.example/",
    "HTTPS://elsewhere.example",
    "//elsewhere.example",
    "///elsewhere.example",
    "////elsewhere.example/%2e%2e",
    "/\\elsewhere.example",
    "\\/elsewhere.example",
    "\\\\elsewhere.example",
    "/\t/elsewhere.example",
    "/\n/elsewhere.example",
    "/\r\nLocation: https://elsewhere.example",
    "\t//elsewhere.example",
    " //elsewhere.example",
    " /inbox",
    "/ /elsewhere.example",
    "/\x00/elsewhere.example",
    "/\x7f/elsewhere.example",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "http:elsewhere.example",
    "http:///elsewhere.example",
    "https:/elsewhere.example",
    "@elsewhere.example",
    "/.//elsewhere.example",
    "/..//elsewhere.example",
    "/x/..//elsewhere.example",
    "/./inbox",
    "/inbox//elsewhere.example",
    "/login",
    "/login?next=/login",
    "/logout",
    "/" + "a" * PATH_MAX,
]


@pytest.mark.parametrize("path", OURS)
def test_a_path_of_this_site_is_kept(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize("path", TRICKS)
def test_nothing_else_is_a_place_to_go_to(path: str | None) -> None:
    assert safe_path(path) is None
