"""An upgrade appends the entries of what was stored before its table was logged, once, and says so in them."""

from __future__ import annotations

from flask_migrate import downgrade, upgrade
from sqlalchemy import select, text

from lotus_web import create_app
from lotus_web.config.settings import Settings
from lotus_web.domain.decisions.gate import GateAction
from lotus_web.domain.events.envelope import GENESIS
from lotus_web.domain.events.facts import NO_TRACE, RECORDED_LATER
from lotus_web.models import EventLogEntry
from lotus_web.services.events import facts
from lotus_web.store.session import db, transaction
from tests.stores.makers import environment
from tests.support.histories import FEED, OFF, assert_provable, count, decide, record, unguarded


def test_an_upgrade_records_what_was_there_before_and_only_the_first_time(store_url: str, monkeypatch) -> None:
    app = create_app(Settings.from_environ(environment(store_url)))
    with app.app_context():
        with monkeypatch.context() as before:
            before.setattr(facts, "note_fact", lambda *_: None)
            before.setattr("lotus_web.services.runs.record.note_fact", lambda *_: None)
            with transaction() as session:
                record(session, 1, policy=OFF)
                record(session, 2)
                decide(session, 2, GateAction.REQUEST_CHANGES, actor=FEED)
        assert count("dg_event_log", "trace_id = ''") == 0
        db.session.remove()
        downgrade(revision="0024")
        upgrade()
        later = select(EventLogEntry.event_type, EventLogEntry.tags).where(EventLogEntry.trace_id == NO_TRACE)
        found = sorted((kind, tuple(tags)) for kind, tags in db.session.execute(later))
        kinds = ("ActionRecorded", "DecisionRecorded", "RunRecorded", "RunRecorded")
        assert found == [(kind, (RECORDED_LATER,)) for kind in kinds]
        assert_provable()
        with unguarded("dpm_workflow_decisions", "dpm_runs") as session:
            session.execute(text("UPDATE dpm_workflow_decisions SET comment = 'edited'"))
            session.execute(text("UPDATE dpm_runs SET status = 'READY'"))
        db.session.remove()
        downgrade(revision="0024")
        upgrade()
        assert count("dg_event_log", "trace_id = ''") == len(kinds), "an upgrade after that changes nothing"
        assert db.session.scalar(text("SELECT head_hash FROM dg_workflow_runtime")) != GENESIS
        db.session.remove()
        db.engine.dispose()
