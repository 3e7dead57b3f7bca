"""What holds for passkeys: the site that they are for, their names, and the sentences of refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from lotus_web.domain.errors import Conflict, InvalidInput
from lotus_web.domain.free_text import clean_line
from lotus_web.domain.sentences import Sentence

CHALLENGE_BYTES = 32
CHALLENGE_LASTS = timedelta(minutes=5)
LABEL_MAX = 64
MOST_PASSKEYS = 20
RECOVERY_CODES = 10
# To add a passkey or new codes one must have signed in this recently: a screen left open is not enough.
FRESH = timedelta(minutes=15)

REFUSED = "PASSKEY_REFUSED"
REFUSED_SENTENCE = "This passkey was not accepted. Try again, or use another one."
COUNTER = "PASSKEY_COUNTER_WENT_BACK"
COUNTER_SENTENCE = (
    "This passkey was used before in a way that only a copy of it could be. Remove it and tell an administrator."
)
NOT_FRESH = "NOT_SIGNED_IN_RECENTLY"


@dataclass(frozen=True, slots=True)
class Site:
    """The site that a passkey is for: its domain, which authenticators bind the key to, and its origin, which browsers report."""

    domain: str
    origin: str

    @classmethod
    def of(cls, url: str) -> Site:
        """Return the site of an address; raises ValueError unless it is https://, or http:// on localhost, without a path."""
        parts = urlsplit(url.rstrip("/"))
        host = parts.hostname or ""
        secure = parts.scheme == "https" or (parts.scheme == "http" and is_local(host))
        if not secure or not is_domain(host) or parts.path or parts.query or parts.fragment or parts.username:
            raise ValueError(url)
        port = "" if parts.port is None or parts.port == {"https": 443, "http": 80}[parts.scheme] else f":{parts.port}"
        return cls(host, f"{parts.scheme}://{host}{port}")


def is_local(host: str) -> bool:
    """Return whether a host is this machine by name, where browsers allow passkeys without TLS."""
    return host == "localhost" or host.endswith(".localhost")


def is_domain(host: str) -> bool:
    """Return whether a host is a name and not an IP address, for which there are no passkeys (WebAuthn §5.1.3)."""
    return bool(host) and ":" not in host and not host.rpartition(".")[2].isdigit()


def check_label(typed: str) -> str:
    """Return the name of a passkey; raises InvalidInput."""
    label = clean_line(typed, what="The name", loc=("body", "label"))
    if not 1 <= len(label) <= LABEL_MAX:
        sentence = Sentence("Enter a name of 1 to {most} characters.", most=LABEL_MAX)
        raise InvalidInput("invalid_argument", sentence, loc=("body", "label"))
    return label


def refused(code: str = REFUSED, sentence: str = REFUSED_SENTENCE) -> Conflict:
    """Return the refusal of an answer to a challenge; it does not tell what was wrong with it."""
    return Conflict(code, sentence)
