"""Addresses that keep what the present one says and change a part of it."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import request, url_for

PAGE_PARTS = frozenset({"cursor"})


def same_page(**changes: str | None) -> str:
    """Return the address of this page with some query arguments changed, or dropped where None; paging starts over.

    A POST to a page's own address counts as that page.
    """
    assert request.endpoint is not None
    return with_query(url_for(request.endpoint, **(request.view_args or {})), **changes)


def with_query(path: str, **changes: str | None) -> str:
    """Return another path with the query of this page, changed in part."""
    kept = {name: value for name, value in request.args.items() if name not in PAGE_PARTS and value}
    arguments = {name: value for name, value in {**kept, **changes}.items() if value}
    return f"{path}?{urlencode(arguments)}" if arguments else path
