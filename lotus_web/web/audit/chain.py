"""Verifying the hash chain on request, for the pages that show its state."""

from __future__ import annotations

from itertools import islice

from lotus_web.config import current
from lotus_web.domain.audit import BROKEN, INTACT
from lotus_web.domain.errors import Conflict
from lotus_web.queries.audit.chain import verify_chain
from lotus_web.queries.audit.chain_state import chain_state
from lotus_web.queries.audit.projections import verify_projections
from lotus_web.queries.transparency.verify import verify_tree
from lotus_web.services.audit.records import record_chain_check
from lotus_web.store.session import db, transaction
from lotus_web.web.format.filters import counted
from lotus_web.web.guard.access import current_actor

# A request must end within a minute; a longer chain is verified from the command line.
MOST_ENTRIES = 250_000
TOLD = 3


def too_long(entries: int) -> str | None:
    """Return why a chain of this length is not verified by a page; None if it is."""
    if entries <= MOST_ENTRIES:
        return None
    tenant_id = current_actor().tenant_id
    return f"{entries:,} entries are too many for a page: flask --app app audit verify --tenant {tenant_id}"


def verify_now() -> tuple[str, str]:
    """Verify the chain and that what is stored agrees with it, add an audit record, and return the code and sentence.

    Raises Conflict ``CHAIN_TOO_LONG``.
    """
    actor, session = current_actor(), db.session()
    refusal = too_long(chain_state(session, actor.tenant_id).entries)
    if refusal:
        raise Conflict("CHAIN_TOO_LONG", refusal)
    code, message = _verdict(actor.tenant_id)
    with transaction() as store:
        record_chain_check(store, code=code, message=message, actor=actor, now=current.utcnow())
    return code, message


def _verdict(tenant_id: str) -> tuple[str, str]:
    session = db.session()
    report = verify_chain(session, tenant_id)
    if not report.intact:
        at = "" if report.first_bad is None else f" at entry {report.first_bad}"
        return BROKEN, f"Broken{at} after {counted(report.entries, 'good entries')}: {report.why}."
    wrong = list(islice(verify_projections(session, tenant_id), TOLD))
    if wrong:
        return BROKEN, f"The chain is intact, but what is stored contradicts it: {'; '.join(wrong)}."
    tree = verify_tree(session, current.settings(), tenant_id)
    if not tree.intact:
        return BROKEN, f"The chain is intact, but it is not the log that was signed: {'; '.join(tree.wrong[:TOLD])}."
    signed = f" The last checkpoint, of {counted(tree.size, 'entries')}, holds." if tree.checkpoints else ""
    return INTACT, f"Intact: {counted(report.entries, 'entries')}, and what is stored says the same.{signed}"
