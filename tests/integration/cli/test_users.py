"""`flask users`: people are made, listed and shut out by operators."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lotus_web.models import AuditRecord
from lotus_web.store.session import db
from tests.support.people import PASSWORD, sign_in


def test_a_person_is_made_with_a_password_from_stdin_and_can_sign_in(app: Flask, client: FlaskClient) -> None:
    run = app.test_cli_runner().invoke
    made = run(args=["users", "create", "nora", "--role", "reviewer", "--password-stdin"], input=PASSWORD + "\n")
    assert (made.exit_code, made.stdout) == (0, "nora may sign in as reviewer of default.\n")
    assert sign_in(client, "nora").status_code == 303


def test_without_stdin_the_password_is_asked_for_twice_and_not_shown(app: Flask, client: FlaskClient) -> None:
    answers = f"{PASSWORD}\n{PASSWORD}\n"
    made = app.test_cli_runner().invoke(args=["users", "create", "max", "--role", "manager"], input=answers)
    assert made.exit_code == 0
    assert PASSWORD not in made.output
    assert sign_in(client, "max").status_code == 303


@pytest.mark.parametrize(
    ("arguments", "password", "sentence"),
    [
        (["nora", "--role", "reviewer"], "too short", "12 to 1024 characters"),
        (["no:ra", "--role", "reviewer"], PASSWORD, "must not contain a colon"),
        (["n" * 65, "--role", "reviewer"], PASSWORD, "1 to 64 visible characters"),
        (["nora", "--role", "king"], PASSWORD, "'viewer', 'adviser', 'reviewer', 'manager', 'admin'"),
        (["nora"], PASSWORD, "Missing option '--role'"),
        (["nora", "--role", "reviewer", "--tenant", "a\nb"], PASSWORD, "tenant must be"),
    ],
)
@pytest.mark.stores("sqlite")
def test_what_cannot_be_is_refused_in_one_line_and_leaves_nobody(
    app: Flask, arguments: list[str], password: str, sentence: str
) -> None:
    run = app.test_cli_runner().invoke
    refused = run(args=["users", "create", *arguments, "--password-stdin"], input=password + "\n")
    assert refused.exit_code != 0
    assert sentence in refused.stderr
    assert "Traceback" not in refused.output
    assert run(args=["users", "list"]).stdout == ""


def test_a_name_is_given_once(app: Flask) -> None:
    arguments = ["users", "create", "nora", "--role", "reviewer", "--password-stdin"]
    run = app.test_cli_runner().invoke
    assert run(args=arguments, input=PASSWORD).exit_code == 0
    again = run(args=arguments, input=PASSWORD)
    assert (again.exit_code, again.stderr) == (1, "Error: The name nora is taken.\n")


def test_people_are_listed_with_state_and_roles(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    run(args=["users", "create", "nora", "--role", "reviewer", "--password-stdin"], input=PASSWORD)
    run(args=["users", "create", "ada", "--role", "admin", "--tenant", "north", "--password-stdin"], input=PASSWORD)
    run(args=["users", "grant", "ada", "--role", "viewer"])
    run(args=["users", "disable", "nora"])
    assert run(args=["users", "list"]).stdout == (
        "ada\tenabled\tdefault:viewer north:admin\nnora\tdisabled\tdefault:reviewer\n"
    )
    run(args=["users", "withdraw", "ada", "--role", "viewer"])
    assert "ada\tenabled\tnorth:admin\n" in run(args=["users", "list"]).stdout


def test_disabling_ends_the_session_at_once_and_enabling_lets_in_again(
    app: Flask, client: FlaskClient, nora: str
) -> None:
    sign_in(client, nora)
    run = app.test_cli_runner().invoke
    assert client.get("/tenant").status_code == 200
    assert run(args=["users", "disable", nora]).exit_code == 0
    assert client.get("/tenant").status_code == 303
    assert sign_in(client, nora).status_code == 401
    assert run(args=["users", "enable", nora]).exit_code == 0
    assert sign_in(client, nora).status_code == 303


def test_another_password_replaces_the_first(app: Flask, client: FlaskClient, nora: str) -> None:
    run = app.test_cli_runner().invoke
    assert run(args=["users", "password", nora, "--password-stdin"], input="another long one\n").exit_code == 0
    assert sign_in(client, nora, "another long one").status_code == 303
    assert sign_in(app.test_client(), nora).status_code == 401


@pytest.mark.parametrize(
    "arguments", [["disable", "nobody"], ["enable", "nobody"], ["grant", "nobody", "--role", "admin"]]
)
@pytest.mark.stores("sqlite")
def test_who_does_not_exist_is_named(app: Flask, arguments: list[str]) -> None:
    refused = app.test_cli_runner().invoke(args=["users", *arguments])
    assert (refused.exit_code, refused.stderr) == (1, "Error: There is no person named nobody.\n")


def test_each_change_by_an_operator_is_on_record_in_the_tenants_that_it_touches(app: Flask) -> None:
    def run(*arguments: str, typed: str | None = None) -> str:
        done = app.test_cli_runner().invoke(args=list(arguments), input=typed)
        assert done.exit_code == 0, done.output
        return str(done.stdout)

    north = ("--tenant", "north")
    run("users", "create", "nora", "--role", "reviewer", "--password-stdin", typed=PASSWORD)
    run("users", "grant", "nora", "--role", "viewer", *north)
    for change in ("disable", "enable"):
        run("users", change, "nora")
    run("users", "password", "nora", "--password-stdin", typed=PASSWORD + "!")
    run("users", "withdraw", "nora", "--role", "viewer", *north)
    secret = run("tokens", "create", "bot", *north, "--permissions", "runs_read").strip()
    run("tokens", "revoke", run("tokens", "list").split("\t")[0])
    with app.app_context():
        rows = db.session.query(AuditRecord).order_by(AuditRecord.audit_seq).all()
    both = [("default", action) for action in ("disable_person", "enable_person", "set_password")]
    assert sorted((row.tenant_id, row.action) for row in rows) == sorted(
        [("default", "add_person"), ("north", "grant_role"), ("north", "withdraw_role")]
        + both
        + [("north", action) for _, action in both]
        + [("north", "issue_token"), ("north", "revoke_token")]
    )
    assert {(row.category, row.actor_id, row.surface, row.code) for row in rows} == {
        ("admin", "operator", "cli", "done")
    }
    assert rows[0].message == "nora was added as reviewer."
    told = "".join(row.message for row in rows)
    assert secret.split("_", 2)[2] not in told
    assert PASSWORD not in told
    assert "A token of bot for runs_read until " in told
