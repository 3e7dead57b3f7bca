"""What the transparency log costs: a checkpoint over 10,000 new entries, the proof of one entry, the verification of the tree."""

from __future__ import annotations

import itertools
import tempfile
import time
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from lotus_web.config.settings import Settings
from lotus_web.domain.access import DEFAULT_TENANT
from lotus_web.jobs import checkpoints
from lotus_web.jobs.context import JobContext
from lotus_web.models import EventLogEntry
from lotus_web.queries.transparency.proofs import inclusion_proof
from lotus_web.queries.transparency.verify import verify_tree
from lotus_web.store.session import db
from tests.benchmarks.measure import Call, measure
from tests.support.histories import NOW
from tests.support.logs import fill, log_settings

NEW_ENTRIES = 10_000
PROOFS = 200


def log_figures(app: Flask) -> list[str]:
    """Sign the log of the default tenant as it stands, then measure; return the figures as lines, with what they aim at."""
    with tempfile.TemporaryDirectory(prefix="lotus-bench-key-") as folder:
        settings = Settings({**app.extensions["lotus_settings"].environ, **log_settings(Path(folder))})
        started = time.perf_counter()
        before = checkpoints.sign(JobContext(settings), NOW)["entries"]
        first = time.perf_counter() - started
        fill(NEW_ENTRIES)
        started = time.perf_counter()
        added = checkpoints.sign(JobContext(settings), NOW)["entries"]
        again = time.perf_counter() - started
        assert added == NEW_ENTRIES, added
        proof = measure(_proofs(before), times=PROOFS, warm_up=5)
        started = time.perf_counter()
        report = verify_tree(db.session(), settings, DEFAULT_TENANT)
        verified = time.perf_counter() - started
        assert report.intact, report.wrong
    return [
        f"the first checkpoints of a log of {before:,} entries: {first:.1f} s",
        f"a checkpoint over {NEW_ENTRIES:,} new entries: {again:.2f} s (aim at most 1)",
        f"the proof of an entry: {proof.p50:.2f} ms, p95 {proof.p95:.2f} ms (aim at most 5)",
        f"the tree of {report.size:,} entries verified: {verified:.1f} s",
    ]


def _proofs(entries: int) -> Call:
    places = itertools.cycle(range(0, entries, max(1, entries // PROOFS)))
    query = select(EventLogEntry.event_id).where(EventLogEntry.tenant_id == DEFAULT_TENANT)
    ids = db.session.scalars(query.order_by(EventLogEntry.log_seq)).all()
    db.session.rollback()

    def call(_number: int) -> None:
        inclusion_proof(db.session(), DEFAULT_TENANT, ids[next(places)])
        db.session.rollback()

    return call
