"""What a deployment says of decisions besides the item's own rules: four eyes, and subjects that are switched off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lotus_web.domain.access import Actor
from lotus_web.domain.errors import Conflict
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.domain.items.four_eyes import FourEyes, Parties
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import Evidence, SubjectType
from lotus_web.domain.items.transitions import why_not
from lotus_web.domain.sentences import Sentence


@dataclass(frozen=True, slots=True)
class DecisionRules:
    """Both rules. While a kind of subject is switched off nothing is decided on its items; everything else goes on.

    ``switched_off`` has the sentence that says so for each such kind.
    """

    four_eyes: FourEyes = field(default_factory=FourEyes)
    switched_off: Mapping[SubjectType, Sentence] = field(default_factory=dict)

    def refusal(self, item: ItemState, evidence: Evidence, actor: Actor, action: Action) -> Sentence | None:
        """Return why the actor cannot take an action now, by the item's own rules too; None where they can."""
        return (
            why_not(item.facts, actor, action)
            or self._closed(item, action)
            or self.four_eyes.refusal(action, actor, Parties.of(item, evidence))
        )

    def check(self, item: ItemState, evidence: Evidence, actor: Actor, action: Action) -> bool:
        """Return whether an exemption from four eyes was used; raises Conflict ``invalid_transition``, Forbidden ``four_eyes``."""
        closed = self._closed(item, action)
        if closed is not None:
            raise Conflict("invalid_transition", closed, details={"status": item.status.value})
        return self.four_eyes.check(action, actor, Parties.of(item, evidence))

    def _closed(self, item: ItemState, action: Action) -> Sentence | None:
        return None if ACTIONS[action].approval is None else self.switched_off.get(item.subject)
