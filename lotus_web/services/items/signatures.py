"""Checking the signature of a decision, and what the entry of the decision says of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from lotus_web.domain.errors import Conflict
from lotus_web.domain.items.signing import (
    Signature,
    SignedBy,
    challenge_of,
    decision_document,
    must_be_signed,
    refused,
    required,
)
from lotus_web.domain.sign_in.passkeys import COUNTER
from lotus_web.services.items.action_records import ReviewCase
from lotus_web.services.sign_in.challenges import spend_challenge
from lotus_web.services.sign_in.passkeys import enrolment_entry, use_passkey
from lotus_web.wire.lotus_verify import Refused, check_signature


def signature_facts(session: Session, case: ReviewCase) -> dict[str, Any] | None:
    """Return what the entry says of the signature, None for a decision that needs none.

    Raises Conflict ``SIGNATURE_REQUIRED``, ``SIGNATURE_REFUSED``, ``PASSKEY_COUNTER_WENT_BACK``.
    """
    signature = case.asked.signature
    if not must_be_signed(case.context.policy.sign_decisions, case.asked.action):
        return None
    if signature is None or case.context.actor.token_id is not None:
        raise required()
    document = _document(case, signature)
    try:
        return _checked(session, case, signature, document)
    except Conflict as why:
        raise why if why.code == COUNTER else refused() from None


def _document(case: ReviewCase, signature: Signature) -> dict[str, Any]:
    asked = case.asked
    return decision_document(
        case.item,
        asked.action,
        reason_code=asked.reason_code,
        text=asked.text,
        evidence_digest=asked.presented.digest if asked.presented else None,
        person=case.context.actor.decider_id,
        nonce=signature.nonce,
        asked_at=signature.asked_at,
    )


def _checked(session: Session, case: ReviewCase, signature: Signature, document: dict[str, Any]) -> dict[str, Any]:
    challenge, now = challenge_of(document), case.context.now
    spend_challenge(session, challenge, expires_at=signature.expires_at, now=now)
    if signature.method is SignedBy.PASSWORD:
        return {"method": signature.method.value, "document": document}
    if signature.answer is None or signature.site is None:
        raise refused()
    passkey, _ = use_passkey(
        session,
        signature.answer,
        challenge=challenge,
        site=signature.site,
        name=case.context.actor.decider_id,
        verified=True,
        now=now,
    )
    response = signature.answer["response"]
    return _provable(
        {
            "method": signature.method.value,
            "document": document,
            "passkey_id": passkey.passkey_id,
            "public_key": passkey.public_key,
            "enrolled": enrolment_entry(session, passkey.passkey_id),
            "rp_id": signature.site.domain,
            "origin": signature.site.origin,
            "client_data": response["clientDataJSON"],
            "authenticator_data": response["authenticatorData"],
            "signature": response["signature"],
        }
    )


def _provable(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts if whoever verifies the log will say that they hold: that one reads base 64 to the letter."""
    try:
        check_signature(facts, said=facts["document"])
    except (Refused, ValueError, TypeError, KeyError):
        raise refused() from None
    return facts
