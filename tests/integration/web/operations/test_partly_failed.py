"""The list of operations says when one that succeeded holds scenarios that failed, at the cost of one query a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import html5lib
from flask import Flask
from sqlalchemy import event

from lotus_web.store.session import db
from tests.integration.conftest import ClientOf
from tests.integration.web.operations.test_operations import operation
from tests.support.analyses import WRONG_OPTIONS


def test_the_list_tells_of_scenarios_that_failed_in_an_operation_that_succeeded(
    app: Flask, client_of: ClientOf
) -> None:
    asked = {"fine": {"options": {}}, "good": {"options": {}}, "wrong": WRONG_OPTIONS}
    partly, wholly = operation(app, asked, inline=True), operation(app, inline=True)
    nothing = operation(app, {"wrong": WRONG_OPTIONS}, inline=True)
    told = rows(client_of("vera").get("/operations").text)
    assert "Succeeded 2 of 3 scenarios, 1 failed" in told[partly]
    assert "Succeeded 0 of 1 scenarios, 1 failed" in told[nothing]
    assert "failed" not in told[wholly]


def rows(page: str) -> dict[str, str]:
    """Return the rows of the list as text, by operation."""
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    texts = (" ".join(" ".join(row.itertext()).split()) for row in tree.iterfind(".//tr[@data-row]"))
    return {text.split()[0]: text for text in texts}


def test_the_list_asks_as_often_for_one_operation_as_for_many(app: Flask, client_of: ClientOf) -> None:
    vera = client_of("vera")
    operation(app, {"wrong": WRONG_OPTIONS}, inline=True)

    def asked() -> int:
        with queries_of(app) as sent:
            assert vera.get("/operations").status_code == 200
        return sum("dpm_operation" in statement for statement in sent)

    assert asked() == 3
    for _ in range(5):
        operation(app, {"a": WRONG_OPTIONS, "b": WRONG_OPTIONS}, inline=True)
    assert asked() == 3


@contextmanager
def queries_of(app: Flask) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    with app.app_context():
        store = db.engine
    event.listen(store, "before_cursor_execute", note)
    yield sent
    event.remove(store, "before_cursor_execute", note)
