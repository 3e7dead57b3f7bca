"""Who may do what: permissions, the roles of people, and the actor that every write names (workflow.md §7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lotus_web.domain.accounts.acting import ANONYMOUS, UNSHARED, Credential, principals_behind
from lotus_web.domain.accounts.acting import OPERATOR as OPERATOR
from lotus_web.domain.errors import Forbidden
from lotus_web.domain.sentences import Sentence

DEFAULT_TENANT = "default"


class Permission(StrEnum):
    """One thing that someone may do."""

    RUNS_READ = "runs_read"
    RUNS_WRITE = "runs_write"
    WORKFLOW_REVIEW = "workflow_review"
    WORKFLOW_ASSIGN = "workflow_assign"
    WORKFLOW_ESCALATE = "workflow_escalate"
    WORKFLOW_OVERRIDE = "workflow_override"
    WORKFLOW_EXPORT = "workflow_export"
    EVENTS_WRITE = "events_write"
    PROPOSALS_WRITE = "proposals_write"
    OPERATIONS_EXECUTE = "operations_execute"
    ACT_ON_BEHALF = "act_on_behalf"
    ADMIN = "admin"


class Role(StrEnum):
    """What a person is in one tenant."""

    VIEWER = "viewer"
    ADVISER = "adviser"
    REVIEWER = "reviewer"
    MANAGER = "manager"
    ADMIN = "admin"


_VIEWER = frozenset({Permission.RUNS_READ})
_ADVISER = _VIEWER | {Permission.PROPOSALS_WRITE}
_REVIEWER = _VIEWER | {Permission.WORKFLOW_REVIEW, Permission.WORKFLOW_ESCALATE}
_MANAGER = _REVIEWER | {Permission.WORKFLOW_ASSIGN, Permission.WORKFLOW_EXPORT}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.ADVISER: _ADVISER,
    Role.REVIEWER: _REVIEWER,
    Role.MANAGER: _MANAGER,
    Role.ADMIN: frozenset(Permission) - {Permission.ACT_ON_BEHALF},
}


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """Return everything that a person with these roles may do."""
    return frozenset().union(*(ROLE_PERMISSIONS[role] for role in roles))


# The roles that work can be assigned to; nobody has any other.
REVIEWING_ROLES = tuple(role.value for role in Role if Permission.WORKFLOW_REVIEW in ROLE_PERMISSIONS[role])


class ActorType(StrEnum):
    """What kind of account acts."""

    PERSON = "person"
    SERVICE_ACCOUNT = "service_account"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which tenant, with what rights; ``on_behalf_of`` is the person a service account speaks for,
    ``token_id`` the bearer token it came with, ``credential`` who else is behind that, or behind a password."""

    actor_type: ActorType
    actor_id: str
    tenant_id: str
    permissions: frozenset[Permission] = frozenset()
    roles: frozenset[Role] = frozenset()
    on_behalf_of: str | None = None
    token_id: str | None = None
    credential: Credential = UNSHARED

    def may(self, permission: Permission) -> bool:
        """Return whether the actor holds ``permission``."""
        return permission in self.permissions

    @property
    def decider_id(self) -> str:
        """The account that a decision is attributed to."""
        return self.on_behalf_of or self.actor_id

    @property
    def principals(self) -> frozenset[str]:
        """Everyone who counts as acting: the account, whom it names, and who is behind its token or password.

        Where no tokens are checked, the account is nobody: it stands back behind the name that it sends.
        """
        named = frozenset({self.decider_id})
        unknown = self.actor_id == ANONYMOUS and self.on_behalf_of is not None
        return named if unknown else named | principals_behind(self.actor_id, self.credential)

    @property
    def acted_by(self) -> dict[str, Any]:
        """What is stored of who acts, for good: members that are not known are left out."""
        credential = self.credential
        said = {
            "account": self.actor_id,
            "actor_type": self.actor_type.value,
            "on_behalf_of": self.on_behalf_of,
            "token_id": self.token_id,
            "token_made_by": credential.token_made_by,
            "password_set_by": credential.password_set_by,
            "password_set_at": credential.password_set_at and credential.password_set_at.isoformat(),
        }
        return {key: value for key, value in said.items() if value is not None} | {
            "principals": sorted(self.principals)
        }


LOST_MEANWHILE = "Your rights changed while this waited for its turn."


def operator(tenant_id: str) -> Actor:
    """Return the actor of the command line: access to the shell is their sign-in, and they may work in every tenant."""
    return Actor(ActorType.SYSTEM, OPERATOR, tenant_id, frozenset({Permission.ADMIN}))


def missing_permission(*permissions: str) -> Sentence:
    """Return the sentence that says which permissions are missing."""
    named = "permissions" if len(permissions) > 1 else "permission"
    return Sentence("This needs the {named} {permissions}.", named=named, permissions=permissions)


def check_permission(actor: Actor, permission: Permission) -> None:
    """Raise Forbidden, naming what is missing, unless the actor holds ``permission``."""
    if not actor.may(permission):
        raise forbidden(permission)


def check_still_held(actor: Actor, held: frozenset[Permission]) -> None:
    """Raise Forbidden if the actor came with a permission that is not among those ``held`` by now."""
    lost = sorted(actor.permissions - held)
    if lost:
        raise Forbidden(message=LOST_MEANWHILE, details={"permission": lost[0].value})


def forbidden(permission: Permission) -> Forbidden:
    """Return the error that a caller without ``permission`` gets."""
    return Forbidden(message=missing_permission(permission), details={"permission": permission.value})
