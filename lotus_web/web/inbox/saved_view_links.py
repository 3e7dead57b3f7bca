"""Saved views in the inbox: links, the forms that change them, and errors of the last form."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor
from lotus_web.domain.free_text import without_untaken
from lotus_web.domain.inbox import MOST, NAME_MAX, TOO_MANY_VIEWS
from lotus_web.queries.inbox.filter import InboxFilter
from lotus_web.queries.inbox.saved_views import saved_views
from lotus_web.web.guard.drafts import draft_for
from lotus_web.web.items.list_args import filter_query
from lotus_web.web.shell.links import with_query


@dataclass(frozen=True, slots=True)
class ViewRefusal:
    """The error of a form and the submitted text; ``view_id`` is None for the form that saves a new view."""

    sentence: str
    typed: str
    view_id: str | None = None


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A view with its address and its form; ``typed`` is None unless its name was being changed."""

    view_id: str
    name: str
    url: str
    act_url: str
    active: bool
    typed: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class ViewLinks:
    """All views of a person and the form for a new one; ``full`` says why there can be no more."""

    links: tuple[ViewLink, ...]
    save_url: str
    typed: str | None
    error: str | None
    full: str | None
    name_max: int = NAME_MAX

    @property
    def known(self) -> bool:
        """Whether the current filter is a saved view already."""
        return any(link.active for link in self.links)

    @property
    def changing(self) -> bool:
        """Whether the name of a view is being changed."""
        return any(link.typed is not None for link in self.links)

    @property
    def errors(self) -> list[tuple[str, str]]:
        """The errors of the forms, each with the id of its field."""
        found = [(f"{link.view_id}-name", link.error) for link in self.links if link.error]
        return [("view-name", self.error), *found] if self.error else found


def view_links(session: Session, actor: Actor, filters: InboxFilter, refused: ViewRefusal | None = None) -> ViewLinks:
    """Return the actor's views next to an inbox filtered by ``filters``; one query."""
    rows, here = saved_views(session, actor), filter_query(filters)
    tab = filters.tab.value if filters.tab else None
    links = []
    for row in rows:
        act_url, url = url_for("saved_views.alter", view_id=row.view_id), url_for("inbox.show")
        typed, error = _form(act_url, refused, row.view_id)
        url = f"{url}?{row.query}" if row.query else url
        links.append(
            ViewLink(row.view_id, row.name, url, with_query(act_url, tab=tab), row.query == here, typed, error)
        )
    save_url = url_for("saved_views.save")
    typed, error = _form(save_url, refused, None)
    full = TOO_MANY_VIEWS if len(rows) >= MOST else None
    return ViewLinks(tuple(links), with_query(save_url, tab=tab), typed, error, full)


def _form(action: str, refused: ViewRefusal | None, view_id: str | None) -> tuple[str | None, str | None]:
    """Return the text submitted in a form, now or before the session ended, and its error."""
    mine = refused if refused is not None and refused.view_id == view_id else None
    typed = mine.typed if mine else draft_for(action).get("name")
    # No page can hold the others.
    kept = without_untaken(typed) if typed is not None else None
    return kept, mine.sentence if mine else None
