"""The header that names a policy pack (dpm-api §11)."""

from __future__ import annotations

from lotus_web.api.endpoint.inputs import HeaderParam
from lotus_web.api.endpoint.routing import Call, Refuses
from lotus_web.domain.identifiers import check_visible
from lotus_web.domain.policy_packs import INVALID, PACK_HEADER, PACK_ID_MAX


def check_pack_id(sent: str | None) -> str | None:
    """Return the id without the spaces around it, None for a blank one; raises InvalidInput for what is no id."""
    named = (sent or "").strip()
    return check_visible(named, PACK_HEADER, longest=PACK_ID_MAX, loc=("header", PACK_HEADER)) if named else None


POLICY_PACK = HeaderParam(
    PACK_HEADER,
    check_pack_id,
    "the policy pack whose options override the request's; without it the tenant's pack, then the deployment's;"
    " an unknown pack changes nothing, and without `DPM_POLICY_PACKS_ENABLED` none does",
    required=False,
)
PACK_INVALID = Refuses(409, INVALID, "the policy pack in the store is not one that this version accepts")


def named_pack(call: Call) -> str | None:
    """Return the pack that the caller named."""
    return call.headers[POLICY_PACK.name]
