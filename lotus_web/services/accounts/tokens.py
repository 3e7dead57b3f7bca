"""Service accounts and their bearer tokens: ``lw_<token id>_<secret>``, of which only the secret's SHA-256 is stored."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, Permission
from lotus_web.domain.accounts.acting import Credential, token_credential
from lotus_web.domain.accounts.credentials import secret_hash
from lotus_web.domain.accounts.names import check_account_name, check_tenant_id
from lotus_web.domain.errors import Conflict, InvalidInput, NotFound
from lotus_web.domain.sentences import Account, Sentence
from lotus_web.models import ApiToken, Person, ServiceAccount
from lotus_web.store.new_ids import new_id

SECRET_BYTES = 32
BEARER = re.compile(r"lw_(tok[0-9a-f]{16})_([A-Za-z0-9_-]{43})")
TOKEN_ID = re.compile(r"tok[0-9a-f]{16}")
PERMISSION = {permission.value: permission for permission in Permission}


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new token with its text, which is not stored."""

    token_id: str
    secret_text: str


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """The permissions of a valid token, and the tenants it is for."""

    account: str
    tenants: tuple[str, ...]
    permissions: frozenset[Permission]
    token_id: str
    credential: Credential


def create_token(
    session: Session,
    *,
    account: str,
    tenant_id: str,
    permissions: Iterable[Permission],
    expires_at: datetime | None,
    now: datetime,
    token_id: str | None = None,
    by: Actor | None = None,
) -> NewToken:
    """Create a token, and the service account if it is new; the text is returned this once and cannot be read again.

    ``by`` makes it, and counts as whoever acts with it (domain/accounts/acting.py).

    A ``token_id`` that the caller generated before makes a repeated call harmless. Raises InvalidInput for a name that cannot be, no
    permission or an expiry in the past, Conflict ``SENT_BEFORE`` for an id that has its token, ``NAME_TAKEN`` for a
    person's name and ``ACCOUNT_DISABLED`` for a disabled account.
    """
    _check_new(session, token_id)
    granted = sorted(set(permissions))
    if not granted:
        raise InvalidInput("value_error", "A token needs at least one permission.", loc=("body", "permissions"))
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("value_error", "A token expires in the future.", loc=("body", "expires_at"))
    _open_account(session, check_account_name(account), now)
    token_id, secret = token_id or new_token_id(), secrets.token_urlsafe(SECRET_BYTES)
    session.add(
        ApiToken(
            token_id=token_id,
            account=account,
            secret_hash=secret_hash(secret),
            tenants=[check_tenant_id(tenant_id)],
            permissions=[permission.value for permission in granted],
            made_by=None if by is None else by.decider_id,
            principals=None if by is None else sorted(by.principals),
            created_at=now,
            expires_at=expires_at,
        )
    )
    try:
        session.flush()
    except IntegrityError as raced:
        raise _sent_before(token_id) from raced
    return NewToken(token_id, f"lw_{token_id}_{secret}")


def new_token_id() -> str:
    """Return the id of a token to be created."""
    return new_id("tok", 16)


def _check_new(session: Session, token_id: str | None) -> None:
    if token_id is None:
        return
    if TOKEN_ID.fullmatch(token_id) is None:
        raise InvalidInput(
            "value_error", "This form is not one of ours. Load the page again.", loc=("body", "token_id")
        )
    if session.get(ApiToken, token_id) is not None:
        raise _sent_before(token_id)


def _sent_before(token_id: str) -> Conflict:
    return Conflict(
        "SENT_BEFORE",
        Sentence(
            "This form was sent before: it made the token {token_id}, whose text was shown then.", token_id=token_id
        ),
    )


def _open_account(session: Session, name: str, now: datetime) -> None:
    account = session.get(ServiceAccount, name)
    if account is None:
        if session.get(Person, name) is not None:
            raise Conflict("NAME_TAKEN", "A person has this name; accounts and people never share one.")
        session.add(ServiceAccount(name=name, created_at=now))
        try:
            session.flush()
        except IntegrityError as raced:
            raise Conflict("NAME_TAKEN", "This account was made by someone else at this moment.") from raced
    elif account.disabled_at is not None:
        raise Conflict("ACCOUNT_DISABLED", Sentence("The service account {name} is disabled.", name=Account(name)))


def revoke_token(session: Session, *, token_id: str, now: datetime) -> None:
    """Revoke a token; revoking it twice does no harm. Raises NotFound."""
    token = session.get(ApiToken, token_id, populate_existing=True, with_for_update=True)
    if token is None:
        raise NotFound("TOKEN_NOT_FOUND", "There is no such token.")
    token.revoked_at = token.revoked_at or now
    session.flush()


_token, _account = ApiToken.__table__.c, ServiceAccount.__table__.c
# Built once: every API request reads a token, and building a statement costs more than running this one.
_GRANT = (
    select(
        _token.account,
        _token.secret_hash,
        _token.tenants,
        _token.permissions,
        _token.made_by,
        _token.principals,
        _token.expires_at,
        _token.revoked_at,
        _account.disabled_at,
    )
    .join_from(ApiToken.__table__, ServiceAccount.__table__, _account.name == _token.account)
    .where(_token.token_id == bindparam("token_id"))
)


def grant_of(session: Session, bearer: str, *, now: datetime) -> TokenGrant | None:
    """Return what a bearer token grants, or None if it is unknown, wrong, expired, revoked or its account is disabled.

    Reads one row by its key: every API request comes through here.
    """
    shaped = BEARER.fullmatch(bearer)
    if shaped is None:
        return None
    token_id, secret = shaped.groups()
    row = session.execute(_GRANT, {"token_id": token_id}).one_or_none()
    if row is None or not hmac.compare_digest(row.secret_hash, secret_hash(secret)):
        return None
    if row.revoked_at is not None or row.disabled_at is not None:
        return None
    if row.expires_at is not None and row.expires_at <= now:
        return None
    granted = frozenset(PERMISSION[name] for name in row.permissions if name in PERMISSION)
    credential = token_credential(row.made_by, row.principals)
    return TokenGrant(row.account, tuple(row.tenants), granted, token_id, credential)
