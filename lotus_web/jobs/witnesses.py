"""Asks each witness to sign the last checkpoint of each log."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import structlog

from lotus_web.domain.transparency.witnesses import WitnessAddress
from lotus_web.jobs.context import JobContext
from lotus_web.services.transparency.cosignatures import (
    Unsigned,
    WitnessAway,
    WitnessRefused,
    ask,
    store_cosignature,
    unsigned_checkpoints,
)
from lotus_web.store.session import db

log = structlog.get_logger(__name__)


def ask_all(context: JobContext, _now: datetime) -> dict[str, Any]:
    """Ask for every signature that is missing, each with no transaction open.

    Returns how many were given and how many witnesses were away. A witness that refuses raises WitnessRefused at the end, so
    that the run counts as failed: it has seen another log than this one.
    """
    given: Counter[str] = Counter()
    refusal: WitnessRefused | None = None
    for witness in context.settings.witnesses:
        unsigned = unsigned_checkpoints(db.session(), witness)
        db.session.rollback()
        for one in unsigned:
            if context.stop.is_set():
                break
            try:
                _ask(context, witness, one)
                given["signed"] += 1
            except WitnessAway as problem:
                log.warning("witness_away", witness=witness.key.name, tenant=one.tenant_id, error=str(problem))
                given["away"] += 1
            except WitnessRefused as problem:
                log.error("witness_refused", witness=witness.key.name, tenant=one.tenant_id, says=str(problem))
                refusal = WitnessRefused(f"{witness.key.name} did not sign the log of {one.tenant_id}: {problem}")
    if refusal is not None:
        raise refusal
    return {"signed": given["signed"], "away": given["away"]}


def _ask(context: JobContext, witness: WitnessAddress, unsigned: Unsigned) -> None:
    try:
        signature = ask(db.session(), witness, unsigned)
    finally:
        db.session.rollback()
    with context.unit() as session:
        store_cosignature(session, witness, unsigned, signature)
