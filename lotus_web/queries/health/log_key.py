"""Whether checkpoints of the log are signed, and whether the last one of each tenant holds: a part of the doctor."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.domain.transparency.notes import encode
from lotus_web.models import LogKey, TenantRuntime
from lotus_web.queries.transparency.state import CheckpointState, checkpoint_state
from lotus_web.store.ed25519 import NoSigningKey, read_public


def key_problem(session: Session, settings: Settings) -> str | None:
    """Return why no checkpoint is signed, or cannot be verified; None where a key is in use."""
    if not settings.log_key_file:
        return (
            "LOTUS_LOG_KEY_FILE is not set: no checkpoint is signed, and a log that was rewritten whole is not found."
        )
    try:
        public = read_public(Path(settings.log_key_file))
    except NoSigningKey as problem:
        return f"{problem}."
    newest = session.scalars(select(LogKey).order_by(LogKey.key_seq.desc()).limit(1)).one_or_none()
    if newest is not None and newest.public_key != encode(public):
        return "The key in LOTUS_LOG_KEY_FILE is not the one that signed the last checkpoints."
    return None


def checkpoint_states(session: Session, settings: Settings) -> list[tuple[str, CheckpointState]]:
    """Return the state of the last checkpoint of each tenant that has one."""
    found = []
    for tenant_id in session.scalars(select(TenantRuntime.tenant_id).order_by(TenantRuntime.tenant_id)).all():
        state = checkpoint_state(session, settings, tenant_id)
        if state is not None:
            found.append((tenant_id, state))
    return found
