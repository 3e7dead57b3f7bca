"""Which keys a signature on a checkpoint is trusted from: the one of this deployment and those that it replaced."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.domain.transparency.checkpoints import origin_of
from lotus_web.domain.transparency.keys import trusted_keys
from lotus_web.domain.transparency.notes import VerifierKey
from lotus_web.models import LogKey
from lotus_web.store.ed25519 import NoSigningKey, read_public, verify


def log_keys(session: Session, settings: Settings, tenant_id: str) -> tuple[VerifierKey, ...]:
    """Return the keys of a tenant's log, newest first.

    The key comes from its file and never from the store, which may be the thing that lies. Raises NoSigningKey.
    """
    if not settings.log_key_file:
        raise NoSigningKey("LOTUS_LOG_KEY_FILE is not set")
    current = read_public(Path(settings.log_key_file))
    statements = session.scalars(select(LogKey.note).order_by(LogKey.key_seq))
    name = origin_of(settings.log_origin, tenant_id)
    return tuple(VerifierKey(name, public) for public in trusted_keys(current, statements, verify))
