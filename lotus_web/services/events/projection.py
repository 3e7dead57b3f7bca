"""Applying the events of one command to the inbox, in the transaction that appends them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from lotus_web.domain.events.projection import Effect, fold_event, target_workflow_id
from lotus_web.domain.items.state import TraceContext
from lotus_web.models import EventLogEntry
from lotus_web.models.to_domain import logged_event as logged_event
from lotus_web.services.events.history import TraceHistory
from lotus_web.services.events.item_rows import item_state, store_effects


def apply_entries(session: Session, entries: Sequence[EventLogEntry], history: TraceHistory) -> dict[str, Effect]:
    """Fold new events of one trace into the items that they are about and store the outcome once.

    The caller holds the tenant's lock and moves the cursor. Returns the effects by event id; an event may have none.
    """
    producers = {entry.event_id: entry.producer_id for entry in (*history.entries.values(), *entries)}
    items = {workflow_id: item_state(row) for workflow_id, row in history.items.items()}
    trace = TraceContext.from_payload((history.first or entries[0]).payload)
    effects: dict[str, Effect] = {}
    for event in map(logged_event, entries):
        workflow_id = target_workflow_id(event)
        if workflow_id is None:
            continue
        item = items.get(workflow_id)
        opened_by = None if item is None else producers[item.created_from_event_id]
        effect = fold_event(item, event, trace, opened_by=opened_by)
        if effect is not None:
            items[workflow_id] = effect.item
            effects[event.event_id] = effect
    if effects:
        store_effects(session, list(effects.values()), history.items)
    return effects
