"""The main navigation: one entry for each page family that the person may open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, request, url_for
from flask_login import current_user

from lotus_web.domain.access import Permission
from lotus_web.web.guard.access import access_of
from lotus_web.web.guard.features import is_open


@dataclass(frozen=True, slots=True)
class Entry:
    """A page family and its first page; ``shortcut`` is its key sequence. The icon is named after the blueprint."""

    endpoint: str
    label: str
    shortcut: str | None = None


@dataclass(frozen=True, slots=True)
class NavLink:
    """An entry as the layout shows it."""

    endpoint: str
    label: str
    url: str
    active: bool
    shortcut: str | None


ENTRIES = (
    Entry("inbox.show", "Inbox", "g i"),
    Entry("sla.show", "SLA board", "g s"),
    Entry("proposals.listing", "Proposals"),
    Entry("runs.listing", "Runs"),
    Entry("decisions.show", "Decisions"),
    Entry("lineage.show", "Lineage"),
    Entry("operations.listing", "Operations"),
    Entry("studio.show", "Studio"),
    Entry("audit.show", "Audit"),
    Entry("support.show", "Support"),
    Entry("accounts.show", "Admin"),
)
# A page belongs to the entry whose address begins like its own, or, by the first part of its address, to this one.
_BELONGS_TO = {"idempotency": "runs", "traces": "studio", "deliveries": "operations"}


def nav_links() -> list[NavLink]:
    """Return the links that the signed-in person may open, in order."""
    first = _first_part(request.path)
    family = _BELONGS_TO.get(first, first)
    urls = [(entry, url_for(entry.endpoint)) for entry in ENTRIES if _may_open(entry.endpoint)]
    return [
        NavLink(
            entry.endpoint,
            entry.label,
            url,
            _first_part(url.removeprefix(request.script_root)) == family,
            entry.shortcut,
        )
        for entry, url in urls
    ]


def _first_part(path: str) -> str:
    return path.split("/")[1]


def _may_open(endpoint: str) -> bool:
    if endpoint not in current_app.view_functions:
        return False
    if not is_open(current_app.view_functions[endpoint]):
        return False
    access = access_of(current_app, endpoint)
    return not isinstance(access, Permission) or current_user.may(access)


def navigation_context() -> dict[str, Any]:
    """Return the navigation for the layout; empty for guests."""
    return {"nav": nav_links() if current_user.is_authenticated else []}


def init_app(app: Flask) -> None:
    """Give the layout the navigation."""
    app.context_processor(navigation_context)
