"""The form that moves items: which, in what version they were seen, to whom, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from werkzeug.datastructures import MultiDict

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.free_text import without_untaken
from lotus_web.domain.items.actions import Action
from lotus_web.domain.items.transitions import check_free_text
from lotus_web.domain.sentences import Sentence
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.web.items.assignee import assignee_of
from lotus_web.web.items.form import seen_version

MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class TypedMove:
    """The fields as they were sent; ``to`` is ``person:name`` or ``role:name``, ``seen`` the version of each row by its id."""

    items: tuple[str, ...] = ()
    to: str = ""
    note: str = ""
    seen: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, fields: MultiDict[str, str]) -> TypedMove:
        """Read what was sent; a row tells its version as ``version:workflow_id``."""
        seen = (one.partition(":") for one in fields.getlist("seen"))
        return cls(
            items=tuple(dict.fromkeys(fields.getlist("item"))),
            to=fields.get("to", ""),
            note=fields.get("note", ""),
            seen={workflow_id: version for version, _, workflow_id in seen},
        )

    @property
    def shown_note(self) -> str:
        """The note without characters that no page can hold."""
        return without_untaken(self.note)

    @property
    def target(self) -> str:
        """The person or the role, by name."""
        return self.to.partition(":")[2]

    @property
    def chosen(self) -> dict[str, int]:
        """The chosen items with the version that the person saw; raises InvalidInput."""
        return {one: seen_version(self.seen.get(one, "")) for one in self.items}

    def only(self, workflow_ids: Iterable[str]) -> TypedMove:
        """Return the same with fewer items chosen."""
        return replace(self, items=tuple(workflow_ids))


def asked_move(typed: TypedMove) -> ReviewAction:
    """Return the action that is asked for each chosen item; raises InvalidInput."""
    if not typed.items:
        raise InvalidInput("invalid_argument", "Choose the items to move.", loc=("body", "item"))
    if len(typed.items) > MOST_AT_ONCE:
        raise InvalidInput(
            "invalid_argument", Sentence("Move at most {most} at once.", most=MOST_AT_ONCE), loc=("body", "item")
        )
    account, role = assignee_of(typed.to)
    if account is None and role is None:
        raise InvalidInput("invalid_argument", "Choose an assignee.", loc=("body", "to"))
    return ReviewAction(
        action=Action.REASSIGN,
        text=check_free_text(typed.note),
        assigned_account_id=account,
        assigned_role=role,
    )
