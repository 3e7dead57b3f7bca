"""Challenges of passkeys: each is sealed for what it is for, for this browser or session, and until when it may be answered."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, request, session
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadData, URLSafeSerializer

from lotus_web.config import current
from lotus_web.domain.accounts.credentials import secret_hash
from lotus_web.domain.sign_in.passkeys import CHALLENGE_BYTES, CHALLENGE_LASTS, Site, is_local, refused

SALT = "lotus.challenge"


class Purpose(StrEnum):
    """What a challenge is for: an answer to one is none to another."""

    SIGN_IN = "sign_in"
    SECOND = "second"
    ENROL = "enrol"
    DECIDE = "decide"


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was sealed, and until when it may be used."""

    said: list[Any]
    asked_at: datetime

    @property
    def expires_at(self) -> datetime:
        """The end of the time in which it may be answered."""
        return self.asked_at + CHALLENGE_LASTS

    @property
    def challenge(self) -> bytes:
        """The challenge, where that is what was sealed first."""
        return bytes.fromhex(self.said[0])


def site_here() -> Site | None:
    """Return the site of the settings, where it is called by its name; in development else localhost, as it is called.

    None where passkeys cannot be used: a browser uses them at the name alone that they are bound to.
    """
    settings, host = current.settings(), urlsplit(request.host_url).hostname or ""
    if settings.public_site is not None:
        return settings.public_site if settings.public_site.domain == host else None
    return Site.of(request.host_url) if is_local(host) and not settings.production else None


def init_app(app: Flask) -> None:
    """Give templates the site."""
    app.jinja_env.globals["passkey_site"] = site_here


def check_site() -> Site:
    """Return the site; raises Conflict where passkeys cannot be used."""
    site = site_here()
    if site is None:
        raise refused("NO_PASSKEYS_HERE", "Passkeys cannot be used at this address.")
    return site


def new_challenge() -> bytes:
    """Return a challenge that nobody can foresee."""
    return secrets.token_bytes(CHALLENGE_BYTES)


def seal(purpose: Purpose, *said: Any, asked_at: datetime | None = None) -> str:
    """Return values sealed for a purpose, for this session or else for this browser, as of now."""
    at = asked_at or current.utcnow()
    return str(_sealer().dumps([purpose.value, _holder(), at.isoformat(), *said]))


def opened(text: str, purpose: Purpose) -> Sealed:
    """Return what was sealed for this purpose here; raises Conflict for anything else and for what has expired."""
    try:
        for_what, holder, asked, *said = _sealer().loads(text)
        found = Sealed(said, datetime.fromisoformat(asked))
    except (BadData, ValueError, TypeError):
        raise refused() from None
    if (for_what, holder) != (purpose.value, _holder()) or current.utcnow() >= found.expires_at:
        raise refused()
    return found


def _sealer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt=SALT)


def _holder() -> str:
    """Return what tells this session, or the browser of a guest, from all others: the secret in its cookie, hashed."""
    if current_user.is_authenticated:
        return secret_hash(current_user.session_id)
    generate_csrf()
    return secret_hash(str(session.get("csrf_token")))
