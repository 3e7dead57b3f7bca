"""Which HTTP status answers which refusal, and when to try again, for pages and JSON alike."""

from __future__ import annotations

from lotus_web.domain.errors import (
    Conflict,
    Forbidden,
    InProgress,
    InvalidInput,
    LotusError,
    Malformed,
    NotFound,
    StoreUnavailable,
    TooManyAttempts,
    Unauthenticated,
)

STATUS: dict[type[LotusError], int] = {
    Malformed: 400,
    InvalidInput: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooManyAttempts: 429,
    StoreUnavailable: 503,
}
UNMAPPED = 500
STORE_RETRY_SECONDS = 5


def status_of(error: LotusError) -> int:
    """Return the status of the nearest mapped class of ``error``; 500 for a class that nobody mapped."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), UNMAPPED)


def retry_after(error: LotusError) -> int | None:
    """Return after how many seconds a refused request may succeed (Retry-After); None where waiting does not help."""
    if isinstance(error, (InProgress, TooManyAttempts)):
        return error.retry_after
    return STORE_RETRY_SECONDS if isinstance(error, StoreUnavailable) else None
