"""Write docs/proposals.md with the state machine as the code has it: ``python scripts/proposals_doc.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lotus_web.domain.proposals.states import (
    APPROVALS,
    NEEDS_APPROVAL,
    TERMINAL,
    TRANSITIONS,
    ProposalEvent,
    ProposalState,
    state_after_new_version,
)

TARGET = Path(__file__).resolve().parent.parent / "docs" / "proposals.md"
PAGE = """# Proposals

What an adviser proposes for a portfolio, from draft to execution. A proposal has versions; each holds its simulation, its artifact
and their hashes, and is never changed. The state machine is the table `TRANSITIONS` in `lotus_web/domain/proposals/states.py`; this
page is written from it by `scripts/proposals_doc.py`.

## States

Events are posted to `…/transitions`. Those in brackets come of an approval instead, which is posted to `…/approvals` or given in
the inbox; CREATED and NEW_VERSION_CREATED come of making a proposal or a version.

```mermaid
stateDiagram-v2
{diagram}
```

| approval | due in | when given | when withheld |
|---|---|---|---|
{approvals}

A new version makes a proposal a draft again and voids its approvals: they stay in the list with `voided_at` and
`voided_by_version_no`. With `PROPOSAL_KEEP_STATE_ON_NEW_VERSION` it keeps its state and its approvals. Nothing leaves
{terminal}.

## In which order a step is refused

`PROPOSAL_NOT_FOUND` (404); `IDEMPOTENCY_KEY_CONFLICT: …` (409); `STATE_CONFLICT: …` (409); `VERSION_CONFLICT` (409);
`INVALID_TRANSITION` or `INVALID_APPROVAL_STATE` (422); `APPROVAL_REQUIRED` (422); `PROPOSAL_BLOCKED` (422); `FOUR_EYES` (403). A missing
permission is told before anything is looked up, except where it depends on the state: rejecting what is under review.

## Who may

| what | permission |
|---|---|
| create, add a version, transitions, the client's consent | `proposals_write` |
| risk and compliance approvals, rejecting what is under review | `workflow_review` |
| lists and look-ups | `runs_read` |

`created_by` and `actor_id` are the account of the token, or with `act_on_behalf` an enabled person of the tenant. Who made the current version does not
approve it for risk or compliance (`PROPOSAL_FOUR_EYES`), in nobody's name; nor does the account that recorded it for someone else
approve it in its own. They may reject it, and record the client's consent.

## Keys

`Idempotency-Key` is required to create a proposal and belongs to the tenant; on versions, transitions and approvals it is optional and
belongs to the proposal. The same key and request give the first answer, whatever has happened since; the same key with another
request is 409.

## Switched off

While `PROPOSAL_WORKFLOW_LIFECYCLE_ENABLED` is off, the routes answer 404, the pages are gone, and no item of a proposal is approved or
rejected in the inbox: page, JSON and programs are told the same sentence. Claims, comments, assignments and deadlines go on, and operations
that were accepted before are carried out. What was under review can be decided when it is switched on again.

## What differs from the reference on purpose

- `related_version_no` of an event or an approval is always the version it is about, whether or not the caller sent it.
- The `reason` of CREATED and NEW_VERSION_CREATED always has the `correlation_id`, which every call has.
- `reason` and `details` are given back as they were sent, without the key of the request in them; at most 64 KiB of JSON. A number that
  a double does not hold exactly comes back as text, so that no digit is lost.
- A version may be sent with `expected_version_no`: if that is not the current one, 409 `VERSION_CONFLICT`.
- `simulation_hash` and `artifact_hash` leave out what names the call: the correlation id, the key and the time.
- Approvals have `voided_at` and `voided_by_version_no`; the versions of a proposal are listed at `…/versions`.
- `supportability/config` answers while the store is away, to any token, since nobody can be known then.
"""


def diagram() -> Iterator[str]:
    """Yield the lines of the state diagram: where it begins, each step, and where it ends."""
    yield f"    [*] --> {ProposalState.DRAFT}: {ProposalEvent.CREATED}"
    for (state, event), after in TRANSITIONS.items():
        yield f"    {state} --> {after}: {f'[{event}]' if event in NEEDS_APPROVAL else event}"
    for state in ProposalState:
        after_version = state_after_new_version(state, keep_state=False)
        yield f"    {state} --> {f'{after_version}: {ProposalEvent.NEW_VERSION_CREATED}' if after_version else '[*]'}"


def approvals() -> Iterator[str]:
    """Yield the rows of the table of approvals."""
    for approval, step in APPROVALS.items():
        given, withheld = (TRANSITIONS[step.due_in, event] for event in (step.approved, ProposalEvent.REJECTED))
        yield f"| `{approval}` | `{step.due_in}` | `{given}` | `{withheld}` |"


def document() -> str:
    """Return the page."""
    return PAGE.format(
        diagram="\n".join(diagram()),
        approvals="\n".join(approvals()),
        terminal=", ".join(f"`{state}`" for state in ProposalState if state in TERMINAL),
    )


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
