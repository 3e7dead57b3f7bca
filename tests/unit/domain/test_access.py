"""Roles grant what the contract's table says, and each more than the one before (workflow.md §7)."""

from __future__ import annotations

import pytest

from lotus_web.domain.access import Actor, ActorType, Permission, Role, check_permission, permissions_of
from lotus_web.domain.errors import Forbidden

P = Permission


@pytest.mark.parametrize(
    ("role", "granted"),
    [
        (Role.VIEWER, {P.RUNS_READ}),
        (Role.REVIEWER, {P.RUNS_READ, P.WORKFLOW_REVIEW, P.WORKFLOW_ESCALATE}),
        (Role.MANAGER, {P.RUNS_READ, P.WORKFLOW_REVIEW, P.WORKFLOW_ESCALATE, P.WORKFLOW_ASSIGN, P.WORKFLOW_EXPORT}),
        (Role.ADMIN, set(P) - {P.ACT_ON_BEHALF}),
    ],
)
def test_a_role_grants_exactly_its_permissions(role: Role, granted: set[Permission]) -> None:
    assert permissions_of([role]) == granted


def test_roles_add_up_and_nobody_without_a_role_may_anything() -> None:
    assert permissions_of([Role.VIEWER, Role.MANAGER]) == permissions_of([Role.MANAGER])
    assert permissions_of([]) == frozenset()


@pytest.mark.parametrize("permission", P)
def test_a_missing_permission_is_named(permission: Permission) -> None:
    nobody = Actor(ActorType.PERSON, "someone", "default")
    with pytest.raises(Forbidden) as refused:
        check_permission(nobody, permission)
    assert refused.value.details == {"permission": permission.value}
    check_permission(Actor(ActorType.PERSON, "someone", "default", frozenset({permission})), permission)


def test_a_decision_counts_for_the_person_an_account_speaks_for() -> None:
    account = Actor(ActorType.SERVICE_ACCOUNT, "portal", "default", on_behalf_of="nora.lind")
    assert account.decider_id == "nora.lind"
    assert Actor(ActorType.SERVICE_ACCOUNT, "portal", "default").decider_id == "portal"
