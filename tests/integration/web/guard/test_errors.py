"""Each refusal is a page or, for htmx, a fragment: what happened and what to do next, and nothing of the cause."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.integration.conftest import ClientOf
from tests.stores.makers import KINDS, environment, migrate
from tests.stores.postgres import PostgresServer
from tests.support.people import hidden_fields, hire, sign_in

HTMX = {"HX-Request": "true"}
pytestmark = pytest.mark.stores("sqlite")


@pytest.mark.parametrize(
    ("kind", "status", "sentence", "retry_after"),
    [
        ("invalid", 422, "A reason is required.", None),
        ("forbidden", 403, "This needs the permission “Administer people and tokens”.", None),
        ("unknown", 404, "There is no such run.", None),
        ("conflict", 409, "Max approved it at 10:02.", None),
        ("busy", 409, "Another caller does this.", "3"),
        ("slow", 429, "Wait a little.", "60"),
        ("away", 503, "The store is away.", "5"),
    ],
)
def test_a_refusal_is_told_in_its_own_sentence(
    sample_pages: Flask, client: FlaskClient, kind: str, status: int, sentence: str, retry_after: str | None
) -> None:
    page = client.get(f"/sample/refuse/{kind}")
    fragment = client.get(f"/sample/refuse/{kind}", headers=HTMX)
    for answer in (page, fragment):
        assert answer.status_code == status
        assert sentence in answer.text
        assert answer.headers.get("Retry-After") == retry_after
        assert "HX-Request" in answer.vary
    assert page.text.lstrip().lower().startswith("<!doctype html>")
    assert fragment.text.lstrip().startswith("<section")


def test_what_is_not_there_is_a_page(client: FlaskClient) -> None:
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert "Not found" in answer.text
    assert client.get("/nothing", headers=HTMX).text.lstrip().startswith("<section")


@pytest.mark.stores(*KINDS)
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/inbox/no-such-item", 404),
        ("/audit", 403),
        ("/logout", 405),
        ("/sample/refuse/conflict", 409),
        ("/sample/refuse/invalid", 422),
        ("/sample/refuse/slow", 429),
        ("/runs?status=NO&cursor=x", 422),
    ],
)
def test_who_is_signed_in_keeps_navigation_and_search(
    sample_pages: Flask, client: FlaskClient, client_of: ClientOf, path: str, status: int
) -> None:
    answer = client_of("nora").get(path)
    assert answer.status_code == status
    assert '<nav id="rail"' in answer.text
    assert 'href="/inbox"' in answer.text
    assert 'role="search"' in answer.text
    assert 'id="bell"' in answer.text
    assert "Invalid filter" not in answer.text
    assert "workflow_export" not in answer.text
    refused = client.get(path)
    if refused.status_code != 303:
        assert '<nav id="rail"' not in refused.text
        assert 'role="search"' not in refused.text


def test_a_file_that_is_not_there_asks_the_store_nothing_of_who_wants_it(client_of: ClientOf) -> None:
    answer = client_of("nora").get("/static/no.css")
    assert answer.status_code == 404
    assert "nora" not in answer.text


def test_a_refusal_names_the_missing_permission_in_plain_words(client_of: ClientOf) -> None:
    assert "This needs the permission “Read and export the audit log”." in client_of("nora").get("/audit").text


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.get("/logout")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_a_form_above_the_limit_is_refused(client: FlaskClient) -> None:
    answer = client.post("/login", data={"name": "n" * (1024 * 1024 + 1)})
    assert answer.status_code == 413
    assert "1 MiB" in answer.text


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_fault_of_ours_shows_its_correlation_id_and_nothing_else(
    sample_pages: Flask, client: FlaskClient, capsys: pytest.CaptureFixture[str], headers: dict[str, str]
) -> None:
    sample_pages.config["PROPAGATE_EXCEPTIONS"] = False
    answer = client.get("/sample/break", headers={**headers, "X-Correlation-Id": "corr-of-nora"})
    assert answer.status_code == 500
    assert "corr-of-nora" in answer.text
    assert answer.headers["X-Correlation-Id"] == "corr-of-nora"
    assert "secret cause" not in answer.text
    assert "RuntimeError" not in answer.text
    log = capsys.readouterr().err
    assert "secret cause" not in log
    assert sample_pages.config["SECRET_KEY"] not in log
    assert "RuntimeError" in log
    assert "corr-of-nora" in log


def test_an_address_below_the_json_paths_answers_a_program(client: FlaskClient) -> None:
    assert client.get("/api/v1/nothing").mimetype != "text/html"
    assert client.get("/rebalance/nothing").mimetype != "text/html"


def test_a_post_that_the_store_refused_is_given_back_to_send_again(sample_pages: Flask, client: FlaskClient) -> None:
    data = {"csrf_token": hidden_fields(client.get("/login"))["csrf_token"], "reason": "typed for nothing"}
    answer = client.post("/sample/refuse/away", data=data)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert hidden_fields(answer)["reason"] == "typed for nothing"
    assert "Send again" in answer.text


@pytest.mark.stores("sqlite", "postgresql")
def test_a_store_without_tables_is_a_store_that_is_away(bare_store_url: str) -> None:
    from lotus_web import create_app
    from lotus_web.config.settings import Settings

    app = create_app(Settings.from_environ(environment(bare_store_url)))
    app.testing = True
    client = app.test_client()
    form = hidden_fields(client.get("/login")) | {"name": "nora", "password": "whatever it is"}
    answer = client.post("/login", data=form | {"draft": "of a form before", "next": "/inbox"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert 'value="nora"' in answer.text
    assert "whatever it is" not in answer.text
    assert hidden_fields(answer)["draft"] == "of a form before"
    assert hidden_fields(answer)["next"] == "/inbox"
    with app.app_context():
        app.extensions["sqlalchemy"].engines[None].dispose()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_outage_is_told_on_every_page_and_is_over_when_it_is_over(
    postgres_server: PostgresServer, headers: dict[str, str]
) -> None:
    from lotus_web import create_app
    from lotus_web.config.settings import Settings

    migrate(postgres_server.url())
    app = create_app(Settings.from_environ(environment(postgres_server.url())))
    app.testing = True
    client = app.test_client()
    hire(app, "nora")
    sign_in(client, "nora")
    assert client.get("/tenant").status_code == 200
    postgres_server.stop()
    down = client.get("/tenant", headers=headers)
    assert (down.status_code, down.headers["Retry-After"]) == (503, "5")
    assert client.get("/login").status_code == 503
    nothing = client.get("/nothing", headers=headers)
    assert nothing.status_code == 404
    assert '<nav id="rail"' not in nothing.text
    postgres_server.start()
    assert client.get("/tenant").status_code == 200
    with app.app_context():
        app.extensions["sqlalchemy"].engines[None].dispose()


def test_a_fault_of_the_store_that_is_ours_is_not_called_an_outage(sample_pages: Flask, client_of: ClientOf) -> None:
    from flask import Blueprint
    from sqlalchemy.exc import IntegrityError

    from lotus_web.web.guard.access import public

    broken = Blueprint("broken", __name__)

    @broken.get("/broken")
    @public
    def show() -> str:
        raise IntegrityError("insert", {}, Exception("UNIQUE"))

    sample_pages.register_blueprint(broken)
    sample_pages.config["PROPAGATE_EXCEPTIONS"] = False
    assert sample_pages.test_client().get("/broken").status_code == 500
