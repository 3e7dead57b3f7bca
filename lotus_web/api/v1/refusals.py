"""What the ``/api/v1`` routes refuse, for their declarations."""

from __future__ import annotations

from lotus_web.api.endpoint.routing import Refuses

NOT_FOUND = Refuses(404, "not_found", "nothing of this tenant has this id")
INVALID = Refuses(422, "invalid_argument", "a reason, note or target is missing, or the override phrase is wrong")
MALFORMED = Refuses(400, "invalid_argument", "the event is malformed")
UNKNOWN_ACTION = Refuses(400, "invalid_argument", "the action is unknown")
INVALID_TRANSITION = Refuses(409, "invalid_transition", "the item's status does not allow the action")
VERSION_CONFLICT = Refuses(409, "version_conflict", "the item moved; the details name who, what and when")
FOUR_EYES = Refuses(
    403,
    "four_eyes",
    "whoever submitted the run or asked for the review does not approve or override it; `LOTUS_FOUR_EYES=false`, or a tenant"
    " in `LOTUS_FOUR_EYES_EXEMPT_TENANTS`, lifts that",
)
TRACE_SEQ_CONFLICT = Refuses(409, "trace_seq_conflict", "trace_seq is not the next of its trace")
IDEMPOTENCY_CONFLICT = Refuses(409, "idempotency_conflict", "the key was used for another event")
