"""Long logs and their checkpoints for tests: entries as appends make them, without what an append reads each time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.domain.events.envelope import EventType
from lotus_web.jobs import checkpoints
from lotus_web.jobs.context import JobContext
from lotus_web.models import EventLogEntry
from lotus_web.services.events.log import chained_entry, lock_tenant
from lotus_web.services.transparency.checkpoints import Signer, find_growth, store_growth
from lotus_web.store.ed25519 import SigningKey, create_key
from lotus_web.store.session import db, transaction
from tests.support.histories import NOW, POLICY, STARTED, event

ORIGIN = "lotus.example/log"


def fill(count: int, tenant_id: str = "default") -> list[EventLogEntry]:
    """Append ``count`` traces of one event each and return their rows."""
    with transaction() as session:
        return fill_in(session, count, tenant_id)


def fill_in(session: Session, count: int, tenant_id: str = "default") -> list[EventLogEntry]:
    """Do the same in the caller's transaction."""
    runtime = lock_tenant(session, tenant_id)
    rows = []
    for number in range(runtime.entry_count, runtime.entry_count + count):
        ids = dict.fromkeys(("event_id", "trace_id", "idempotency_key"), f"bulk-{tenant_id}-{number}")
        draft = event(EventType.TRACE_STARTED, STARTED, tenant_id=tenant_id, **ids)
        head = rows[-1].entry_hash if rows else runtime.head_hash
        rows.append(chained_entry(draft, trace_seq=0, prev_hash=head, defaults=POLICY.defaults, now=NOW))
    session.add_all(rows)
    session.flush()
    runtime.head_hash, runtime.last_log_seq = rows[-1].entry_hash, rows[-1].log_seq
    runtime.entry_count += count
    session.flush()
    return rows


def log_settings(folder: Path, **more: str) -> dict[str, str]:
    """Return the settings of a deployment that signs checkpoints, with a key of its own in ``folder``."""
    key = folder / "log_key"
    if not key.exists():
        create_key(key)
    return {"LOTUS_LOG_KEY_FILE": str(key), "LOTUS_LOG_ORIGIN": ORIGIN, **more}


@dataclass(frozen=True)
class SignedLog:
    """A log that is written and signed once for a module (pytest.mark.filled), with its key in a folder of its own."""

    folder: Path
    write: Callable[[Flask], None]

    def __call__(self, app: Flask) -> None:
        """Write the log of an app's store and sign it with the key of the folder."""
        app.extensions["lotus_settings"].environ.update(log_settings(self.folder))
        with app.app_context():
            self.write(app)

    def settings(self, folder: Path, **more: str) -> dict[str, str]:
        """Return the settings of a deployment on a copy of the store, with a copy of the key in ``folder``."""
        shutil.copy(self.folder / "log_key", folder)
        return log_settings(folder, **more)


def sign_with_a_new_key() -> int:
    """Sign the log of the default tenant with a key that is nowhere stored; return how many entries that covers."""
    growth = find_growth(db.session(), "default")
    assert growth is not None
    with transaction() as session:
        assert store_growth(session, growth, Signer(SigningKey(Ed25519PrivateKey.generate()), ORIGIN), now=NOW)
    return growth.size


def sign(app: Flask, minutes: int = 0) -> dict[str, Any]:
    """Run the job of checkpoints, in the app context of the caller."""
    settings: Settings = app.extensions["lotus_settings"]
    return checkpoints.sign(JobContext(settings), NOW + timedelta(minutes=minutes))
