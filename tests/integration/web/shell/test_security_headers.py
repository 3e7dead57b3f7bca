"""What every answer forbids a browser, and what caches may keep."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from lotus_web.web.shell.assets import FOR_A_YEAR
from tests.integration.conftest import ClientOf

pytestmark = pytest.mark.stores("sqlite")
LINK = re.compile(r'(?:href|src)="(/static/[^"]+)"')


def headers_of(client: FlaskClient, path: str) -> Headers:
    with client.get(path) as answer:
        return answer.headers


@pytest.mark.parametrize("path", ["/login", "/nothing", "/logout", "/tenant", "/static/css/tokens.css", "/health/live"])
def test_every_answer_carries_the_policy(client: FlaskClient, path: str) -> None:
    headers = headers_of(client, path)
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    directives = {part.split()[0]: part.split()[1:] for part in policy.split("; ")}
    assert directives == {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers


@pytest.mark.environ(LOTUS_ENV="production")
def test_in_production_browsers_are_told_to_stay_with_tls(client: FlaskClient) -> None:
    assert client.get("/login").headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_pages_stay_out_of_every_cache(sample_pages: Flask, client_of: ClientOf) -> None:
    client = client_of("nora")
    for path in ("/sample/", "/sample/vault", "/nothing", "/tenant"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_every_static_file_of_a_page_is_there_and_kept_for_a_year(client: FlaskClient) -> None:
    addresses = set(LINK.findall(client.get("/login").text))
    assert len(addresses) > 5
    for address in addresses:
        headers = headers_of(client, address.replace("&amp;", "&"))
        assert headers["Cache-Control"] == FOR_A_YEAR, address
        assert "Set-Cookie" not in headers
        assert "Cookie" not in headers.get("Vary", "")


def test_a_static_file_asked_for_by_another_hash_is_not_kept(client: FlaskClient) -> None:
    for address in ("/static/css/tokens.css", "/static/css/tokens.css?v=000000000000"):
        assert "immutable" not in headers_of(client, address)["Cache-Control"]
    assert "immutable" not in headers_of(client, "/static/css/nothing.css").get("Cache-Control", "")


def test_an_edited_file_gets_another_address(app: Flask, tmp_path: Path) -> None:
    app.static_folder = str(tmp_path)
    sheet = tmp_path / "sample.css"
    asset = app.jinja_env.globals["asset"]
    addresses = []
    for text in ("a {}", "b { color: red }"):
        sheet.write_text(text)
        with app.test_request_context():
            addresses.append(asset("sample.css"))  # type: ignore[operator]
    assert addresses[0] != addresses[1]
    with app.test_request_context(), pytest.raises(FileNotFoundError):
        asset("nothing.css")  # type: ignore[operator]


def test_a_static_file_outside_of_the_folder_is_not_served(client: FlaskClient) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"):
        assert client.get(path).status_code == 404
