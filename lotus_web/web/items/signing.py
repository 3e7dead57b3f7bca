"""Signing a decision on the page of its item: with a passkey, or without scripts with the password again."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Actor, Permission
from lotus_web.domain.errors import Conflict, LotusError
from lotus_web.domain.items.actions import ACTIONS, DECIDING, Action
from lotus_web.domain.items.signing import (
    Signature,
    SignedBy,
    challenge_of,
    decision_document,
    must_be_signed,
    refused,
)
from lotus_web.domain.sign_in.passkeys import CHALLENGE_LASTS
from lotus_web.http.statuses import status_of
from lotus_web.queries.items.lookup import stored_item
from lotus_web.services.command import CommandContext
from lotus_web.services.items.actions import check_input
from lotus_web.services.sign_in.attempts import forgive, password_matches
from lotus_web.services.sign_in.ceremonies import parsed_answer, request_options
from lotus_web.services.sign_in.passkeys import credential_ids
from lotus_web.store.session import db, transaction
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import form_context, requires
from lotus_web.web.items.form import Typed, asked_action
from lotus_web.web.items.presented import digest_in
from lotus_web.web.sign_in.attempt import counted_attempt
from lotus_web.web.sign_in.challenges import Purpose, check_site, opened, seal, site_here

blueprint = Blueprint("signing", __name__)
NONCE_BYTES = 16


@blueprint.post("/inbox/<ident:workflow_id>/challenge")
@requires(Permission.RUNS_READ)
def ask(workflow_id: str) -> ResponseReturnValue:
    """Return what the browser is to ask an authenticator for, so that its person signs the decision of the form; writes nothing."""
    typed, context = Typed(request.form.to_dict()), form_context()
    try:
        site, session = check_site(), db.session()
        item = stored_item(session, context.actor.tenant_id, workflow_id)
        asked = check_input(item, asked_action(typed))
    except LotusError as why:
        return jsonify(message=page_message(why)), status_of(why)
    nonce = secrets.token_urlsafe(NONCE_BYTES)
    document = decision_document(
        replace(item, version=asked.version or item.version),
        asked.action,
        reason_code=asked.reason_code,
        text=asked.text,
        evidence_digest=digest_in(typed.fields.get("evidence", ""), workflow_id, context),
        person=context.actor.decider_id,
        nonce=nonce,
        asked_at=context.now,
    )
    known = credential_ids(session, context.actor.decider_id)
    options = request_options(site, challenge_of(document), known=known)
    return jsonify(options=options, sealed=seal(Purpose.DECIDE, nonce, asked_at=context.now))


def signing_context(actor: Actor) -> dict[str, Any]:
    """Return what the forms of an item need: which actions are signed, and whether this person can do so with a passkey here."""
    signs = partial(must_be_signed, current.policy().sign_decisions)
    with_passkey = any(map(signs, DECIDING)) and site_here() is not None
    return {
        "signs": signs,
        "by_passkey": with_passkey and bool(credential_ids(db.session(), actor.decider_id)),
    }


def signature_in(typed: Typed, action: Action, context: CommandContext) -> Signature | None:
    """Return the signature of a form, None for one without, where none is needed, or of somebody who may not do this anyway.

    Raises Conflict ``SIGNATURE_REFUSED``, and TooManyAttempts: a password is counted like one of a sign-in.
    """
    if not must_be_signed(context.policy.sign_decisions, action) or not context.actor.may(ACTIONS[action].permission):
        return None
    answer, password = typed.fields.get("answer", ""), typed.fields.get("password", "")
    if answer:
        try:
            asked = opened(typed.fields.get("sealed", ""), Purpose.DECIDE)
            found, site = parsed_answer(answer), check_site()
        except Conflict:
            raise refused() from None
        return Signature(SignedBy.PASSKEY, asked.said[0], asked.asked_at, asked.expires_at, found, site)
    return _by_password(password, context) if password else None


def _by_password(password: str, context: CommandContext) -> Signature:
    attempt = counted_attempt(context.actor.decider_id)
    if not password_matches(db.session(), name=attempt.name, password=password):
        raise refused()
    with transaction(aside=True) as store:
        forgive(store, attempt)
    at = current.utcnow()
    return Signature(SignedBy.PASSWORD, secrets.token_urlsafe(NONCE_BYTES), at, at + CHALLENGE_LASTS)
