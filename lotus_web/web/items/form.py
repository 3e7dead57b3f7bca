"""The forms of actions: the submitted fields and the action that they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lotus_web.config import current
from lotus_web.domain.decisions.reason_codes import check_offered_reason
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.free_text import without_untaken
from lotus_web.domain.items.actions import OFFERED, Action, Text
from lotus_web.domain.items.state import ActionRecord
from lotus_web.domain.items.transitions import check_free_text
from lotus_web.services.items.action_records import ReviewAction
from lotus_web.web.format.sentences import page_message

# The form's name for the field that a refusal of the service points to.
_FIELD = {text.value: "text" for text in Text}


@dataclass(frozen=True, slots=True)
class Typed:
    """The submitted fields; empty when nothing was submitted."""

    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def action(self) -> Action | None:
        """The action of the form, None for an unknown name."""
        word = self.fields.get("action", "")
        return Action(word) if word in OFFERED else None

    def value(self, action: Action, name: str) -> str:
        """Return the value of a field in the form of one action; each action has its own form."""
        return self.kept(name) if action is self.action else ""

    def says(self, done: ActionRecord) -> bool:
        """Return whether the form has the text, the reason and the assignment of a recorded action."""
        try:
            text = check_free_text(self.fields.get("text", ""))
        except InvalidInput:
            return False
        asked = (self.fields.get("assigned_account_id"), self.fields.get("assigned_role"))
        given = (done.assigned_account_id, done.assigned_role)
        return (
            text == (done.text or "")
            and (self.fields.get("reason_code") or None) == done.reason_code
            and all(not sent or sent == had for sent, had in zip(asked, given, strict=True))
        )

    def kept(self, name: str) -> str:
        """Return a submitted value without characters that a page cannot hold."""
        return without_untaken(self.fields.get(name, ""))


@dataclass(frozen=True, slots=True)
class FieldError:
    """A message and the field that it is about; ``field_id`` is the field's id on the page."""

    action: Action | None
    name: str
    sentence: str

    @property
    def field_id(self) -> str | None:
        """The id of the field; each action's form has its own."""
        return f"{self.action.value}-{self.name}" if self.action else None


def field_error(typed: Typed, wrong: InvalidInput) -> FieldError:
    """Return the field of the page that a refusal is about."""
    name = str(wrong.loc[-1])
    return FieldError(typed.action, _FIELD.get(name, name), page_message(wrong))


def chosen_action(typed: Typed) -> Action:
    """Return the action of a form; raises InvalidInput for an unknown one."""
    if typed.action is None:
        raise InvalidInput("invalid_argument", "Choose what to do.", loc=("body", "action"))
    return typed.action


def asked_action(typed: Typed) -> ReviewAction:
    """Return the action of a form with its fields; raises InvalidInput."""
    action = chosen_action(typed)
    text, code = typed.fields.get("text", ""), typed.fields.get("reason_code", "")
    check_offered_reason(action, code, text, current.settings().reason_codes)
    return ReviewAction(
        action=action,
        text=text,
        reason_code=code or None,
        assigned_account_id=typed.fields.get("assigned_account_id") or None,
        assigned_role=typed.fields.get("assigned_role") or None,
        confirm_text=typed.fields.get("confirm_text"),
        version=seen_version(typed.fields.get("version", "")),
        shown_digest=typed.fields.get("digest") or None,
    )


def seen_version(text: str) -> int:
    """Return the version of the item that the person was shown; raises InvalidInput where the form does not hold it."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput("invalid_argument", "The form does not say what you were looking at. Reload the page.")
    return int(text)
