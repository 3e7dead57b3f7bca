"""What a person is shown once, on the page that follows their form: kept with their session, readable with its id alone."""

from __future__ import annotations

from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from lotus_web.domain.credentials import secret_hash
from lotus_web.domain.sealing import seal, unseal
from lotus_web.models import PersonSession


def hand_over(session: Session, *, session_id: str, about: str, text: str) -> None:
    """Keep a text until its page is looked at; ``about`` names it and never comes again. The store holds it sealed.

    The store knows a session by the hash of its id, so what it holds is of no use to a reader of it.
    """
    kept = {"about": about, "sealed": seal(text, key=session_id, label=about)}
    session.execute(_of(session_id).values(handover=kept))


def is_waiting(session: Session, *, session_id: str, about: str) -> bool:
    """Return whether there is something to take."""
    kept = session.scalar(select(PersonSession.handover).where(PersonSession.session_hash == secret_hash(session_id)))
    return kept is not None and kept["about"] == about


def take(session: Session, *, session_id: str, about: str) -> str | None:
    """Return the text and forget it; None when it was taken before, or is another's."""
    query = select(PersonSession.handover).where(PersonSession.session_hash == secret_hash(session_id))
    kept = session.scalar(query.with_for_update())
    if kept is None or kept["about"] != about:
        return None
    session.execute(_of(session_id).values(handover=None))
    return unseal(kept["sealed"], key=session_id, label=about)


def _of(session_id: str) -> Update:
    return update(PersonSession).where(PersonSession.session_hash == secret_hash(session_id))
