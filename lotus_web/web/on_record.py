"""What people were refused goes on record: by the guard and the error pages for every page, by ``tried`` where a view answers itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from flask import current_app, request
from flask_login import current_user

from lotus_web.domain.errors import LotusError
from lotus_web.refused_requests import LOOKING, put_request_on_record
from lotus_web.services.failures import NO_REFUSALS
from lotus_web.web.access import current_actor

View = TypeVar("View", bound=Callable[..., Any])
MARK = "lotus_export"


def exports(view: View) -> View:
    """Mark a view that hands a file of the record out: being refused it goes on record, as being refused a write does."""
    setattr(view, MARK, True)
    return view


@contextmanager
def tried() -> Iterator[None]:
    """Put what is refused inside on record and raise it again, for a view that shows its form with the refusal."""
    try:
        yield
    except LotusError as refused:
        keep_refusal(refused)
        raise


def keep_refusal(refused: LotusError) -> None:
    """Put a refusal of this request on record, if it is one, of a write or an export, to someone who is signed in."""
    if isinstance(refused, NO_REFUSALS) or request.endpoint is None:
        return
    if request.method in LOOKING and not hasattr(current_app.view_functions[request.endpoint], MARK):
        return
    if current_user.is_authenticated:
        route = request.endpoint.replace(".", "_")
        put_request_on_record(refused, actor=current_actor(), surface="form", route=route)
