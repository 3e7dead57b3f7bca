"""Signs a checkpoint of each tenant's log that has grown."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from lotus_web.domain.errors import Conflict
from lotus_web.jobs.context import JobContext
from lotus_web.services.jobs.leases import is_lead_lost
from lotus_web.services.transparency.checkpoints import (
    Signer,
    find_growth,
    growing_tenants,
    newest_notes,
    store_growth,
)
from lotus_web.store.checkpoint_files import keep
from lotus_web.store.ed25519 import read_key
from lotus_web.store.session import db
from lotus_web.telemetry.logs import log_unexpected

log = structlog.get_logger(__name__)


def sign(context: JobContext, now: datetime) -> dict[str, Any]:
    """Bring the tree of each tenant up to its log and sign it; returns how many checkpoints, and how many entries they added.

    Without a key nothing is done. A log that does not continue its last checkpoint holds up no other; then the last of
    their refusals is raised at the end, so that the run counts as failed.
    """
    path, signed, entries = context.settings.log_key_file, 0, 0
    if not path:
        return {"signed": 0, "entries": 0}
    signer = Signer(read_key(Path(path)), context.settings.log_origin)
    tenants = list(growing_tenants(db.session()))
    db.session.rollback()
    refused: Conflict | None = None
    for tenant_id in tenants:
        try:
            steps = _follow(context, tenant_id, signer, now)
        except Conflict as refusal:
            if is_lead_lost(refusal):
                raise
            log_unexpected(refusal, "checkpoint_refused", tenant=tenant_id)
            refused = refusal
            continue
        signed, entries = signed + len(steps), entries + sum(steps)
    if context.settings.checkpoint_dir:
        _keep(Path(context.settings.checkpoint_dir))
    if refused is not None:
        raise refused
    return {"signed": signed, "entries": entries}


def _keep(folder: Path) -> None:
    """Write the last checkpoint of each log to the folder; one that a crash left out is written with the next run."""
    for tenant_id, size, note in newest_notes(db.session()):
        if keep(folder, note.partition("\n")[0], size, note):
            log.info("checkpoint_kept", tenant=tenant_id, size=size)
    db.session.rollback()


def _follow(context: JobContext, tenant_id: str, signer: Signer, now: datetime) -> list[int]:
    """Sign one step after the other until the tree is as long as the log; returns the entries of each."""
    steps: list[int] = []
    while not context.stop.is_set():
        growth = find_growth(db.session(), tenant_id)
        db.session.rollback()
        if growth is None:
            break
        with context.unit() as session:
            if not store_growth(session, growth, signer, now=now):
                break
        steps.append(growth.size - growth.since)
    return steps
