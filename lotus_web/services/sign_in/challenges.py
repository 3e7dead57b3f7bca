"""Answers to challenges count once."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from lotus_web.domain.sign_in.passkeys import refused
from lotus_web.models import AnsweredChallenge
from lotus_web.store.upserts import insert_into


def spend_challenge(session: Session, challenge: bytes, *, expires_at: datetime, now: datetime) -> None:
    """Note that a challenge is answered; raises Conflict where it was before, or has expired.

    Of two answers at once the second waits for the first, in the primary key.
    """
    if now >= expires_at:
        raise refused()
    values = {"challenge_hash": hashlib.sha256(challenge).hexdigest(), "expires_at": expires_at}
    added = insert_into(session, AnsweredChallenge).values(values).on_conflict_do_nothing()
    if session.execute(added.returning(AnsweredChallenge.challenge_hash)).one_or_none() is None:
        raise refused()
