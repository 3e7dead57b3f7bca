"""The base class of all errors that a caller can act on, each with a stable code and a sentence.

Each surface maps a class to its own answer (HTTP status, page, exit code) in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lotus_web.domain.sentences import Sentence


class LotusError(Exception):
    """An error that a caller can act on.

    ``code`` is stable and machine-readable. ``sentence`` is what a person reads, None where the code says it all; pages
    render it with display names, ``message`` is the wording of JSON, files and the audit log. ``details`` are facts for
    programs (who, what, when, which permission). ``logged`` is True once it has been recorded.
    """

    code = "ERROR"
    logged = False

    def __init__(
        self,
        code: str | None = None,
        message: str | Sentence | None = None,
        *,
        details: Mapping[str, Any] | None = None,
    ):
        self.code = code or type(self).code
        self.sentence = Sentence.literal(message) if isinstance(message, str) else message
        self.message = str(self.sentence) if self.sentence else self.code
        self.details = dict(details or {})
        super().__init__(self.message)


class InvalidInput(LotusError):
    """The input is understood but not valid (422). ``loc`` is the path to the field, as in pydantic's errors."""

    code = "INVALID_INPUT"

    def __init__(
        self,
        code: str | None = None,
        message: str | Sentence | None = None,
        *,
        loc: tuple[str | int, ...] = ("body",),
        details: Mapping[str, Any] | None = None,
    ):
        super().__init__(code, message, details=details)
        self.loc = loc


class Malformed(InvalidInput):
    """The input cannot be parsed (400), on surfaces that tell this from input that is not valid."""


class Unauthenticated(LotusError):
    """The caller is not signed in or sent no valid token (401)."""

    code = "UNAUTHENTICATED"


class Forbidden(LotusError):
    """The caller is known but not allowed to do this (403); ``details["permission"]`` is the missing permission."""

    code = "FORBIDDEN"


class NotFound(LotusError):
    """The record does not exist, belongs to another tenant, or its feature is switched off (404)."""

    code = "NOT_FOUND"


class RunNotFound(NotFound):
    """This tenant has no run with this id, or no longer has it."""

    code = "DPM_RUN_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__(message="Run not found. It may have been purged, or the ID is incomplete.")


class Conflict(LotusError):
    """The request is valid but does not fit the present state (409)."""

    code = "CONFLICT"


class InProgress(Conflict):
    """Another caller is doing the same at this moment (409 with Retry-After, in seconds)."""

    def __init__(self, code: str, message: str | Sentence | None = None, *, retry_after: int = 1):
        super().__init__(code, message)
        self.retry_after = retry_after


class TooManyAttempts(LotusError):
    """Too many attempts in a short time (429); ``retry_after`` is in seconds."""

    code = "TOO_MANY_ATTEMPTS"

    def __init__(self, message: str | Sentence, *, retry_after: int):
        super().__init__(None, message)
        self.retry_after = retry_after


class TooManyExports(TooManyAttempts):
    """As many exports as there may be at once are being sent (429)."""

    def __init__(self, *, retry_after: int):
        super().__init__("Others are exporting at the moment. Try again in a few seconds.", retry_after=retry_after)


class StoreUnavailable(LotusError):
    """The store cannot be reached or refused the work (503)."""

    code = "DPM_STORE_UNAVAILABLE"
