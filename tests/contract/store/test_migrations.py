"""The migrations lead from nothing to exactly the tables of the models, on each kind of store."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import upgrade

from lotus_web import create_app
from lotus_web.config.settings import Settings
from lotus_web.queries.health.revisions import known_revisions, newest_revisions
from lotus_web.store.session import db
from tests.stores.makers import environment


def test_there_is_one_newest_migration() -> None:
    assert len(newest_revisions()) == 1
    assert newest_revisions() < known_revisions()


def test_an_empty_store_ends_up_with_the_tables_of_the_models(bare_store_url: str) -> None:
    app = create_app(Settings.from_environ(environment(bare_store_url)))
    with app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, db.metadata) == []
        db.engine.dispose()


def test_an_upgrade_of_a_store_that_is_up_to_date_changes_nothing(bare_store_url: str) -> None:
    app = create_app(Settings.from_environ(environment(bare_store_url)))
    with app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            before = MigrationContext.configure(connection).get_current_revision()
        upgrade()
        with db.engine.connect() as connection:
            assert MigrationContext.configure(connection).get_current_revision() == before
        db.engine.dispose()
