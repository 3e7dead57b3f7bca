"""What an item can be about: one table, keyed by the kind of subject (workflow.md §1).

Ids are opaque: what an item is about is known from its fields and never read out of its id. Each layer has a table with the same
keys: how an event opens an item (domain/events/opening.py), what is read for it (queries/items/subjects.py), what a decision
does to its subject (services/items/subjects.py) and what its page shows (web/items/subjects.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class SubjectType(StrEnum):
    """A kind of subject."""

    RUN = "run"  # a run recorded here, which the gate of RFC-0020 sent to a reviewer
    EXCEPTION = "exception"  # an exception that another system asked for
    TRACE_REVIEW = "trace_review"  # a review of a trace that someone started
    PROPOSAL = "proposal"  # a proposal recorded here, which was submitted for a review of its risk or compliance


@dataclass(frozen=True, slots=True)
class SubjectSpec:
    """One kind of subject and its words.

    ``stored`` is its name in events, in the store and in JSON, where the runs of this deployment and the exceptions of other
    systems share one: ``is_run`` tells them apart. ``has_gate`` says that decided items can be reopened (RFC-0020), ``noun``
    names the subject on a button and ``approved_for`` what an approval leads to, ``submitted`` says what its submitter did (to
    which version, where it has some), and ``purged_notice`` what is said once it was purged. ``only_maker_waits`` says that
    four eyes excludes the maker of the subject and nobody else, by a separate setting.
    """

    stored: str
    is_run: bool = False
    has_gate: bool = False
    noun: str = ""
    approved_for: str = ""
    submitted: str = "submitted it"
    purged_notice: tuple[str, str] | None = None
    only_maker_waits: bool = False


SUBJECTS: Mapping[SubjectType, SubjectSpec] = {
    SubjectType.RUN: SubjectSpec(
        stored="exception",
        is_run=True,
        has_gate=True,
        noun="this run",
        submitted="submitted this run",
        purged_notice=("The run itself was deleted.", "Its decisions and this timeline remain."),
    ),
    SubjectType.EXCEPTION: SubjectSpec(stored="exception"),
    SubjectType.TRACE_REVIEW: SubjectSpec(stored="trace_review"),
    SubjectType.PROPOSAL: SubjectSpec(
        stored="proposal",
        noun="this proposal",
        approved_for="for client consent",
        submitted="made version {version_no}",
        purged_notice=("The proposal itself was deleted.", "Its decisions and this timeline remain."),
        only_maker_waits=True,
    ),
}
# What a policy asked for, here or in another system.
EXCEPTIONS = frozenset({SubjectType.RUN, SubjectType.EXCEPTION})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a decision rests on besides the item itself; None where there is none.

    The hash of it, who submitted it, its version, the account that recorded it where that may be another, and everyone
    who was behind that (domain/accounts/acting.py).
    """

    content_hash: str | None = None
    submitted_by: str | None = None
    version_no: int | None = None
    recorded_by: str | None = None
    principals: frozenset[str] = frozenset()


def subject_of(stored: str, *, run_id: str | None) -> SubjectType:
    """Return the kind of subject of an item from its stored fields; raises ValueError for a name that no kind has."""
    for kind, spec in SUBJECTS.items():
        if spec.stored == stored and spec.is_run == (run_id is not None):
            return kind
    raise ValueError(f"no item is about {stored}")


def item_id(trace_id: str, subject: SubjectType, subject_id: str) -> str:
    """Return the id of the item about a subject (workflow.md §1)."""
    return item_id_as_stored(trace_id, SUBJECTS[subject].stored, subject_id)


def possible_subject_ids(workflow_id: str, subject: SubjectType) -> frozenset[str]:
    """Return every id that can be the subject's where an item of this kind has this id.

    The two ids that are joined may contain the joint as well, so there are as many as it occurs. Which of them it is, if
    any, is known only from what is stored under them: the caller compares the joined ids.
    """
    joint = item_id("", subject, "")
    found = re.finditer(f"(?={re.escape(joint)})", workflow_id)  # a look-ahead: occurrences may overlap
    return frozenset(workflow_id[one.start() + len(joint) :] for one in found)


def item_id_as_stored(trace_id: str, stored: str, subject_id: str) -> str:
    """Return the id of the item about a subject that an event names by the stored name of its kind."""
    return f"{trace_id}:{stored}:{subject_id}"
