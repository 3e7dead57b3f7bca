"""People and their roles. Disabling a person and resetting a password end all sessions of that person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lotus_web.domain.access import Actor, Role
from lotus_web.domain.accounts.names import check_account_name, check_tenant_id
from lotus_web.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from lotus_web.domain.free_text import clean_line
from lotus_web.domain.sentences import Account, Sentence
from lotus_web.models import Person, PersonRole, ServiceAccount
from lotus_web.services.sign_in.passwords import NewPassword
from lotus_web.services.sign_in.sessions import close_sessions_of

DISPLAY_NAME_MAX = 128


def create_person(
    session: Session,
    *,
    name: str,
    password: NewPassword,
    role: Role,
    tenant_id: str,
    now: datetime,
    display_name: str | None = None,
    by: Actor | None = None,
) -> Person:
    """Create a person with a first role; ``by`` chose their password. Raises InvalidInput, or Conflict ``NAME_TAKEN``
    (people and accounts share their names)."""
    check_account_name(name)
    if session.get(Person, name) is not None or session.get(ServiceAccount, name) is not None:
        raise Conflict("NAME_TAKEN", Sentence("The name {name} is taken.", name=name))
    shown = _shown_name(display_name or name)
    person = Person(name=name, display_name=shown, password_hash=password.digest, created_at=now)
    _remember_who_set_it(person, by, now)
    session.add(person)
    try:
        session.flush()
    except IntegrityError as raced:
        raise Conflict("NAME_TAKEN", Sentence("The name {name} is taken.", name=name)) from raced
    give_role(session, name=name, role=role, tenant_id=tenant_id, now=now)
    return person


def _shown_name(typed: str) -> str:
    at = ("body", "display_name")
    shown = clean_line(typed, what="The name", loc=at)
    if not 1 <= len(shown) <= DISPLAY_NAME_MAX:
        raise InvalidInput(
            "value_error",
            Sentence("display name must be 1 to {most} visible characters", most=DISPLAY_NAME_MAX),
            loc=at,
        )
    return shown


def check_may_be_named(session: Session, actor: Actor, name: str) -> None:
    """Raise Forbidden ``ACTOR_MISMATCH`` unless ``name`` is an enabled person of the actor's tenant: decisions name people.

    Where no tokens are checked, the people of a client are not known here; then only who is disabled is refused.
    """
    here = select(PersonRole.name).where(PersonRole.name == name, PersonRole.tenant_id == actor.tenant_id).limit(1)
    person = session.get(Person, name, populate_existing=True)
    known = person is not None and (session.scalar(here) is not None or actor.token_id is None)
    if person is not None and known and person.disabled_at is not None:
        sentence = Sentence("{name} is disabled: nobody can act on their behalf.", name=Account(name))
    elif not known and actor.token_id is not None:
        sentence = Sentence("{name} is no person here: nobody can act on their behalf.", name=Account(name))
    else:
        return
    raise Forbidden("ACTOR_MISMATCH", sentence, details={"actor_id": name})


def _person(session: Session, name: str) -> Person:
    """Return a person to be changed, locked and as they are now: the entry of a change tells of all columns."""
    person = session.get(Person, name, populate_existing=True, with_for_update=True)
    if person is None:
        raise NotFound("PERSON_NOT_FOUND", Sentence("There is no person named {name}.", name=name))
    return person


def give_role(session: Session, *, name: str, role: Role, tenant_id: str, now: datetime) -> None:
    """Give a person a role in a tenant, from the next request on; no error if they have it already. Raises NotFound."""
    _person(session, name)
    key = {"name": name, "tenant_id": check_tenant_id(tenant_id), "role": role.value}
    if session.get(PersonRole, key) is None:
        session.add(PersonRole(**key, given_at=now))
        session.flush()


def take_role(session: Session, *, name: str, role: Role, tenant_id: str) -> None:
    """Take a role away, from the next request on; no error if they do not have it. Raises NotFound for an unknown person."""
    _person(session, name)
    given = session.get(PersonRole, {"name": name, "tenant_id": tenant_id, "role": role.value})
    if given is not None:
        session.delete(given)
        session.flush()


def disable_person(session: Session, *, name: str, now: datetime) -> None:
    """Disable a person and end their sessions; what they did stays. Raises NotFound."""
    person = _person(session, name)
    person.disabled_at = person.disabled_at or now
    close_sessions_of(session, name=name, now=now)
    session.flush()


def enable_person(session: Session, *, name: str) -> None:
    """Enable a disabled person. Raises NotFound."""
    _person(session, name).disabled_at = None
    session.flush()


def set_password(session: Session, *, name: str, password: NewPassword, now: datetime, by: Actor | None = None) -> None:
    """Set a person's password and end their sessions. Raises NotFound.

    Who sets their own leaves in place who set the one before: with that, somebody else may be doing this.
    """
    person = _person(session, name)
    person.password_hash = password.digest
    _remember_who_set_it(person, by, now)
    close_sessions_of(session, name=name, now=now)
    session.flush()


def note_reset(session: Session, *, name: str, now: datetime, by: Actor) -> None:
    """Note who took a person's passkeys away, as if they had set the password, which alone opens now. Raises NotFound.

    Whoever set it is behind it anew: they may know it, and until now it opened nothing.
    """
    person = _person(session, name)
    _remember_who_set_it(person, by, now, also=frozenset(person.password_principals or ()))
    session.flush()


def _remember_who_set_it(
    person: Person, by: Actor | None, now: datetime, *, also: frozenset[str] = frozenset()
) -> None:
    if by is None or by.decider_id == person.name:
        return
    person.password_set_by, person.password_set_at = by.decider_id, now
    person.password_principals = sorted(by.principals | also)
