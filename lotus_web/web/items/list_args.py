"""The filter of the inbox in an address: of the inbox itself, and of an item that was opened from it."""

from __future__ import annotations

from urllib.parse import urlencode

from lotus_web.domain.items.values import ItemStatus, Priority
from lotus_web.domain.sla.ageing import Age
from lotus_web.queries.inbox.filter import Due, InboxFilter, Tab
from lotus_web.web.shell.query_args import choice_arg, day_arg, enum_arg, text_arg


def filter_from_query() -> InboxFilter:
    """Return the filter in the address; raises InvalidInput. Open and decided items together need a day of escalation."""
    tab, escalated = enum_arg("tab", Tab), day_arg("escalated")
    return InboxFilter(
        tab=Tab.OPEN if tab is Tab.ALL and escalated is None else tab,
        status=enum_arg("status", ItemStatus),
        priority=choice_arg("priority", {priority.word: priority for priority in Priority}),
        due=enum_arg("due", Due),
        role=text_arg("role"),
        person=text_arg("person"),
        portfolio=text_arg("portfolio"),
        text=text_arg("q"),
        age=enum_arg("age", Age),
        decided=day_arg("decided"),
        escalated=escalated,
    )


def filter_query(filters: InboxFilter) -> str:
    """Return the query string of a filter, the same for equal filters; empty for no filter."""
    named = {
        "tab": filters.tab,
        "status": filters.status,
        "priority": filters.priority.word if filters.priority is not None else None,
        "due": filters.due,
        "role": filters.role,
        "person": filters.person,
        "portfolio": filters.portfolio,
        "q": filters.text,
        "age": filters.age,
        "decided": filters.decided,
        "escalated": filters.escalated,
    }
    return urlencode({name: str(value) for name, value in named.items() if value is not None})
