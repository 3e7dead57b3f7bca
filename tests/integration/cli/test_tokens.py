"""`flask tokens`: the token stands alone on stdout, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from lotus_web.config.current import utcnow
from lotus_web.domain.access import Permission
from lotus_web.models import AuditRecord
from lotus_web.services.accounts.tokens import TokenGrant, grant_of
from lotus_web.store.session import db

CREATE = ["tokens", "create", "engine", "--tenant", "default", "--permissions", "runs_write, runs_read"]


def granted(app: Flask, bearer: str, *, in_days: int = 0) -> TokenGrant | None:
    with app.app_context():
        return grant_of(db.session(), bearer, now=utcnow() + timedelta(days=in_days))


def test_the_token_is_all_that_stdout_holds_and_it_opens(app: Flask) -> None:
    made = app.test_cli_runner().invoke(args=CREATE)
    assert made.exit_code == 0
    assert made.stdout.count("\n") == 1
    grant = granted(app, made.stdout.strip())
    assert grant is not None
    assert grant.permissions == {Permission.RUNS_READ, Permission.RUNS_WRITE}


def test_a_token_ends_after_its_days(app: Flask) -> None:
    bearer = app.test_cli_runner().invoke(args=[*CREATE, "--expires-days", "2"]).stdout.strip()
    assert granted(app, bearer, in_days=1) is not None
    assert granted(app, bearer, in_days=3) is None


def test_a_revoked_token_opens_nothing_and_the_list_says_so(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    bearer = run(args=CREATE).stdout.strip()
    listed = run(args=["tokens", "list"]).stdout
    token_id = listed.split("\t")[0]
    assert "\tengine\tvalid\t" in listed
    assert "default\truns_read,runs_write" in listed
    assert bearer.split("_", 2)[2] not in listed
    assert run(args=["tokens", "revoke", token_id]).exit_code == 0
    assert granted(app, bearer) is None
    assert "\tengine\trevoked\t" in run(args=["tokens", "list"]).stdout


def test_an_account_is_disabled_with_all_its_tokens_and_enabled_again(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    bearers = [run(args=CREATE).stdout.strip(), run(args=[*CREATE[:4], "north", *CREATE[5:]]).stdout.strip()]
    done = run(args=["tokens", "disable", "engine"])
    assert (done.exit_code, done.stdout) == (0, "engine is disabled. Its tokens no longer work.\n")
    assert [granted(app, bearer) for bearer in bearers] == [None, None]
    assert run(args=["tokens", "list"]).stdout.count("\tengine\tdisabled\t") == 2
    assert run(args=["tokens", "enable", "engine"]).exit_code == 0
    assert None not in [granted(app, bearer) for bearer in bearers]
    with app.app_context():
        lines = db.session.query(AuditRecord).filter_by(subject="engine").order_by(AuditRecord.audit_seq)
        told = [(line.tenant_id, line.actor_id, line.surface, line.action, line.subject) for line in lines]
    assert told == [
        (tenant, "operator", "cli", action, "engine")
        for action in ("disable_account", "enable_account")
        for tenant in ("default", "north")
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["create", "engine", "--tenant", "default", "--permissions", "runs_read,fly"], "fly; choose from runs_read"),
        (["create", "engine", "--tenant", "default", "--permissions", " , "], "none given"),
        (["create", "engine", "--permissions", "runs_read"], "Missing option '--tenant'"),
        (["create", "a:b", "--tenant", "default", "--permissions", "runs_read"], "colon"),
        (["create", "engine", "--tenant", "default", "--permissions", "runs_read", "--expires-days", "0"], "0"),
        (["revoke", "tok0000000000000000"], "There is no such token."),
        (["disable", "engine"], "There is no service account named engine."),
        (["enable", "engine"], "There is no service account named engine."),
    ],
)
@pytest.mark.stores("sqlite")
def test_what_cannot_be_is_refused_and_prints_no_token(app: Flask, arguments: list[str], sentence: str) -> None:
    run = app.test_cli_runner().invoke
    refused = run(args=["tokens", *arguments])
    assert refused.exit_code != 0
    assert refused.stdout == ""
    assert sentence in refused.stderr
    assert run(args=["tokens", "list"]).stdout == ""
