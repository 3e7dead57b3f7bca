"""Signed decisions: which must be, and the document whose hash is signed (docs/proof.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from lotus_web.domain.canonical import content_hash, plain
from lotus_web.domain.errors import Conflict
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.sign_in.passkeys import Site

DOCUMENT_VERSION = 1
REQUIRED, REFUSED = "SIGNATURE_REQUIRED", "SIGNATURE_REFUSED"


class SignDecisions(StrEnum):
    """Which decisions must be signed."""

    OFF = "off"
    OVERRIDE = "override"
    ALL = "all"


class SignedBy(StrEnum):
    """What a decision was signed with."""

    PASSKEY = "passkey"
    PASSWORD = "password"


@dataclass(frozen=True, slots=True)
class Signature:
    """What came with a decision as its signature: the ``answer`` of an authenticator for a ``site``, or a password that was right.

    ``nonce`` and ``asked_at`` are of the question, ``expires_at`` is until when it may be answered.
    """

    method: SignedBy
    nonce: str
    asked_at: datetime
    expires_at: datetime
    answer: Mapping[str, Any] | None = None
    site: Site | None = None


def must_be_signed(which: SignDecisions, action: Action) -> bool:
    """Return whether an action needs a signature; what follows from a change of the subject, such as a withdrawal, never does."""
    spec = ACTIONS[action]
    if which is SignDecisions.OVERRIDE:
        return spec.approval is not None and spec.approval.override
    return which is SignDecisions.ALL and spec.decides and spec.offered


def decision_document(
    item: ItemState,
    action: Action,
    *,
    reason_code: str | None,
    text: str | None,
    evidence_digest: str | None,
    person: str,
    nonce: str,
    asked_at: datetime,
) -> dict[str, Any]:
    """Return what is signed: all that the decision says, on what, and when it was asked for, so that it fits no other decision."""
    document: dict[str, Any] = plain(
        {
            "document": "lotus-web decision",
            "document_version": DOCUMENT_VERSION,
            "tenant_id": item.tenant_id,
            "trace_id": item.trace_id,
            "workflow_id": item.workflow_id,
            "item_version": item.version,
            "subject_type": item.subject_type,
            "subject_id": item.subject_id,
            "action": action.value,
            "reason_code": reason_code,
            "text": text,
            "evidence_digest": evidence_digest,
            "person": person,
            "nonce": nonce,
            "asked_at": asked_at,
        }
    )
    return document


def challenge_of(document: Mapping[str, Any]) -> bytes:
    """Return the challenge that an authenticator signs: the SHA-256 of the document as canonical JSON."""
    return bytes.fromhex(content_hash(document).removeprefix("sha256:"))


def required() -> Conflict:
    """Return the refusal of a decision without a signature."""
    return Conflict(
        REQUIRED, "A decision like this is signed by the person who takes it, on the page of its item. Programs cannot."
    )


def refused() -> Conflict:
    """Return the refusal of a signature; it does not tell what was wrong with it."""
    return Conflict(
        REFUSED, "This signature is not yours, not of this decision, or too late. Nothing was recorded: sign again."
    )
