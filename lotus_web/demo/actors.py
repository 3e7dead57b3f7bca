"""The people and the service account of the demo tenant, as actors."""

from __future__ import annotations

from lotus_web.demo.people import ENGINE_FEED, PEOPLE, PlannedAction
from lotus_web.domain.access import DEFAULT_TENANT, Actor, ActorType, permissions_of
from lotus_web.domain.items.actions import ACTIONS
from lotus_web.domain.items.transitions import override_phrase
from lotus_web.services.items.action_records import ReviewAction

FEED = Actor(ActorType.SERVICE_ACCOUNT, ENGINE_FEED.name, DEFAULT_TENANT, frozenset(ENGINE_FEED.permissions))
STAFF = {
    person.name: Actor(
        ActorType.PERSON, person.name, DEFAULT_TENANT, permissions_of([person.role]), frozenset({person.role})
    )
    for person in PEOPLE
}


def asked(planned: PlannedAction, workflow_id: str) -> ReviewAction:
    """Return what a planned action asks for, with the phrase that an override needs."""
    spec = ACTIONS[planned.action]
    return ReviewAction(
        action=planned.action,
        text=planned.text or None,
        reason_code=planned.reason_code if spec.reasons else None,
        assigned_account_id=planned.assigned_to,
        confirm_text=override_phrase(workflow_id) if spec.phrase else None,
    )
