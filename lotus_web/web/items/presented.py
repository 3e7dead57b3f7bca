"""The evidence that a form carries: which document its page showed, to whom and when, sealed so that nobody else can write it."""

from __future__ import annotations

from datetime import datetime

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.domain.access import Actor
from lotus_web.domain.items.evidence import Presented
from lotus_web.domain.items.precedents import Precedents
from lotus_web.queries.items.evidence import presented, shown_evidence
from lotus_web.queries.items.page import ItemDetail
from lotus_web.services.command import CommandContext

SALT = "lotus.evidence"


def _sealer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt=SALT)


def seal_of(detail: ItemDetail, precedents: Precedents, actor: Actor, now: datetime) -> str:
    """Return what the forms of an item's page carry of the document that the page shows."""
    shown = shown_evidence(detail.item, detail.evidence, detail.about, precedents)
    about = [detail.item.workflow_id, actor.tenant_id, actor.actor_id]
    return str(_sealer().dumps([*about, shown.digest, now.isoformat()]))


def digest_in(seal: str, workflow_id: str, context: CommandContext) -> str | None:
    """Return the digest of what the page of a form presented; None for a form without a seal of this page and person."""
    opened = _opened(seal, workflow_id, context)
    return opened[0] if opened else None


def _opened(seal: str, workflow_id: str, context: CommandContext) -> tuple[str, datetime] | None:
    actor = context.actor
    try:
        *about, digest, opened = _sealer().loads(seal)
        opened_at = datetime.fromisoformat(opened)
    except (BadData, ValueError, TypeError):
        return None
    return (digest, opened_at) if about == [workflow_id, actor.tenant_id, actor.actor_id] else None


def presented_in(seal: str, session: Session, workflow_id: str, context: CommandContext) -> Presented | None:
    """Return what the page of a form presented; None for a form without a seal, or with one that is not of this page and person."""
    opened = _opened(seal, workflow_id, context)
    if opened is None:
        return None
    digest, opened_at = opened
    return presented(
        session,
        context.actor.tenant_id,
        workflow_id,
        digest,
        opened_at=opened_at,
        seconds_open=max(0, int((context.now - opened_at).total_seconds())),
        codes=current.settings().reason_codes,
    )
