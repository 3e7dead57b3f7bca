"""A filter of the inbox and the address that names it say the same."""

from __future__ import annotations

from datetime import date

from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.items.values import ItemStatus, Priority
from lotus_web.domain.sla.ageing import Age
from lotus_web.queries.inbox.filter import Due, InboxFilter, Tab
from lotus_web.web.items.list_args import filter_from_query, filter_query

APP = Flask(__name__)
WORDS = st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip).filter(bool)
DAYS = st.none() | st.dates(date(1970, 1, 3), date(9999, 12, 29))
FILTERS = st.builds(
    InboxFilter,
    tab=st.none() | st.sampled_from(Tab),
    status=st.none() | st.sampled_from(ItemStatus),
    priority=st.none() | st.sampled_from(Priority),
    due=st.none() | st.sampled_from(Due),
    role=WORDS,
    person=WORDS,
    portfolio=WORDS,
    text=WORDS,
    age=st.none() | st.sampled_from(Age),
    decided=DAYS,
    escalated=DAYS,
).filter(lambda wanted: wanted.tab is not Tab.ALL or wanted.escalated)


def read(query: str) -> InboxFilter:
    """Return the filter that an address with this query names."""
    with APP.test_request_context(f"/inbox?{query}"):
        return filter_from_query()


@given(FILTERS)
def test_a_filter_comes_back_from_its_address(wanted: InboxFilter) -> None:
    assert read(filter_query(wanted)) == wanted


def test_open_and_decided_items_together_need_a_day() -> None:
    assert read("tab=all").tab is Tab.OPEN
    assert read("tab=all&escalated=2026-01-01").tab is Tab.ALL


def test_the_same_filter_has_one_address_and_what_is_no_filter_is_left_out() -> None:
    sent = "cursor=abc&q=+late++&next=https://evil.example/&status=&priority=high&tab=open"
    assert filter_query(read(sent)) == filter_query(read("tab=open&q=late&priority=high"))
    assert filter_query(read(sent)) == "tab=open&priority=high&q=late"
    assert filter_query(InboxFilter()) == ""
