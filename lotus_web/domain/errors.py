"""One base for every refusal, each with a stable code; how a class answers on the wire is mapped in one place per surface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class LotusError(Exception):
    """A refusal that a caller can act on.

    ``code`` is stable and machine-readable, ``message`` is the sentence a person reads (the same on every surface),
    ``details`` names the facts (who, what, when, which permission). ``on_record`` is set once it was written down.
    """

    code = "ERROR"
    on_record = False

    def __init__(
        self, code: str | None = None, message: str | None = None, *, details: Mapping[str, Any] | None = None
    ):
        self.code = code or type(self).code
        self.message = message or self.code
        self.details = dict(details or {})
        super().__init__(self.message)


class InvalidInput(LotusError):
    """The input is understood and wrong (422). ``loc`` names the place as the validator does."""

    code = "INVALID_INPUT"

    def __init__(
        self,
        code: str | None = None,
        message: str | None = None,
        *,
        loc: tuple[str | int, ...] = ("body",),
        details: Mapping[str, Any] | None = None,
    ):
        super().__init__(code, message, details=details)
        self.loc = loc


class Malformed(InvalidInput):
    """The input cannot be understood at all (400), where a surface tells that from input that is wrong."""


class Unauthenticated(LotusError):
    """No one is known to be asking (401)."""

    code = "UNAUTHENTICATED"


class Forbidden(LotusError):
    """Known, but not allowed (403); ``details['permission']`` names what is missing."""

    code = "FORBIDDEN"


class NotFound(LotusError):
    """Unknown here, or another tenant's, or switched off (404)."""

    code = "NOT_FOUND"


class RunNotFound(NotFound):
    """The id names no run of this tenant, or none any more."""

    code = "DPM_RUN_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__(message="There is no such run here. It may have been purged, or the id is not whole.")


class Conflict(LotusError):
    """Right in itself, but not in the state things are in now (409)."""

    code = "CONFLICT"


class InProgress(Conflict):
    """Another caller is doing the same thing at this moment (409 with Retry-After, in seconds)."""

    def __init__(self, code: str, message: str | None = None, *, retry_after: int = 1):
        super().__init__(code, message)
        self.retry_after = retry_after


class TooManyAttempts(LotusError):
    """Slow down (429); ``retry_after`` in seconds."""

    code = "TOO_MANY_ATTEMPTS"

    def __init__(self, message: str, *, retry_after: int):
        super().__init__(None, message)
        self.retry_after = retry_after


class StoreUnavailable(LotusError):
    """The store cannot be reached or refused the work (503)."""

    code = "DPM_STORE_UNAVAILABLE"
