"""Four eyes: whoever submitted a run, requested a review or made the version of a proposal does not approve it (ADR 0013, 0025).

The rule compares who really acted. The account of a token, whoever made that token, the person that it names, and whoever set
someone's password or reset their passkeys in the last 24 hours are one pair of eyes: where any of them is behind both sides, somebody else decides.
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
    is the account that sent it, in its own name or in that of the one who submitted it; ``principals`` is everyone behind it.
    """

    submitted_by: str | None
    requested_by: str | None
    submitted: str = "submitted it"
    only_maker_waits: bool = False
    recorded_by: str | None = None
    principals: frozenset[str] = frozenset()

    @classmethod
    def of(cls, item: ItemState, evidence: Evidence) -> Parties:
        """Return the parties of an item."""
        spec = SUBJECTS[item.subject]
        asked = None if spec.only_maker_waits else item.requested_by_id
        did = spec.submitted.format(version_no=evidence.version_no)
        return cls(evidence.submitted_by, asked, did, spec.only_maker_waits, evidence.recorded_by, evidence.principals)

    def shared_with(self, actor: Actor) -> str | None:
        """Return who is behind both the decision and what it is about; None where nobody is.

        Whoever decides comes first, then the account that sends it, then who is behind that.
        """
        ours = frozenset({self.submitted_by, self.requested_by, self.recorded_by}) | self.principals
        names = dict.fromkeys((actor.decider_id, actor.actor_id, *sorted(actor.principals)))
        return next((name for name in names if name in ours and name in actor.principals), None)

    def did(self, name: str) -> str:
        """Return what somebody who is behind the subject did, to follow their name."""
        direct = {
            self.recorded_by: "recorded it in the name of another",
            self.requested_by: "requested this review",
            self.submitted_by: self.submitted,
        }
        return direct.get(name, "made the token, set the password or reset the passkeys that it came with")


def _same_eyes(name: str, actor: Actor, parties: Parties, action: Action) -> Sentence:
    """Return the sentence that says why someone else must do this."""
    verb = ACTIONS[action].verb
    if name in (actor.decider_id, actor.actor_id):
        template = "{decider} {did}: someone else must {action} it."
        return Sentence(template, decider=Account(name), did=parties.did(name), action=verb)
    if name == actor.credential.token_made_by:
        holds = Sentence.literal("made this token")
    elif name == actor.credential.password_set_by:
        holds = Sentence(
            "set the password or reset the passkeys of {decider} in the last 24 hours",
            decider=Account(actor.decider_id),
        )
    else:
        holds = Sentence.literal("set the password or reset the passkeys of whoever did that")
    template = "{name} {did}, and {holds}: someone else must {action} it."
    return Sentence(template, name=Account(name), did=parties.did(name), holds=holds, action=verb)


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
        """Return whether anybody behind the decision is behind what was submitted or asked as well."""
        enabled = self.proposals if parties.only_maker_waits else self.enabled
        if not enabled or not ACTIONS[action].four_eyes:
            return False
        return parties.shared_with(actor) is not None

    def refusal(self, action: Action, actor: Actor, parties: Parties) -> Sentence | None:
        """Return the sentence that says why someone else must do this; None where the actor may."""
        if actor.tenant_id in self.exempt_tenants or not self.applies_to(action, actor, parties):
            return None
        return _same_eyes(parties.shared_with(actor) or actor.decider_id, actor, parties, action)

    def check(self, action: Action, actor: Actor, parties: Parties) -> bool:
        """Return whether the tenant's exemption was used; raises Forbidden ``four_eyes`` where there is none."""
        sentence = self.refusal(action, actor, parties)
        if sentence is not None:
            raise Forbidden(
                CODE, sentence, details={"submitted_by": parties.submitted_by, "requested_by": parties.requested_by}
            )
        return self.applies_to(action, actor, parties)
