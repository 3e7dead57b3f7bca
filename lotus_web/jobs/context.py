"""What a job is given: the settings, its leadership, and whether to stop."""

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
    """A run of a job; ``noted`` once its start is stored."""

    start: JobStart
    noted: bool = False


@dataclass(frozen=True, slots=True)
class JobContext:
    """``lead`` is None when a job is run once from the command line: every unit of work is safe to run twice."""

    settings: Settings
    lead: Leadership | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Progress | None = None

    @contextmanager
    def unit(self) -> Iterator[Session]:
        """Open the transaction of one unit of work; raises Conflict ``LEASE_LOST`` when another process leads.

        The first unit also records the start of the run: a run may last for hours, and one without work is not recorded.
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
