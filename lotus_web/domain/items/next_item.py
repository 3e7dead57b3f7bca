"""Which item is claimed next: the most urgent free one that is assigned to the claimant or to a role of theirs (console.md)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lotus_web.domain.access import REVIEWING_ROLES, Actor
from lotus_web.domain.items.state import ItemState
from lotus_web.domain.items.values import ItemStatus

# An item that is waiting for changes waits for someone else. One in review has its reviewer, unless a reassignment ended the claim.
FREE = frozenset({ItemStatus.REQUESTED, ItemStatus.IN_REVIEW, ItemStatus.ESCALATED})


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims: ``roles`` None means that they are not bound to roles (a service account), ``four_eyes`` that they may not decide their own.

    ``maker_waits`` is the same for proposals, of which only the maker is held back.
    """

    actor: Actor
    roles: Collection[str] | None
    four_eyes: bool
    maker_waits: bool = True

    def may_take(self, item: ItemState) -> bool:
        """Return whether an item is free, assigned to them or to a role of theirs, and not one that they may not approve."""
        free = item.is_open and item.status in FREE and item.claimed_at is None
        return free and not self._is_bound(item) and self._is_theirs(item)

    def _is_bound(self, item: ItemState) -> bool:
        if item.made_by is not None:
            return self.maker_waits and item.made_by in self.actor.principals
        return self.four_eyes and item.requested_by_id in self.actor.principals

    def _is_theirs(self, item: ItemState) -> bool:
        if item.assigned_account_id is not None:
            return item.assigned_account_id == self.actor.decider_id
        # The event of another system may name a role that cannot review: such an item is open to every role.
        return self.roles is None or item.assigned_role not in REVIEWING_ROLES or item.assigned_role in self.roles
