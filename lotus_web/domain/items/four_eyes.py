"""Four eyes: whoever submitted a run, requested a review or made the version of a proposal does not approve it (ADR 0013).

The rule compares names: the person or account that decides with the one that submitted or asked. An account that acts on
behalf of others vouches for the names that it sends. Who makes a proposal is named as well as who decides on it, so there the
rule looks at both sides: an account does not approve what it made, whomever it names, nor in its own name what it recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lotus_web.domain.access import Actor
from lotus_web.domain.errors import Forbidden
from lotus_web.domain.items.actions import ACTIONS, Action
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.subjects import SUBJECTS, Evidence
from lotus_web.domain.sentences import Account, Sentence

CODE = "four_eyes"


@dataclass(frozen=True, slots=True)
class Parties:
    """The accounts that do not approve an item: who submitted its subject (None where nobody did) and who asked for the review.

    ``submitted`` says what a submitter did, in the words of the subject. Where only the maker of the subject waits, who
    asked is None: anybody may bring someone else's proposal before a reviewer and be that reviewer (delta 37). ``recorded_by``
    is the account that sent it, in its own name or in that of the one who submitted it.
    """

    submitted_by: str | None
    requested_by: str | None
    submitted: str = "submitted it"
    only_maker_waits: bool = False
    recorded_by: str | None = None

    @classmethod
    def of(cls, item: ItemState, evidence: Evidence) -> Parties:
        """Return the parties of an item."""
        spec = SUBJECTS[item.subject]
        asked = None if spec.only_maker_waits else item.requested_by_id
        did = spec.submitted.format(version_no=evidence.version_no)
        return cls(evidence.submitted_by, asked, did, spec.only_maker_waits, evidence.recorded_by)

    def part_of(self, actor: Actor) -> tuple[str, str] | None:
        """Return under which name the one who decides took part before, and what they did then; None for someone else."""
        if self.only_maker_waits and actor.actor_id == self.submitted_by:
            return actor.actor_id, self.submitted
        did = {
            self.requested_by: "requested this review",
            self.recorded_by: "recorded it in the name of another",
            self.submitted_by: self.submitted,
        }.get(actor.decider_id)
        return None if did is None else (actor.decider_id, did)


@dataclass(frozen=True, slots=True)
class FourEyes:
    """The rule in a deployment; exempt tenants have a single reviewer, and each use of the exemption is written to the audit log.

    ``proposals`` says whether it holds for proposals, which have a setting of their own.
    """

    enabled: bool = True
    exempt_tenants: frozenset[str] = field(default_factory=frozenset)
    proposals: bool = True

    def binds(self, actor: Actor) -> bool:
        """Return whether the rule holds for the actor's tenant."""
        return self.enabled and actor.tenant_id not in self.exempt_tenants

    def binds_makers(self, actor: Actor) -> bool:
        """Return whether the rule for proposals holds for the actor's tenant."""
        return self.proposals and actor.tenant_id not in self.exempt_tenants

    def applies_to(self, action: Action, actor: Actor, parties: Parties) -> bool:
        """Return whether the one who decides, or in whose name it is done, is the one who submitted or asked."""
        enabled = self.proposals if parties.only_maker_waits else self.enabled
        if not enabled or not ACTIONS[action].four_eyes:
            return False
        return parties.part_of(actor) is not None

    def refusal(self, action: Action, actor: Actor, parties: Parties) -> Sentence | None:
        """Return the sentence that says why someone else must do this; None where the actor may."""
        if actor.tenant_id in self.exempt_tenants or not self.applies_to(action, actor, parties):
            return None
        name, did = parties.part_of(actor) or (actor.decider_id, parties.submitted)
        template = "{decider} {did}: someone else must {action} it."
        return Sentence(template, decider=Account(name), did=did, action=ACTIONS[action].verb)

    def check(self, action: Action, actor: Actor, parties: Parties) -> bool:
        """Return whether the tenant's exemption was used; raises Forbidden ``four_eyes`` where there is none."""
        sentence = self.refusal(action, actor, parties)
        if sentence is not None:
            raise Forbidden(
                CODE, sentence, details={"submitted_by": parties.submitted_by, "requested_by": parties.requested_by}
            )
        return self.applies_to(action, actor, parties)
