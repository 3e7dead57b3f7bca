"""What people are called on pages: the name they go by, their sign-in name beside it where two could be meant.

Records, JSON and files keep the sign-in names. A page asks the store once, whomever it names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import Flask, g
from flask_login import current_user

from lotus_web.queries.accounts.people import display_names
from lotus_web.store.session import db


@dataclass(frozen=True, slots=True)
class ShownNames:
    """Who goes by what, by sign-in name: ``short`` for those whom pages call otherwise, ``full`` with the sign-in name."""

    short: Mapping[str, str]
    full: Mapping[str, str]
    named_in_sentence: re.Pattern[str]

    @classmethod
    def of(cls, displayed: Mapping[str, str]) -> ShownNames:
        """Return what people with these names to be shown are called."""
        taken = Counter(shown.casefold() for shown in displayed.values())
        taken.update(name.casefold() for name, shown in displayed.items() if name.casefold() != shown.casefold())
        full = {name: f"{shown} ({name})" for name, shown in displayed.items() if shown != name}
        short = {name: displayed[name] if taken[displayed[name].casefold()] == 1 else full[name] for name in full}
        any_of = "|".join(re.escape(name) for name in sorted(short, key=len, reverse=True)) or "(?!)"
        # Our own sentences name someone first, or as whom something was given to, held or done by.
        place = re.compile(rf"(?:^|(?<=\bto )|(?<=\bby )|(?<=\bthrough ))(?:{any_of})(?=[\s,:;)]|\.?(?:\s|$))")
        return cls(short, full, place)


NOBODY = ShownNames.of({})


def shown_names() -> ShownNames:
    """Return the names of the people of this tenant; one query a request, none for guests."""
    if not current_user.is_authenticated:
        return NOBODY
    found: ShownNames | None = g.get("shown_names")
    if found is None:
        found = g.shown_names = ShownNames.of(display_names(db.session(), current_user.tenant_id))
    return found


def known_as(account: str) -> str:
    """Return what pages call an account: a person's name, else the account's own."""
    return shown_names().short.get(account, account)


def in_full(account: str) -> str:
    """Return the same with the sign-in name beside it, where one must be able to tell exactly who it is."""
    return shown_names().full.get(account, account)


def naming(sentence: str) -> str:
    """Return a sentence of ours, which names accounts, with the people in it as pages call them; never for words of others."""
    names = shown_names()
    return names.named_in_sentence.sub(lambda found: names.short[found[0]], sentence)


def people_options(accounts: Iterable[str]) -> list[tuple[str, str]]:
    """Return the choices of a list of people, in the order of what is shown."""
    return sorted(((one, in_full(one)) for one in accounts), key=lambda pair: (pair[1].casefold(), pair[0]))


def init_app(app: Flask) -> None:
    """Let templates name people."""
    for function in (known_as, in_full, naming, people_options):
        app.add_template_filter(function)
