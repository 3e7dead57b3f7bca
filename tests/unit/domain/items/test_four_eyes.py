"""Who submitted or asked does not approve, under their own name or where another account names them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lotus_web.domain.access import Actor, ActorType
from lotus_web.domain.errors import Forbidden
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.four_eyes import FourEyes, Parties
from lotus_web.domain.items.subjects import SUBJECTS, Evidence, SubjectType
from tests.support.histories import ITEM

RULE = FourEyes()
PARTIES = Parties(submitted_by="pms", requested_by="rita", submitted="submitted this run")


def someone(name: str, *, on_behalf_of: str | None = None) -> Actor:
    return Actor(ActorType.SERVICE_ACCOUNT, name, "default", on_behalf_of=on_behalf_of)


@pytest.mark.parametrize(
    ("actor", "did"),
    [
        (someone("pms"), "submitted this run"),
        (someone("rita"), "requested this review"),
        (someone("bot", on_behalf_of="pms"), "submitted this run"),
        (someone("bot", on_behalf_of="rita"), "requested this review"),
    ],
)
@pytest.mark.parametrize("action", [Action.APPROVE, Action.OVERRIDE])
def test_who_stands_behind_an_item_is_refused(actor: Actor, did: str, action: Action) -> None:
    with pytest.raises(Forbidden, match=f"{actor.decider_id} {did}: someone else must {action.value} it.") as refused:
        RULE.check(action, actor, PARTIES)
    assert refused.value.code == "four_eyes"


@pytest.mark.parametrize("actor", [someone("nora"), someone("pms", on_behalf_of="nora")])
def test_someone_else_may_approve_also_one_for_whom_the_submitter_vouches(actor: Actor) -> None:
    assert RULE.check(Action.APPROVE, actor, PARTIES) is False


@pytest.mark.parametrize("action", sorted(set(Action) - {Action.APPROVE, Action.OVERRIDE}))
def test_holding_back_needs_no_second_pair_of_eyes(action: Action) -> None:
    assert RULE.check(action, someone("pms"), PARTIES) is False


def test_the_rule_can_be_switched_off() -> None:
    assert FourEyes(enabled=False).check(Action.APPROVE, someone("pms"), PARTIES) is False


def test_an_exempt_tenant_is_told_that_its_exemption_was_used() -> None:
    rule = FourEyes(exempt_tenants=frozenset({"default"}))
    assert rule.refusal(Action.APPROVE, someone("pms"), PARTIES) is None
    assert rule.check(Action.APPROVE, someone("pms"), PARTIES) is True
    assert rule.check(Action.APPROVE, someone("nora"), PARTIES) is False


def test_who_made_a_version_does_not_approve_it_but_who_only_submitted_it_may() -> None:
    item = replace(ITEM, subject_type=SUBJECTS[SubjectType.PROPOSAL].stored, requested_by_id="rita")
    parties = Parties.of(item, Evidence("sha256:artifact", "ana", 2))
    assert RULE.refusal(Action.APPROVE, someone("rita"), parties) is None
    assert str(RULE.refusal(Action.APPROVE, someone("ana"), parties)) == (
        "ana made version 2: someone else must approve it."
    )
    assert RULE.refusal(Action.REJECT, someone("ana"), parties) is None


def test_an_account_approves_no_proposal_that_it_made_or_sent_whomever_it_names() -> None:
    own = Parties("bot", None, "made version 1", only_maker_waits=True, recorded_by="bot")
    forwarded = Parties("ana", None, "made version 1", only_maker_waits=True, recorded_by="bot")
    for parties, actor, told in (
        (own, someone("bot"), "bot made version 1"),
        (own, someone("bot", on_behalf_of="nora"), "bot made version 1"),
        (own, someone("other", on_behalf_of="bot"), "bot made version 1"),
        (forwarded, someone("bot"), "bot recorded it in the name of another"),
        (forwarded, someone("ana", on_behalf_of="nora"), "ana made version 1"),
    ):
        refused = RULE.refusal(Action.APPROVE, actor, parties)
        assert str(refused) == f"{told}: someone else must approve it."
        assert RULE.refusal(Action.REJECT, actor, parties) is None
    assert RULE.refusal(Action.APPROVE, someone("bot", on_behalf_of="nora"), forwarded) is None


def test_proposals_have_a_switch_of_their_own() -> None:
    parties = Parties("ana", None, "made this version", only_maker_waits=True)
    assert FourEyes(proposals=False).refusal(Action.APPROVE, someone("ana"), parties) is None
    assert FourEyes(enabled=False).refusal(Action.APPROVE, someone("ana"), parties) is not None
    assert FourEyes(proposals=False).refusal(Action.APPROVE, someone("pms"), PARTIES) is not None
    assert FourEyes(exempt_tenants=frozenset({"default"})).check(Action.APPROVE, someone("ana"), parties) is True


def test_an_item_without_a_run_has_only_who_asked() -> None:
    alone = Parties(submitted_by=None, requested_by="rita")
    assert RULE.refusal(Action.APPROVE, someone("pms"), alone) is None
    assert RULE.refusal(Action.APPROVE, someone("rita"), alone) is not None
