"""Where a command comes from."""

from __future__ import annotations

from enum import StrEnum


class Surface(StrEnum):
    """The entry point of a command; stored with actions, decisions and lines of the audit log.

    Events of other systems may name a surface of their own (workflow.md §1), so what is read back is any text.
    """

    FORM = "form"
    RFC = "rfc"
    API = "api"
    ADMIN = "admin"
    CLI = "cli"
    SLA = "sla"
    JOBS = "jobs"
    RETENTION = "retention"
    EVENT = "event"
