"""The page of one's own passkeys and recovery codes."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from lotus_web.config import current
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.domain.errors import Conflict, InvalidInput, LotusError, NotFound
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.sign_in.methods import lacks_second_factor
from lotus_web.domain.sign_in.passkeys import FRESH, LABEL_MAX, NOT_FRESH
from lotus_web.http.statuses import status_of
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.sign_in.ceremonies import parsed_answer
from lotus_web.services.sign_in.challenges import spend_challenge
from lotus_web.services.sign_in.passkeys import add_passkey, enrolment_options, passkeys_of, remove_passkey
from lotus_web.services.sign_in.recovery import codes_left, drop_codes, new_codes
from lotus_web.services.sign_in.sessions import add_second_factor
from lotus_web.store.session import db, transaction
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import signed_in
from lotus_web.web.guard.refusal_log import logging_refusals, recorded_as
from lotus_web.web.shell.htmx import page_or_fragment, see_other
from lotus_web.web.sign_in.challenges import Purpose, check_site, new_challenge, opened, seal, site_here
from lotus_web.wire.lotus_verify import fingerprint

blueprint = Blueprint("passkeys", __name__)


@blueprint.get("/account/passkeys")
@signed_in
def show() -> ResponseReturnValue:
    """Show one's passkeys, with a form for another one."""
    return render()


@blueprint.get("/account/passkeys/challenge")
@signed_in
def ask() -> ResponseReturnValue:
    """Return what the browser is to ask an authenticator for to make a passkey; nothing is stored."""
    site, challenge = check_site(), new_challenge()
    name, shown = current_user.name, current_user.display_name
    options = enrolment_options(db.session(), site, challenge, name=name, display_name=shown)
    return jsonify(options=options, sealed=seal(Purpose.ENROL, challenge.hex(), options["user"]["id"]))


@blueprint.post("/account/passkeys")
@recorded_as("change_passkeys")
@signed_in
def change() -> ResponseReturnValue:
    """Add or remove a passkey, or make new recovery codes; those are shown in the answer and never again."""
    try:
        with logging_refusals():
            said, codes = _changed(request.form.get("change", ""))
    except (Conflict, InvalidInput, NotFound) as refused:
        return render(problem=refused)
    if codes:
        return render(said=said, codes=codes)
    flash(said, "success")
    return see_other(url_for("passkeys.show"))


def _changed(what: str) -> tuple[str, list[str]]:
    """Make the change of the pressed button and return a sentence, and the new codes if there are any."""
    now, name = current.utcnow(), current_user.name
    if now - current_user.signed_in_at > FRESH:
        minutes = int(FRESH.total_seconds() // 60)
        sentence = "You signed in more than {minutes} minutes ago. Sign out, sign in, and try again."
        raise Conflict(NOT_FRESH, Sentence(sentence, minutes=minutes))
    match what:
        case "add":
            return _added()
        case "remove":
            with transaction() as store:
                lock_tenant(store, DEFAULT_TENANT)
                label = remove_passkey(store, request.form.get("passkey", ""), name=name, by=name, now=now)
                if not passkeys_of(store, name):
                    drop_codes(store, name=name)
            return f"The passkey {label} is removed.", []
        case "codes":
            with transaction() as store:
                lock_tenant(store, DEFAULT_TENANT)
                if not passkeys_of(store, name):
                    raise Conflict("NO_PASSKEY", "Recovery codes replace a passkey: add one first.")
                return "Your earlier recovery codes no longer work.", new_codes(store, name=name, now=now)
    raise InvalidInput("invalid_argument", "Choose what to change.", loc=("body", "change"))


def _added() -> tuple[str, list[str]]:
    now, name, label = current.utcnow(), current_user.name, request.form.get("label", "")
    site, answer = check_site(), parsed_answer(request.form.get("answer", ""))
    asked = opened(request.form.get("sealed", ""), Purpose.ENROL)
    with transaction() as store:
        lock_tenant(store, DEFAULT_TENANT)
        spend_challenge(store, asked.challenge, expires_at=asked.expires_at, now=now)
        row = add_passkey(
            store,
            answer,
            challenge=asked.challenge,
            site=site,
            name=name,
            handle=str(asked.said[1]),
            label=label,
            now=now,
        )
        add_second_factor(store, session_id=current_user.session_id)
        codes = [] if codes_left(store, name) else new_codes(store, name=name, now=now)
    return f"The passkey {row.label} is added.", codes


def render(*, problem: LotusError | None = None, said: str | None = None, codes: list[str] | None = None) -> Response:
    """Render the page with what was refused, or with what was done and codes to write down."""
    session, settings, now = db.session(), current.settings(), current.utcnow()
    mine = passkeys_of(session, current_user.name)
    shown: dict[str, Any] = {
        "passkeys": mine,
        "fingerprints": {one.passkey_id: fingerprint({"public_key": one.public_key}) for one in mine},
        "left": codes_left(session, current_user.name),
        "site": site_here(),
        "public_site": settings.public_site,
        "fresh": now - current_user.signed_in_at <= FRESH,
        "required": lacks_second_factor(None, current_user.roles, settings.second_factor),
        "label_max": LABEL_MAX,
        "typed_label": request.form.get("label", ""),
        "here": request.host_url.rstrip("/"),
        "port": request.host.rpartition(":")[2],
        "problem": page_message(problem) if problem else None,
        "problem_field": "label" if isinstance(problem, InvalidInput) and "label" in problem.loc else None,
        "said": said,
        "codes": codes,
        "now": now,
    }
    status = status_of(problem) if problem else 200
    return page_or_fragment("sign_in/passkeys.html", "sign_in/_passkeys.html", status, **shown)
