"""What the person looking at an item can do with it, the reason for what they cannot, and when a claim expires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from flask import Flask
from sqlalchemy.orm import Session

from lotus_web.config import current
from lotus_web.domain.access import REVIEWING_ROLES, Actor
from lotus_web.domain.decisions.reason_codes import ReasonCode
from lotus_web.domain.items.actions import ACTIONS, DECIDING, OFFERED, Action, Hold, action_keys, forms_of
from lotus_web.domain.items.decision_rules import DecisionRules
from lotus_web.domain.items.transitions import ItemFacts, override_phrase, why_not
from lotus_web.domain.sentences import Sentence
from lotus_web.queries.accounts.people import assignable_people
from lotus_web.queries.items.page import ItemDetail
from lotus_web.web.format.sentences import page_text


class HeldItem(Protocol):
    """Who holds an item, or which role it waits for."""

    @property
    def assigned_account_id(self) -> str | None: ...
    @property
    def assigned_role(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class DecisionPanel:
    """Why each refused action is refused, the reasons to choose from, who an item can be assigned to, and the phrase to confirm."""

    refusals: Mapping[Action, str]
    reasons: Mapping[Action, tuple[ReasonCode, ...]]
    people: tuple[str, ...]
    roles: tuple[str, ...]
    phrase: str

    @property
    def decides(self) -> bool:
        """Whether this person can take any decision now."""
        return any(self.can(action) for action in DECIDING)

    def can(self, action: Action | str) -> bool:
        """Return whether this person can take the action now; templates pass its name."""
        return Action(action) not in self.refusals


def waits_for_others(item: HeldItem, actor: Actor) -> bool:
    """Return whether an item waits for a role that the actor does not have: the inbox does not offer it to them."""
    role = item.assigned_role
    return item.assigned_account_id is None and role is not None and role not in actor.roles


def refusals(item: ItemFacts, actor: Actor) -> dict[Action, Sentence]:
    """Return the sentence of the refusal for each action that the rules refuse."""
    sentences = {action: why_not(item, actor, action) for action in OFFERED}
    return {action: sentence for action, sentence in sentences.items() if sentence is not None}


def decision_panel(session: Session, detail: ItemDetail, actor: Actor, rules: DecisionRules) -> DecisionPanel:
    """Return the panel; people are only queried where the actor may assign."""
    sentences = {action: rules.refusal(detail.item, detail.evidence, actor, action) for action in OFFERED}
    refused = {action: sentence for action, sentence in sentences.items() if sentence is not None}
    assigning = any(spec.hold is Hold.REASSIGN for action, spec in ACTIONS.items() if action not in refused)
    return DecisionPanel(
        refusals={action: page_text(sentence) for action, sentence in refused.items()},
        reasons=current.settings().reason_codes,
        people=assignable_people(session, actor.tenant_id) if assigning else (),
        roles=REVIEWING_ROLES,
        phrase=override_phrase(detail.item.workflow_id),
    )


def claim_end(claimed_at: datetime) -> datetime:
    """Return when a claim expires unless its holder acts; each of their actions renews it (services/items/claims.py)."""
    return claimed_at + timedelta(minutes=current.settings().claim_minutes)


def action_mark(kind: str) -> tuple[str, str] | None:
    """Return the tone and the icon of an action, None for what is none."""
    form = ACTIONS[Action(kind)].form if kind in set(Action) else None
    return (form.tone, form.icon) if form else None


def init_app(app: Flask) -> None:
    """Give templates the table of actions."""
    gate_marks = {
        spec.gate.value: (spec.form.tone, spec.form.icon, spec.past) for spec in ACTIONS.values() if spec.gate
    }
    app.jinja_env.globals.update(
        ACTIONS=ACTIONS, forms_of=forms_of, action_keys=action_keys, action_mark=action_mark, gate_marks=gate_marks
    )
    app.add_template_filter(claim_end)
