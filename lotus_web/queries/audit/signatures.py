"""Verifying the signatures of decisions: each is over what its entry says, by the passkey that the log has of its person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Select, Text, or_, select, type_coerce
from sqlalchemy.orm import Session

from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.events.envelope import OWN_PRODUCER, EventType
from lotus_web.domain.events.facts import FactType
from lotus_web.domain.json_members import read_json
from lotus_web.models import EventLogEntry
from lotus_web.wire.lotus_verify import Refused, check_enrolled, check_signature, said_in

BATCH = 500
_PAYLOAD = type_coerce(EventLogEntry.payload, Text)
# Few decisions are signed: the store looks for the name, so that the others are not read. JSON can write its letters as escapes
# too, which nobody who hides a forged signature is to get by with.
_SIGNED = ('"signature"', "\\u00")
_KINDS = (EventType.APPROVAL_RECORDED.value, FactType.ACTION_RECORDED.value)


def verify_signatures(session: Session, tenant_id: str) -> Iterator[str]:
    """Yield a sentence for each decision whose signature does not verify; batches of bounded size.

    That a decision should have been signed is not known from the log: which ones are is a setting.
    """
    passkeys: dict[str, Mapping[str, Any] | None] = {}
    after = 0
    query = _signed_entries(tenant_id)
    while rows := session.execute(query.where(EventLogEntry.log_seq > after)).all():
        for row in rows:
            why = _wrong(session, tenant_id, row, passkeys)
            if why is not None:
                yield f"entry {row.log_seq}, {row.event_id}: its signature does not hold: {why}"
        after = rows[-1].log_seq


def _signed_entries(tenant_id: str) -> Select[*tuple[Any, ...]]:
    return (
        select(EventLogEntry.log_seq, EventLogEntry.event_id, EventLogEntry.trace_id, _PAYLOAD.label("text"))
        .where(
            EventLogEntry.tenant_id == tenant_id,
            EventLogEntry.producer_id == OWN_PRODUCER,
            EventLogEntry.event_type.in_(_KINDS),
            or_(*(_PAYLOAD.contains(written, autoescape=True) for written in _SIGNED)),
        )
        .order_by(EventLogEntry.log_seq)
        .limit(BATCH)
    )


def _wrong(session: Session, tenant_id: str, row: Any, passkeys: dict[str, Mapping[str, Any] | None]) -> str | None:
    """Return why the signature of an entry does not hold; None where it does."""
    try:
        payload = read_json(row.text)
        if "approver" in payload:
            said = said_in({"tenant_id": tenant_id, "trace_id": row.trace_id, "payload": payload})
            signature = payload["evidence"].get("signature")
        else:
            said, signature = _said_in_action(payload), payload["details"].get("signature")
        if signature is None:  # the word was part of a text
            return None
        check_signature(signature, said)
        if "enrolled" in signature:
            entry = signature["enrolled"]["event_id"]
            if entry not in passkeys:
                passkeys[entry] = _recorded(session, signature["enrolled"])
            check_enrolled(signature, said["person"], passkeys[entry] or {})
    except Refused as why:
        return str(why)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError):
        return "it is not made like a signature"
    return None


def _said_in_action(action: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the signed document of a request for changes must say."""
    return {
        **{name: action[name] for name in ("tenant_id", "trace_id", "workflow_id", "reason_code", "text")},
        "action": action["action_type"],
        "evidence_digest": action["details"].get("evidence_digest"),
        "person": action["on_behalf_of"] or action["actor_id"],
    }


def _recorded(session: Session, named: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Return what the entry of a passkey says, by its id and its hash; None where there is no such entry."""
    query = select(_PAYLOAD).where(
        EventLogEntry.tenant_id == DEFAULT_TENANT,
        EventLogEntry.event_id == named["event_id"],
        EventLogEntry.entry_hash == named["entry_hash"],
        EventLogEntry.event_type == FactType.PASSKEY_RECORDED.value,
    )
    found = session.scalar(query)
    return None if found is None else json.loads(found)
