"""The people of the demo tenant, and what they did: plain data that the loader carries out through the services."""

from __future__ import annotations

from dataclasses import dataclass

from lotus_web.demo.history import history_of
from lotus_web.demo.portfolios import DemoRun
from lotus_web.demo.schedule import PORTFOLIO_COUNT
from lotus_web.demo.story import ADA, INES, LENA, NORA, TOMAS, Step, story_of
from lotus_web.domain.access import Permission, Role
from lotus_web.domain.items.actions import Action


@dataclass(frozen=True, slots=True)
class Person:
    """A demo sign-in with its role (workflow §7); the password is made at load."""

    name: str
    display_name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Service:
    """A service account with its permissions (workflow §7)."""

    name: str
    permissions: tuple[Permission, ...]


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """One action of a person on the item of one run; times are whole minutes after the run was recorded.

    ``text`` is the reason, or the note of a comment, and empty for a claim; ``reason_code`` is None where nothing is
    decided; ``assigned_to`` is set on reassign only. The phrase of an override is the loader's to type.
    """

    portfolio_id: str
    correlation_id: str
    actor: str
    action: Action
    reason_code: str | None
    text: str
    minutes_after_run: int
    assigned_to: str | None = None


PEOPLE = (
    Person(NORA, "Nora Lind", Role.REVIEWER),
    Person(TOMAS, "Tomas Roth", Role.REVIEWER),
    Person(INES, "Ines Falk", Role.MANAGER),
    Person(LENA, "Lena Hart", Role.ADVISER),
    Person(ADA, "Ada Osei", Role.ADMIN),
)
ENGINE_FEED = Service(
    "engine-feed",
    (
        Permission.RUNS_READ,
        Permission.RUNS_WRITE,
        Permission.EVENTS_WRITE,
        Permission.OPERATIONS_EXECUTE,
    ),
)


def _planned(run: DemoRun, step: Step) -> PlannedAction:
    return PlannedAction(
        portfolio_id=run.portfolio_id,
        correlation_id=run.correlation_id,
        actor=step.actor,
        action=step.action,
        reason_code=step.reason_code,
        text=step.text,
        minutes_after_run=step.minute,
        assigned_to=step.assigned_to,
    )


def actions_on(run: DemoRun) -> tuple[PlannedAction, ...]:
    """Return what was done about one run, oldest first; nothing where the run needs no review.

    The newest sixty are current work, with items in every status; every older item is closed.
    """
    if run.expected_status != "PENDING_REVIEW":
        return ()
    steps = story_of(run.index) if run.index < PORTFOLIO_COUNT else history_of(run.index, run.circumstance)
    return tuple(_planned(run, step) for step in steps)
