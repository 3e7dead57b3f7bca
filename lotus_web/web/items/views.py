"""The page of one item, and its forms."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue

from lotus_web.domain.access import Permission, check_permission
from lotus_web.domain.errors import Conflict, Forbidden, InvalidInput, TooManyAttempts
from lotus_web.domain.items.actions import ACTIONS
from lotus_web.http.statuses import status_of
from lotus_web.services.audit.transaction import AuditedAction, audited_transaction
from lotus_web.services.events.log import lock_tenant
from lotus_web.services.items.actions import Reviewed, apply_action
from lotus_web.store.session import db
from lotus_web.web.format.sentences import page_message
from lotus_web.web.guard.access import current_actor, form_context, requires
from lotus_web.web.guard.refusal_log import logging_refusals
from lotus_web.web.items.form import Typed, asked_action, chosen_action, field_error
from lotus_web.web.items.page import Outcome, item_page
from lotus_web.web.items.presented import presented_in
from lotus_web.web.items.queue import QueueAddress, act_url, move_on, queue_address, queue_here
from lotus_web.web.items.signing import signature_in
from lotus_web.web.shell.htmx import go_to, is_htmx, see_other

blueprint = Blueprint("items", __name__)


@blueprint.get("/inbox/<ident:workflow_id>")
@requires(Permission.RUNS_READ)
def show(workflow_id: str) -> ResponseReturnValue:
    """Show the item as it is now."""
    return item_page(workflow_id)


@blueprint.post("/inbox/<ident:workflow_id>")
@requires(Permission.RUNS_READ)
def act(workflow_id: str) -> ResponseReturnValue:
    """Apply an action to the item, or show the page again with what was typed and why it was refused.

    The permission depends on the action, as on the JSON route.
    """
    typed, address = Typed(request.form.to_dict()), queue_address()
    try:
        with logging_refusals():
            done = _apply(workflow_id, typed)
    except InvalidInput as wrong:
        return item_page(workflow_id, status=422, typed=typed, outcome=Outcome(error=field_error(typed, wrong)))
    except Conflict as conflict:
        return item_page(workflow_id, status=409, typed=typed, outcome=Outcome(conflict=conflict))
    except (Forbidden, TooManyAttempts) as refused:
        outcome = Outcome(forbidden=page_message(refused))
        return item_page(workflow_id, status=status_of(refused), typed=typed, outcome=outcome)
    return _recorded(workflow_id, typed, done, address)


def _apply(workflow_id: str, typed: Typed) -> Reviewed:
    action, context = chosen_action(typed), form_context()
    signature = signature_in(typed, action, context)
    with audited_transaction(AuditedAction(context, action.value, workflow_id, unseen=True)) as session:
        asked = asked_action(typed)
        check_permission(context.actor, ACTIONS[action].permission)
        lock_tenant(
            session, context.actor.tenant_id
        )  # what was shown is compared with what there is when it is decided
        shown = presented_in(typed.fields.get("evidence", ""), session, workflow_id, context)
        return apply_action(session, workflow_id, replace(asked, presented=shown, signature=signature), context)


def _recorded(workflow_id: str, typed: Typed, done: Reviewed, address: QueueAddress | None) -> Response:
    assert typed.action is not None
    spec = ACTIONS[typed.action]
    words, onward = spec.done, spec.settles
    onward = onward and (address is None or address.work is not None)
    queue = queue_here(db.session(), done.item, current_actor(), address) if onward else None
    if onward and address is not None and address.filters is None:
        flash(f"{words} {done.item.title}", "success")
        return go_to(url_for("inbox.show"))
    if queue is not None and queue.next_url is not None:
        flash(f"{words} {done.item.title}", "success")
        return move_on(queue.next_url)
    if is_htmx():
        return item_page(workflow_id, outcome=Outcome(done=words, done_action=typed.action))
    ended = ". That was the last of this list." if queue else ""
    flash(f"{words} {done.item.title}{ended}", "success")
    return see_other(act_url(done.item))
