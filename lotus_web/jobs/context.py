"""What a job needs of its surroundings: settings, its leadership, and whether it is time to stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from lotus_web.db import transaction
from lotus_web.services.leases import Leadership, check_lead
from lotus_web.settings import Settings


@dataclass(frozen=True, slots=True)
class JobContext:
    """``lead`` is None when work is run once by hand, which needs no leadership: every unit is safe to run twice."""

    settings: Settings
    lead: Leadership | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def unit(self) -> Iterator[Session]:
        """Open the transaction of one unit of work; raises Conflict ``LEASE_LOST`` when another process leads."""
        with transaction() as session:
            if self.lead is not None:
                check_lead(session, self.lead)
            yield session
