"""Who submitted or asked does not approve, under their own name or where another account names them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.access import Actor, ActorType
from lotus_web.domain.accounts.acting import (
    UNSHARED,
    Credential,
    credential_of,
    password_credential,
    principals_of,
    token_credential,
)
from lotus_web.domain.errors import Forbidden
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.four_eyes import FourEyes, Parties
from lotus_web.domain.items.subjects import SUBJECTS, Evidence, SubjectType
from tests.support.histories import ITEM

RULE = FourEyes()
PARTIES = Parties(submitted_by="pms", requested_by="rita", submitted="submitted this run")


NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAMES = st.sampled_from(["ada", "bot", "nora", "max"])


def someone(name: str, *, on_behalf_of: str | None = None, credential: Credential = UNSHARED) -> Actor:
    return Actor(ActorType.SERVICE_ACCOUNT, name, "default", on_behalf_of=on_behalf_of, credential=credential)


def person(name: str, credential: Credential = UNSHARED) -> Actor:
    return Actor(ActorType.PERSON, name, "default", credential=credential)


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


@pytest.mark.parametrize("actor", [someone("nora"), someone("gate", on_behalf_of="nora")])
def test_someone_else_may_approve(actor: Actor) -> None:
    assert RULE.check(Action.APPROVE, actor, PARTIES) is False


def test_the_submitter_vouches_for_nobody() -> None:
    refused = RULE.refusal(Action.APPROVE, someone("pms", on_behalf_of="nora"), PARTIES)
    assert str(refused) == "pms submitted this run: someone else must approve it."


TOKEN = token_credential("ada", ["ada"])
RESET = password_credential("nora", set_by="ada", set_at=NOW, principals=["ada", "cleo"], now=NOW + timedelta(hours=23))
ASKED = "made the token, set the password or reset the passkeys that it came with"


@pytest.mark.parametrize(
    ("behind", "actor", "told"),
    [
        # What was submitted with a token that ada made, or by somebody whose password she set.
        ({"bot", "ada"}, person("ada"), f"ada {ASKED}"),
        ({"bot", "ada"}, someone("other", credential=TOKEN), f"ada {ASKED}, and made this token"),
        (
            {"bot", "ada"},
            person("nora", RESET),
            f"ada {ASKED}, and set the password or reset the passkeys of nora in the last 24 hours",
        ),
        (
            {"ada"},
            person("nora", RESET),
            f"ada {ASKED}, and set the password or reset the passkeys of nora in the last 24 hours",
        ),
        # Whoever set the password of who set it is behind it as well.
        (
            {"cleo"},
            person("nora", RESET),
            f"cleo {ASKED}, and set the password or reset the passkeys of whoever did that",
        ),
        # The token of an account that was renewed by somebody else is still the account's.
        ({"bot", "ada"}, someone("bot", credential=token_credential("max", ["max"])), f"bot {ASKED}"),
        ({"bot", "ada"}, person("max"), None),
        ({"bot", "ada"}, someone("other", on_behalf_of="max", credential=token_credential("eve", ["eve"])), None),
    ],
)
def test_who_made_a_token_or_set_a_password_is_the_same_pair_of_eyes(
    behind: set[str], actor: Actor, told: str | None
) -> None:
    parties = Parties("pms", "pms", "submitted this run", principals=frozenset(behind))
    refused = RULE.refusal(Action.APPROVE, actor, parties)
    assert (None if refused is None else str(refused)) == (told and f"{told}: someone else must approve it.")


def test_a_password_is_shared_for_a_day_and_a_clock_that_goes_back_ends_nothing() -> None:
    def principals(hours: float, set_by: str = "ada") -> frozenset[str]:
        now = NOW + timedelta(hours=hours)
        return person(
            "nora", password_credential("nora", set_by=set_by, set_at=NOW, principals=[set_by], now=now)
        ).principals

    assert [principals(hours) for hours in (-48, 0, 23.9)] == [{"ada", "nora"}] * 3
    assert principals(24) == principals(0, set_by="nora") == principals(0, set_by="operator") == {"nora"}


def test_the_operator_is_nobody_and_so_is_who_calls_while_no_tokens_are_checked() -> None:
    assert someone("bot", credential=token_credential("operator", ["operator"])).principals == {"bot"}
    assert someone("anonymous", on_behalf_of="nora").principals == {"nora"}
    assert someone("anonymous").principals == {"anonymous"}


@given(st.frozensets(NAMES), st.frozensets(NAMES), NAMES, st.none() | NAMES)
def test_nobody_decides_who_is_behind_both_sides(
    behind: frozenset[str], ours: frozenset[str], account: str, named: str | None
) -> None:
    actor = someone(account, on_behalf_of=named, credential=Credential(principals=ours))
    parties = Parties(None, None, principals=behind)
    assert (RULE.refusal(Action.APPROVE, actor, parties) is None) == behind.isdisjoint(actor.principals)


def test_what_is_stored_of_who_acted_gives_the_same_principals_back() -> None:
    for actor in (person("nora", RESET), someone("bot", on_behalf_of="nora", credential=TOKEN)):
        acted_by = actor.acted_by
        assert principals_of(acted_by) == actor.principals
        assert credential_of(acted_by).password_set_at == actor.credential.password_set_at
        assert replace(actor, credential=credential_of(acted_by)).acted_by == acted_by


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
        (forwarded, someone("bot", on_behalf_of="nora"), "bot recorded it in the name of another"),
        (forwarded, someone("bot"), "bot recorded it in the name of another"),
        (forwarded, someone("ana", on_behalf_of="nora"), "ana made version 1"),
    ):
        refused = RULE.refusal(Action.APPROVE, actor, parties)
        assert str(refused) == f"{told}: someone else must approve it."
        assert RULE.refusal(Action.REJECT, actor, parties) is None
    assert RULE.refusal(Action.APPROVE, someone("gate", on_behalf_of="nora"), forwarded) is None


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
