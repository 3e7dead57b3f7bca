"""How pages say the sentences of the domain: people by their display names, permissions by what they allow, codes in words.

Only the values of a sentence are worded; its text, and text that someone wrote, stays as it is.
"""

from __future__ import annotations

from flask import Flask

from lotus_web.domain.access import Permission, missing_permission
from lotus_web.domain.errors import LotusError
from lotus_web.domain.proposals.states import ApprovalType, ProposalEvent, ProposalState
from lotus_web.domain.sentences import Account, Plain, Sentence, plain
from lotus_web.web.format.filters import words
from lotus_web.web.format.people import display_name
from lotus_web.web.format.permissions import permitted


def page_text(said: Sentence | str) -> str:
    """Return a sentence in the words of pages; plain text as it is."""
    return said.render(page_word) if isinstance(said, Sentence) else said


def page_word(value: Plain) -> str:
    """Return a value of a sentence as pages show it."""
    match value:
        case Account(name):
            return display_name(name)
        case Permission():
            return f"“{permitted(value)}”"
        case ProposalState() | ProposalEvent() | ApprovalType():
            return f"“{words(value)}”"
    return plain(value)


def page_message(error: LotusError) -> str:
    """Return an error's sentence in the words of pages; its code where it has none."""
    return page_text(error.sentence) if error.sentence else error.code


def needed(*permissions: str) -> str:
    """Return the sentence that says which permissions are missing."""
    return page_text(missing_permission(*map(Permission, permissions)))


def init_app(app: Flask) -> None:
    """Register the filters for templates."""
    for function in (page_text, page_message, needed):
        app.add_template_filter(function)
