"""The settings of sign-in and of signed decisions; part of ``Settings``, which lists and reads them."""

from __future__ import annotations

from lotus_web.config.setting_types import Setting, choice, names
from lotus_web.domain.items.signing import SignDecisions
from lotus_web.domain.sign_in.methods import REQUIRABLE
from lotus_web.domain.sign_in.passkeys import Site


class SignInSettings:
    """Where people reach the site, who needs a second factor, and which decisions are signed."""

    public_site = Setting[Site | None](
        "LOTUS_PUBLIC_URL",
        None,
        Site.of,
        "https:// and a name, or http://localhost:8000; no path",
        "where people reach the site; passkeys are bound to its name (in development: localhost, as it is called)",
    )
    second_factor = names(
        "LOTUS_SECOND_FACTOR",
        (),
        REQUIRABLE,
        "who must use a passkey: roles, or everyone; who has none yet adds one before anything else",
    )
    sign_decisions = choice(
        "LOTUS_SIGN_DECISIONS",
        SignDecisions.OFF.value,
        tuple(one.value for one in SignDecisions),
        "which decisions their person signs with a passkey, or with the password again; programs cannot",
    )
