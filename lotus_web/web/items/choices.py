"""What can be done to an item by the person who looks at it, and the sentence for what cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.domain.access import REVIEWING_ROLES, Actor
from lotus_web.domain.decisions.reason_codes import ReasonCode
from lotus_web.domain.items.four_eyes import FourEyes, Parties
from lotus_web.domain.items.transitions import Action, ItemFacts, override_phrase, why_not
from lotus_web.queries.accounts.people import assignable_people
from lotus_web.queries.items.page import ItemDetail
from lotus_web.web.format.people import naming
from lotus_web.web.format.permissions import in_plain_words


class HeldItem(Protocol):
    """Whom an item is left to."""

    @property
    def assigned_account_id(self) -> str | None: ...
    @property
    def assigned_role(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class DecisionPanel:
    """For each action why it is refused, if it is; whom an item can be given to; what must be typed to override."""

    refusals: Mapping[Action, str]
    reasons: Mapping[Action, tuple[ReasonCode, ...]]
    people: tuple[str, ...]
    roles: tuple[str, ...]
    phrase: str

    def can(self, action: Action | str) -> bool:
        """Return whether the action is possible now, for this person; templates pass its word."""
        return Action(action) not in self.refusals


def waits_for_others(item: HeldItem, actor: Actor) -> bool:
    """Return whether an item is left to a role that the actor does not have: rows do not offer it to them."""
    role = item.assigned_role
    return item.assigned_account_id is None and role is not None and role not in actor.roles


def refusals(item: ItemFacts, actor: Actor) -> dict[Action, str]:
    """Return the sentence that the rules raise for each action that they would refuse."""
    sentences = {action: why_not(item, actor, action) for action in Action}
    return {action: in_plain_words(sentence) for action, sentence in sentences.items() if sentence is not None}


def decision_panel(session: Session, detail: ItemDetail, actor: Actor, four_eyes: FourEyes) -> DecisionPanel:
    """Return the panel; asks the store for people only where the actor may assign."""
    refused = refusals(detail.item.facts, actor)
    parties = Parties(detail.run.run.submitted_by if detail.run else None, detail.item.requested_by_id)
    for action in set(Action) - set(refused):
        sentence = four_eyes.refusal(action, actor, parties)
        if sentence is not None:
            refused[action] = sentence
    assigning = Action.REASSIGN not in refused
    return DecisionPanel(
        refusals={action: naming(refused[action]) for action in Action if action in refused},
        reasons=current.settings().reason_codes,
        people=assignable_people(session, actor.tenant_id) if assigning else (),
        roles=REVIEWING_ROLES,
        phrase=override_phrase(detail.item.workflow_id),
    )
