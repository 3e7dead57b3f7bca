"""Passkeys of people: adding, using and removing them. Each change is an entry of the log (models/events/logged_rows.py)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lotus_web.domain.access import DEFAULT_TENANT, Actor, ActorType
from lotus_web.domain.errors import Conflict, NotFound
from lotus_web.domain.events.envelope import OWN_PRODUCER
from lotus_web.domain.events.facts import FactType, fact_key
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.sign_in.passkeys import (
    COUNTER,
    COUNTER_SENTENCE,
    MOST_PASSKEYS,
    Site,
    check_label,
    refused,
)
from lotus_web.domain.surface import Surface
from lotus_web.models import EventLogEntry, Passkey, Person, PersonRole
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.services.sign_in.ceremonies import (
    Assertion,
    check_assertion,
    check_creation,
    creation_options,
    to_base64url,
)
from lotus_web.store.new_ids import new_id

HANDLE_BYTES = 32


def passkeys_of(session: Session, name: str) -> Sequence[Passkey]:
    """Return the passkeys of a person that are in use, oldest first."""
    query = (
        select(Passkey)
        .where(Passkey.name == name, Passkey.removed_at.is_(None))
        .order_by(Passkey.created_at, Passkey.passkey_id)
    )
    return session.scalars(query).all()


def credential_ids(session: Session, name: str) -> list[str]:
    """Return the ids by which authenticators know the passkeys of a person that are in use."""
    return [one.credential_id for one in passkeys_of(session, name)]


def enrolment_options(session: Session, site: Site, challenge: bytes, *, name: str, display_name: str) -> Any:
    """Return what a browser is asked to make a passkey of a person; nothing is stored."""
    handle = _handle_of(session, name) or to_base64url(secrets.token_bytes(HANDLE_BYTES))
    known = credential_ids(session, name)
    return creation_options(site, challenge, name=name, display_name=display_name, handle=handle, known=known)


def _handle_of(session: Session, name: str) -> str | None:
    return session.scalar(select(Passkey.user_handle).where(Passkey.name == name).limit(1))


def add_passkey(
    session: Session,
    answer: Mapping[str, Any],
    *,
    challenge: bytes,
    site: Site,
    name: str,
    handle: str,
    label: str,
    now: datetime,
) -> Passkey:
    """Store the passkey that an authenticator made for a person.

    Raises InvalidInput for its name, Conflict ``PASSKEY_REFUSED``, or ``TOO_MANY_PASSKEYS`` after 20.
    """
    label = check_label(label)
    made = check_creation(answer, challenge=challenge, site=site)
    session.execute(select(Person.name).where(Person.name == name).with_for_update(key_share=True))
    if len(passkeys_of(session, name)) >= MOST_PASSKEYS:
        raise Conflict("TOO_MANY_PASSKEYS", Sentence("You have {most} passkeys. Remove one first.", most=MOST_PASSKEYS))
    row = Passkey(
        passkey_id=new_id("psk_"),
        name=name,
        label=label,
        credential_id=made.credential_id,
        user_handle=_handle_of(session, name) or handle,
        public_key=made.public_key,
        cose_key=made.cose_key,
        rp_id=site.domain,
        sign_count=made.sign_count,
        created_at=now,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise refused() from None
    return row


def use_passkey(
    session: Session,
    answer: Mapping[str, Any],
    *,
    challenge: bytes,
    site: Site,
    name: str | None,
    verified: bool,
    now: datetime,
) -> tuple[Passkey, Assertion]:
    """Return the passkey that signed a challenge, locked, with its counter moved on.

    ``name`` is whose it must be, None where it tells who signs in. Raises Conflict ``PASSKEY_REFUSED`` for one that is unknown,
    removed, somebody else's or of a disabled person too, and ``PASSKEY_COUNTER_WENT_BACK``.
    """
    enabled = select(Person.name).where(Person.disabled_at.is_(None))
    query = select(Passkey).where(
        Passkey.credential_id == answer["id"], Passkey.removed_at.is_(None), Passkey.name.in_(enabled)
    )
    row = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if row is None or name not in (None, row.name) or not _is_handle(answer, row):
        raise refused()
    found = check_assertion(answer, challenge=challenge, site=site, cose_key=row.cose_key, verified=verified)
    if max(found.sign_count, row.sign_count) > 0 and found.sign_count <= row.sign_count:
        raise Conflict(COUNTER, COUNTER_SENTENCE, details={"person": row.name, "passkey_id": row.passkey_id})
    row.sign_count, row.last_used_at = found.sign_count, now
    session.flush()
    return row, found


def note_copied_passkey(session: Session, refused: Conflict, *, now: datetime) -> None:
    """Add the line of a passkey whose counter went back to the audit log of each tenant of its person."""
    name = refused.details["person"]
    tenants = session.scalars(select(PersonRole.tenant_id).where(PersonRole.name == name).distinct())
    for tenant_id in sorted(tenants):
        record_audit(
            session,
            AuditCategory.FAILED,
            actor=Actor(ActorType.PERSON, name, tenant_id),
            action="sign_in",
            subject=name,
            code=COUNTER,
            message=COUNTER_SENTENCE,
            surface=Surface.FORM,
            now=now,
            details={"passkey_id": refused.details["passkey_id"]},
        )


def _is_handle(answer: Mapping[str, Any], row: Passkey) -> bool:
    response = answer.get("response")
    handle = response.get("userHandle") if isinstance(response, dict) else None
    return handle in (None, "", row.user_handle)


def enrolment_entry(session: Session, passkey_id: str) -> dict[str, str]:
    """Return id and hash of the entry of the log that records a passkey as it is: when it was added, and by whom."""
    key, begin = EventLogEntry.idempotency_key, fact_key(passkey_id, FactType.PASSKEY_RECORDED)
    query = select(EventLogEntry.event_id, EventLogEntry.entry_hash).where(
        EventLogEntry.tenant_id == DEFAULT_TENANT,
        EventLogEntry.producer_id == OWN_PRODUCER,
        key > f"{begin}:",
        key < f"{begin};",
    )
    found = session.execute(query.order_by(key.desc()).limit(1)).one()
    return {"event_id": found.event_id, "entry_hash": found.entry_hash}


def remove_passkey(session: Session, passkey_id: str, *, name: str, by: str, now: datetime) -> str:
    """Remove a person's passkey and return its name; raises NotFound for any other."""
    query = select(Passkey).where(Passkey.passkey_id == passkey_id, Passkey.name == name, Passkey.removed_at.is_(None))
    row = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("PASSKEY_NOT_FOUND", "You have no such passkey.")
    row.removed_at, row.removed_by = now, by
    session.flush()
    return row.label


def remove_passkeys(session: Session, *, name: str, by: str, now: datetime) -> int:
    """Remove all passkeys of a person and return how many there were."""
    query = select(Passkey).where(Passkey.name == name, Passkey.removed_at.is_(None)).with_for_update()
    rows = session.scalars(query.execution_options(populate_existing=True)).all()
    for row in rows:
        row.removed_at, row.removed_by = now, by
    session.flush()
    return len(rows)
