"""Refusals of pages go to the audit log: from the guard and error pages, or by ``logging_refusals`` in a view that answers itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import request
from flask_login import current_user

from lotus_web.domain.errors import LotusError
from lotus_web.domain.surface import Surface
from lotus_web.http.refusal_log import put_request_on_record
from lotus_web.services.audit.transaction import NO_REFUSALS
from lotus_web.web.guard.access import current_actor


@contextmanager
def logging_refusals() -> Iterator[None]:
    """Log errors raised inside and raise them again, for a view that shows its form with the error."""
    try:
        yield
    except LotusError as refused:
        log_request_refusal(refused)
        raise


def log_request_refusal(refused: LotusError) -> None:
    """Add a refused write by someone signed in to the audit log; a refused read goes to the application log."""
    if isinstance(refused, NO_REFUSALS) or request.endpoint is None:
        return
    if current_user.is_authenticated:
        route = request.endpoint.replace(".", "_")
        put_request_on_record(refused, actor=current_actor(), surface=Surface.FORM, route=route)
