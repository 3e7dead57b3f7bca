"""Stores that are filled once and copied for each test: what takes seconds to write is copied in milliseconds."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from tests.stores.makers import PostgresStores, SqliteStores, environment

Stores = SqliteStores | PostgresStores
Fill = Callable[[Flask], object]


class FilledStores:
    """The stores that were filled so far, by who makes them and by what filled them."""

    def __init__(self) -> None:
        self._urls: dict[tuple[Stores, Fill], str] = {}

    def __call__(self, stores: Stores, fill: Fill) -> str:
        """Return the URL of a store that ``fill`` has filled, on which nobody is connected any more."""
        if (stores, fill) not in self._urls:
            url = stores.create()
            self._urls[stores, fill] = url
            fill_store(url, fill)
        return self._urls[stores, fill]

    def drop(self) -> None:
        """Drop them all."""
        for (stores, _), url in self._urls.items():
            stores.drop(url)
        self._urls.clear()


def fill_store(url: str, fill: Fill) -> None:
    """Let ``fill`` write through an app with the default settings, and let go of the store."""
    from lotus_web import create_app
    from lotus_web.config.settings import Settings

    app = create_app(Settings.from_environ(environment(url)))
    fill(app)
    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose()
