"""A bearer token opens what it was made for, for as long as it holds, and its text is nowhere in the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from lotus_web.domain.access import Permission, Role
from lotus_web.domain.errors import Conflict, InvalidInput, NotFound
from lotus_web.models import ApiToken, ServiceAccount
from lotus_web.queries.accounts.tokens import list_accounts, list_tokens
from lotus_web.services.accounts.people import create_person
from lotus_web.services.accounts.service_accounts import disable_account, enable_account
from lotus_web.services.accounts.tokens import NewToken, create_token, grant_of, revoke_token
from lotus_web.services.sign_in.passwords import hashed
from lotus_web.store.session import db, transaction

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)


def make(session: Session, **changes: Any) -> NewToken:
    values: dict[str, Any] = {
        "account": "engine",
        "tenant_id": "default",
        "permissions": [Permission.RUNS_WRITE, Permission.RUNS_READ],
        "expires_at": TOMORROW,
        "now": NOW,
    }
    with transaction() as store:
        return create_token(store, **{**values, **changes})


def test_a_token_grants_its_account_tenant_and_permissions(session: Session) -> None:
    made = make(session)
    grant = grant_of(db.session(), made.secret_text, now=NOW)
    assert grant is not None
    assert (grant.account, grant.tenants, grant.token_id) == ("engine", ("default",), made.token_id)
    assert grant.permissions == {Permission.RUNS_READ, Permission.RUNS_WRITE}


def test_the_text_holds_256_random_bits_and_is_not_stored(session: Session) -> None:
    made = make(session)
    secret = made.secret_text.removeprefix(f"lw_{made.token_id}_")
    assert len(secret) == 43
    row = db.session.get(ApiToken, made.token_id)
    assert row is not None
    assert secret not in repr({column.name: getattr(row, column.name) for column in ApiToken.__table__.columns})


def test_a_grant_costs_one_statement_and_writes_nothing(session: Session) -> None:
    made = make(session)
    seen: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _cur, statement, *_: seen.append(statement))
    assert grant_of(db.session(), made.secret_text, now=NOW) is not None
    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) == 1
    assert not any(word in seen[-1].upper() for word in ("UPDATE", "INSERT", "DELETE"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text.replace("lw_", "LW_", 1),
        lambda text: text.removeprefix("lw_"),
        lambda text: text + "A",
        lambda text: text.replace("lw_tok", "lw_tok0", 1)[: len(text)],
        lambda _text: "",
        lambda _text: "lw_tok\x00_x",
        lambda _text: "lw_" + "é" * 63,
        lambda _text: "lw_tok0123456789abcdef_" + "A" * 43,
    ],
)
def test_a_spoilt_token_grants_nothing(session: Session, spoil: Any) -> None:
    assert grant_of(db.session(), spoil(make(session).secret_text), now=NOW) is None


def test_a_token_ends_at_its_expiry_and_not_before(session: Session) -> None:
    bearer = make(session).secret_text
    assert grant_of(db.session(), bearer, now=TOMORROW - timedelta(microseconds=1)) is not None
    assert grant_of(db.session(), bearer, now=TOMORROW) is None


def test_a_revoked_token_grants_nothing_and_keeps_its_first_end(session: Session) -> None:
    made = make(session)
    for moment in (NOW, TOMORROW):
        with transaction() as store:
            revoke_token(store, token_id=made.token_id, now=moment)
    assert grant_of(db.session(), made.secret_text, now=NOW) is None
    assert [(row.revoked_at, row.state(NOW)) for row in list_tokens(db.session())] == [(NOW, "revoked")]


def test_an_unknown_token_cannot_be_revoked(session: Session) -> None:
    with pytest.raises(NotFound), transaction() as store:
        revoke_token(store, token_id="tok0000000000000000", now=NOW)


def test_a_disabled_account_has_no_token_that_holds_and_gets_no_new_one(session: Session) -> None:
    bearers = [make(session).secret_text, make(session, tenant_id="north").secret_text]
    for moment in (NOW, TOMORROW):
        with transaction() as store:
            disable_account(store, name="engine", now=moment)
    assert [grant_of(db.session(), bearer, now=NOW) for bearer in bearers] == [None, None]
    assert {row.state(NOW) for row in list_tokens(db.session())} == {"disabled"}
    assert db.session.scalars(select(ServiceAccount.disabled_at)).all() == [NOW]
    with pytest.raises(Conflict, match="disabled"):
        make(session)


def test_an_enabled_account_has_its_valid_tokens_again_and_no_revoked_one(session: Session) -> None:
    kept, revoked = make(session), make(session)
    with transaction() as store:
        revoke_token(store, token_id=revoked.token_id, now=NOW)
        disable_account(store, name="engine", now=NOW)
    with transaction() as store:
        enable_account(store, name="engine")
    assert grant_of(db.session(), kept.secret_text, now=NOW) is not None
    assert grant_of(db.session(), revoked.secret_text, now=NOW) is None


@pytest.mark.parametrize("change", [partial(disable_account, now=NOW), enable_account])
def test_an_unknown_account_can_be_neither_disabled_nor_enabled(session: Session, change: Any) -> None:
    with pytest.raises(NotFound), transaction() as store:
        change(store, name="nobody")


def test_accounts_are_listed_by_tenant_with_what_they_hold_there(session: Session) -> None:
    revoked = make(session)
    make(session)
    make(session, account="feed", tenant_id="north")
    make(session, account="engine", tenant_id="north")
    with transaction() as store:
        revoke_token(store, token_id=revoked.token_id, now=NOW)
    (only,) = list_accounts(db.session(), tenant_id="default", now=NOW)
    assert (only.name, only.tokens, only.usable, only.elsewhere) == ("engine", 2, 1, True)
    north = list_accounts(db.session(), tenant_id="north", now=NOW)
    assert [(row.name, row.elsewhere) for row in north] == [("engine", True), ("feed", False)]


def test_an_account_and_a_person_never_share_a_name(session: Session) -> None:
    with transaction() as store:
        create_person(
            store, name="nora", password=hashed("a long password"), role=Role.REVIEWER, tenant_id="default", now=NOW
        )
    with pytest.raises(Conflict, match="person"):
        make(session, account="nora")
    make(session)
    with pytest.raises(Conflict, match="taken"), transaction() as store:
        create_person(
            store, name="engine", password=hashed("a long password"), role=Role.REVIEWER, tenant_id="default", now=NOW
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"account": ""},
        {"account": "a:b"},
        {"account": "a\nb"},
        {"account": "a" * 65},
        {"tenant_id": ""},
        {"permissions": []},
        {"expires_at": NOW},
    ],
)
def test_a_token_that_cannot_be_is_refused_and_leaves_nothing(session: Session, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        make(session, **changes)
    assert list_tokens(db.session()) == ()
    assert db.session.execute(text("SELECT count(*) FROM service_accounts")).scalar() == 0


def test_tokens_are_listed_by_tenant(session: Session) -> None:
    make(session)
    make(session, account="feed", tenant_id="north", expires_at=None)
    assert [row.account for row in list_tokens(db.session())] == ["engine", "feed"]
    only = list_tokens(db.session(), tenant_id="north")
    assert [(row.account, row.state(NOW + timedelta(days=9999))) for row in only] == [("feed", "valid")]
