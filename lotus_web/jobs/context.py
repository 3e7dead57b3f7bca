"""What a job needs of its surroundings: settings, its leadership, and whether it is time to stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from lotus_web.config.settings import Settings
from lotus_web.services.jobs.leases import Leadership, check_lead
from lotus_web.services.jobs.runs import JobStart, note_start
from lotus_web.store.session import transaction


@dataclass(slots=True)
class Progress:
    """A run of a job; ``noted`` once the store knows that it is under way."""

    start: JobStart
    noted: bool = False


@dataclass(frozen=True, slots=True)
class JobContext:
    """``lead`` is None when work is run once by hand, which needs no leadership: every unit is safe to run twice."""

    settings: Settings
    lead: Leadership | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Progress | None = None

    @contextmanager
    def unit(self) -> Iterator[Session]:
        """Open the transaction of one unit of work; raises Conflict ``LEASE_LOST`` when another process leads.

        The first of a run says that it began: a run may last for hours, and one without work need not be told.
        """
        begun = self.progress if self.progress is not None and not self.progress.noted else None
        with self.leading() as session:
            if begun is not None:
                note_start(session, begun.start)
            yield session
        if begun is not None:
            begun.noted = True

    @contextmanager
    def leading(self) -> Iterator[Session]:
        """Open a transaction that commits only while this process leads; raises Conflict ``LEASE_LOST``."""
        with transaction() as session:
            if self.lead is not None:
                check_lead(session, self.lead)
            yield session
