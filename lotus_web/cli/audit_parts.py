"""The parts of verifying a tenant's log, which processes of their own can do at the same time.

Each part reads one moment of its own, later than the one before it or not: what is appended meanwhile is no fault to any.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import get_context
from typing import NamedTuple

from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.domain.transparency.notes import Note
from lotus_web.queries.audit.chain import ChainReport, verify_chain
from lotus_web.queries.audit.chain_state import chain_state
from lotus_web.queries.audit.projections import verify_projections
from lotus_web.queries.transparency.verify import TreeReport, verify_tree
from lotus_web.services.events.rebuild import check_batch, trace_bounds
from lotus_web.store.session import db

# A shorter log is verified before a second process has started.
WORTH_PROCESSES = 50_000
MOST_PROCESSES = 8
# So many spans of traces a process that none waits long for the last one.
SPANS = 4
# What is broken a thousand times is broken; memory must not grow with it.
MOST_TOLD = 1_000


class Span(NamedTuple):
    """The traces after one and up to another; None is the last of all."""

    after: str
    until: str | None


ALL = Span("", None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verification of one tenant found."""

    chain: ChainReport
    tree: TreeReport
    contradictions: tuple[str, ...]


def processes_for(session: Session, tenants: Sequence[str]) -> int:
    """Return how many processes are worth starting for the logs of these tenants."""
    entries = sum(chain_state(session, tenant_id).entries for tenant_id in tenants)
    return min(MOST_PROCESSES, os.cpu_count() or 1) if entries >= WORTH_PROCESSES else 1


def verdict(session: Session, tenant_id: str, kept: Sequence[Note]) -> Verdict:
    """Verify a tenant's log in this process; what is compared with a log that is broken is not compared."""
    chain = verify_chain(session, tenant_id)
    tree = verify_tree(session, current.settings(), tenant_id, kept=kept)
    wrong = islice(contradictions(session, tenant_id), MOST_TOLD) if chain.intact and tree.intact else ()
    return Verdict(chain, tree, tuple(wrong))


def verdict_of_processes(session: Session, tenant_id: str, kept: Sequence[Note], processes: int) -> Verdict:
    """Do the same in so many processes, which begin as copies of this one and open the store anew."""
    bounds = trace_bounds(session, tenant_id, processes * SPANS)
    spans = [Span(after, until) for after, until in zip(("", *bounds), (*bounds, None), strict=True)]
    # A connection must not be in two processes.
    db.session.remove()
    db.engine.dispose()
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
        chain = pool.submit(_chain, tenant_id)
        rows = pool.submit(_rows, tenant_id)
        tree = pool.submit(_tree, tenant_id, kept)
        folds = pool.map(partial(_fold, tenant_id), spans)
        found = Verdict(chain.result(), tree.result(), ())
        # At the borders of spans a trace may be told of twice.
        wrong = dict.fromkeys([*rows.result(), *(sentence for told in folds for sentence in told)])
    return Verdict(found.chain, found.tree, tuple(wrong) if found.chain.intact and found.tree.intact else ())


def contradictions(session: Session, tenant_id: str) -> Iterator[str]:
    """Yield what differs between a tenant's rows and its log, and, as ``workflow rebuild --check`` does, its inbox and a fold."""
    yield from _readable(verify_projections(session, tenant_id))
    yield from _readable(_unlike_a_fold(session, tenant_id, ALL))


def _readable(found: Iterable[str]) -> Iterator[str]:
    try:
        yield from found
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        yield f"an entry, or a row, is not written as this version writes them ({type(problem).__name__}: {problem})"


def _unlike_a_fold(session: Session, tenant_id: str, span: Span) -> Iterator[str]:
    after: str | None = span.after
    while after is not None and (span.until is None or after < span.until):
        batch = check_batch(session, tenant_id, after=after)
        yield from batch.differences
        after = batch.upto


def _chain(tenant_id: str) -> ChainReport:
    return verify_chain(db.session(), tenant_id)


def _tree(tenant_id: str, kept: Sequence[Note]) -> TreeReport:
    return verify_tree(db.session(), current.settings(), tenant_id, kept=kept)


def _rows(tenant_id: str) -> list[str]:
    return list(islice(_readable(verify_projections(db.session(), tenant_id)), MOST_TOLD))


def _fold(tenant_id: str, span: Span) -> list[str]:
    session = db.session()
    told = list(islice(_readable(_unlike_a_fold(session, tenant_id, span)), MOST_TOLD))
    session.rollback()
    return told
