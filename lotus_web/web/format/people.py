"""What people are called on pages: their display name, with the username where two people could be meant.

The audit log, JSON and files keep usernames. A page asks the store once, however many people it names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import Flask, g
from flask_login import current_user

from lotus_web.queries.accounts.people import display_names
from lotus_web.store.session import db


@dataclass(frozen=True, slots=True)
class ShownNames:
    """Names by username, for those whose display name differs: ``short`` as pages say it, ``full`` with the username."""

    short: Mapping[str, str]
    full: Mapping[str, str]

    @classmethod
    def of(cls, displayed: Mapping[str, str]) -> ShownNames:
        """Return the names of people with these display names."""
        taken = Counter(shown.casefold() for shown in displayed.values())
        taken.update(name.casefold() for name, shown in displayed.items() if name.casefold() != shown.casefold())
        full = {name: f"{shown} ({name})" for name, shown in displayed.items() if shown != name}
        short = {name: displayed[name] if taken[displayed[name].casefold()] == 1 else full[name] for name in full}
        return cls(short, full)


NO_NAMES = ShownNames.of({})


def shown_names() -> ShownNames:
    """Return the names of this tenant's people; one query a request, none for guests."""
    if not current_user.is_authenticated:
        return NO_NAMES
    found: ShownNames | None = g.get("shown_names")
    if found is None:
        found = g.shown_names = ShownNames.of(display_names(db.session(), current_user.tenant_id))
    return found


def display_name(account: str) -> str:
    """Return what pages call an account: a person's display name, or the account's own name."""
    return shown_names().short.get(account, account)


def full_name(account: str) -> str:
    """Return the display name with the username, where a page must say exactly who it is."""
    return shown_names().full.get(account, account)


def people_options(accounts: Iterable[str]) -> list[tuple[str, str]]:
    """Return the options of a list of people, sorted by what is shown."""
    return sorted(((one, full_name(one)) for one in accounts), key=lambda pair: (pair[1].casefold(), pair[0]))


def init_app(app: Flask) -> None:
    """Register the filters for templates."""
    for function in (display_name, full_name, people_options):
        app.add_template_filter(function)
