"""Invalid filters: the page is shown again with its form, what was typed and what is wrong (console.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, g, make_response, request
from werkzeug.datastructures import ImmutableMultiDict

from lotus_web.domain.errors import InvalidInput
from lotus_web.web.format.sentences import page_message
from lotus_web.web.shell.htmx import is_htmx
from lotus_web.web.shell.query_args import DAY

View = TypeVar("View", bound=Callable[..., Any])
# Pages generate these; nobody types them.
NOT_TYPED = frozenset({"cursor"})


@dataclass(frozen=True, slots=True)
class InvalidFilters:
    """The query arguments, and a sentence for each that is invalid."""

    typed: Mapping[str, str]
    sentences: Mapping[str, str]

    def is_day(self, name: str) -> bool:
        """Return whether a date field can show what was typed."""
        try:
            return len(self.typed[name]) == DAY and bool(date.fromisoformat(self.typed[name]))
        except ValueError:
            return False


def redisplay_invalid_filters(view: View) -> View:
    """Answer an invalid filter with the view's own page (422), read without that filter; templates leave the list out."""

    @wraps(view)
    def answer(**route: Any) -> Any:
        try:
            return view(**route)
        except InvalidInput as refused:
            return _again(view, refused, route)

    return cast(View, answer)


def _again(view: View, refused: InvalidInput, route: dict[str, Any]) -> Any:
    typed, sentences = request.args, dict[str, str]()
    # Each pass removes one argument, so this ends.
    while True:
        name = str(refused.loc[-1])
        if is_htmx() or refused.loc[0] != "query" or name in NOT_TYPED or name not in request.args:
            raise refused
        sentences[name] = page_message(refused)
        kept = [(key, value) for key, value in request.args.items(multi=True) if key != name]
        request.args = ImmutableMultiDict(kept)
        g.invalid_filters = InvalidFilters(typed, sentences)
        try:
            response = make_response(view(**route))
        except InvalidInput as another:
            refused = another
        else:
            response.status_code = 422
            return response


def invalid_filters() -> InvalidFilters | None:
    """Return the invalid filters of this request; None if all are valid."""
    found: InvalidFilters | None = g.get("invalid_filters")
    return found


def init_app(app: Flask) -> None:
    """Give templates the invalid filters."""
    app.jinja_env.globals["invalid_filters"] = invalid_filters
