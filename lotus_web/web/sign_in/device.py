"""The cookie of a device on which somebody has signed in before: strangers elsewhere cannot slow them down there.

It is signed and opens nothing. One device may be several people's.
"""

from __future__ import annotations

import secrets

from flask import Response, current_app, request
from itsdangerous import BadData, URLSafeSerializer

from lotus_web.domain.accounts.credentials import secret_hash

SALT = "lotus.device"
DEVICE_BYTES = 16
MOST_PEOPLE = 8
LASTS_SECONDS = 400 * 24 * 3600


def known_device(name: str) -> str | None:
    """Return the id of this device if the name has signed in on it before."""
    device, people = _read()
    return device if secret_hash(name) in people else None


def remember_device(response: Response, name: str) -> None:
    """Let the device be known for a name that has signed in."""
    device, people = _read()
    known = [secret_hash(name), *(one for one in people if one != secret_hash(name))][:MOST_PEOPLE]
    response.set_cookie(
        _cookie(),
        str(_signer().dumps([device or secrets.token_urlsafe(DEVICE_BYTES), known])),
        max_age=LASTS_SECONDS,
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        httponly=True,
        samesite="Lax",
    )


def _read() -> tuple[str | None, list[str]]:
    try:
        device, people = _signer().loads(request.cookies.get(_cookie(), ""))
    except (BadData, ValueError, TypeError):
        return None, []
    return str(device), list(people)


def _cookie() -> str:
    return str(current_app.config["SESSION_COOKIE_NAME"]).replace("session", "device")


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt=SALT)
