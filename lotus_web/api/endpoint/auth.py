"""Who is calling: the bearer token, the tenant, and the person a service account may speak for (deltas 9–11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from flask import g, request
from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.domain.access import DEFAULT_TENANT, Actor, ActorType, Permission, check_still_held
from lotus_web.domain.accounts.acting import ANONYMOUS
from lotus_web.domain.errors import Forbidden, Unauthenticated
from lotus_web.http.request_ids import sent_header
from lotus_web.services.accounts.people import check_may_be_named
from lotus_web.services.accounts.tokens import grant_of
from lotus_web.store.session import db, recheck_under_lock

TENANT_HEADER = "X-Tenant-Id"
EVERYTHING = frozenset(Permission)


def caller(*, now: datetime) -> Actor:
    """Return who is asking, in the tenant they name; raises Unauthenticated, Forbidden for a tenant not theirs."""
    tenant_id = sent_header(TENANT_HEADER) or DEFAULT_TENANT
    if current.settings().api_auth == "disabled":
        return _of_tenant(Actor(ActorType.SERVICE_ACCOUNT, ANONYMOUS, DEFAULT_TENANT, EVERYTHING), tenant_id)
    bearer = _bearer()
    grant = grant_of(db.session(), bearer, now=now) if bearer else None
    if grant is None:
        raise Unauthenticated
    # A refused request for another tenant is recorded in the caller's own: nobody writes into an audit log they may not read.
    home = tenant_id if tenant_id in grant.tenants else min(grant.tenants)
    actor = Actor(
        ActorType.SERVICE_ACCOUNT,
        grant.account,
        home,
        grant.permissions,
        token_id=grant.token_id,
        credential=grant.credential,
    )
    recheck_under_lock(partial(_check_still_granted, bearer, actor))
    return _of_tenant(actor, tenant_id)


def _check_still_granted(bearer: str, actor: Actor, session: Session) -> None:
    """Raise Unauthenticated if the token was revoked meanwhile, or its account disabled."""
    grant = grant_of(session, bearer, now=current.utcnow())
    if grant is None:
        raise Unauthenticated
    check_still_held(actor, grant.permissions)


def _of_tenant(actor: Actor, tenant_id: str) -> Actor:
    """Remember who is calling; raises Forbidden where they name another tenant than the one they work in."""
    g.caller = actor
    if actor.tenant_id != tenant_id:
        raise not_for_tenant(tenant_id)
    return actor


def known_caller() -> Actor | None:
    """Return the caller of this request; None until the token was checked."""
    found: Actor | None = g.get("caller")
    return found


def not_for_tenant(tenant_id: str) -> Forbidden:
    """Return the refusal of a valid token that is not for this tenant."""
    return Forbidden(message="This token is not for this tenant.", details={"tenant_id": tenant_id})


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def deciding_actor(actor: Actor, actor_id: str) -> Actor:
    """Return the actor of a decision that the body attributes to ``actor_id`` (delta 9).

    Raises Forbidden ``ACTOR_MISMATCH`` when that is someone else and the caller may not act on their behalf, or nobody may
    since they are no enabled person of this tenant.
    """
    if actor_id == actor.actor_id:
        return actor
    if not actor.may(Permission.ACT_ON_BEHALF):
        missing = {"permission": Permission.ACT_ON_BEHALF.value, "actor_id": actor_id}
        raise Forbidden("ACTOR_MISMATCH", "A decision is recorded under the account of its token.", details=missing)
    check_may_be_named(db.session(), actor, actor_id)
    recheck_under_lock(lambda session: check_may_be_named(session, actor, actor_id))
    return replace(actor, on_behalf_of=actor_id)
