"""Work that somebody else commits between two queries of a reader."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event

from lotus_web.store.session import db

NEVER = -1


@contextmanager
def working_after_query(app: Flask, number: int, work: Callable[[], object]) -> Iterator[list[str]]:
    """Have another connection do ``work`` after one query of this thread (from 0, or ``NEVER``); yields its queries so far."""
    reader, seen, problems = threading.get_ident(), list[str](), list[BaseException]()

    def do() -> None:
        try:
            with app.app_context():
                work()
        except BaseException as problem:  # raised in the thread of the reader
            problems.append(problem)

    def after(_: Any, __: Any, statement: str, *rest: Any) -> None:
        if threading.get_ident() != reader or not statement.lstrip().startswith("SELECT"):
            return
        seen.append(statement)
        if len(seen) == number + 1:
            other = threading.Thread(target=do)
            other.start()
            other.join()
        if problems:
            raise problems[0]

    event.listen(db.engine, "after_cursor_execute", after)
    try:
        yield seen
    finally:
        event.remove(db.engine, "after_cursor_execute", after)
