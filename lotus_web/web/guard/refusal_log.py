"""Refusals of pages go to the audit log: from the guard and error pages, or by ``logging_refusals`` in a view that answers itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from flask import current_app, request
from flask_login import current_user

from lotus_web.domain.errors import LotusError
from lotus_web.domain.surface import Surface
from lotus_web.http.refusal_log import RECORDED_AS, record_refusal_of_request
from lotus_web.services.audit.transaction import NO_REFUSALS
from lotus_web.web.guard.access import current_actor

View = TypeVar("View", bound=Callable[..., Any])


def recorded_as(action: str) -> Callable[[View], View]:
    """Mark a view with the action that the audit log stores when its form is refused, whatever its endpoint is called."""

    def mark(view: View) -> View:
        setattr(view, RECORDED_AS, action)
        return view

    return mark


def recorded_action(endpoint: str) -> str:
    """Return the action that is stored when a request to an endpoint is refused."""
    action: str = getattr(current_app.view_functions[endpoint], RECORDED_AS, endpoint.replace(".", "_"))
    return action


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
        route = recorded_action(request.endpoint)
        record_refusal_of_request(refused, actor=current_actor(), surface=Surface.FORM, route=route)
