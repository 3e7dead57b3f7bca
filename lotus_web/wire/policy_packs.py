"""A policy pack as JSON, validated by the option types of a request before it is stored (dpm-api §11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict

from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.identifiers import check_visible
from lotus_web.domain.policy_packs import OVERRIDABLE, PACK_ID_MAX, AppliedPack, PolicyPack
from lotus_web.domain.sentences import Sentence
from lotus_web.wire.rebalance.options import EngineOptionsBody
from lotus_web.wire.rebalance.request import RebalanceRequestBody
from lotus_web.wire.rebalance.snapshot import WireModel
from lotus_web.wire.scalars import storable_text


def pack_id(text: str) -> str:
    """Return an id that a header can carry: 1 to 255 visible characters; raises ValueError."""
    try:
        return check_visible(storable_text(text), "policy_pack_id", longest=PACK_ID_MAX, loc=("body", "policy_pack_id"))
    except InvalidInput as refused:
        raise ValueError(refused.message) from None


class PolicyPackBody(WireModel):
    """The members of a pack besides its options, which are extra members."""

    model_config = ConfigDict(extra="allow", frozen=True)

    policy_pack_id: Annotated[str, AfterValidator(pack_id)]
    replay_enabled: bool | None = None


def read_pack(document: object) -> PolicyPack:
    """Return the pack that a document defines; null members and empty group constraints override nothing.

    Raises pydantic's ValidationError, or InvalidInput naming a member that no pack has: a typing error must not be a
    rule that silently does not hold.
    """
    body = PolicyPackBody.model_validate(document)
    named = body.model_extra or {}
    strangers = sorted(set(named) - set(OVERRIDABLE))
    if strangers:
        raise InvalidInput(
            "value_error",
            Sentence(
                "A policy pack has no {strangers}; it may set {known}.",
                strangers=", ".join(strangers),
                known=", ".join((*OVERRIDABLE, "replay_enabled")),
            ),
        )
    given = {name: named[name] for name in OVERRIDABLE if named.get(name) is not None and named[name] != {}}
    return PolicyPack(body.policy_pack_id, checked_overrides(given), body.replay_enabled)


def checked_overrides(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return overrides as JSON values; raises pydantic's ValidationError for values that a request could not have."""
    return EngineOptionsBody.model_validate(dict(given)).model_dump(mode="json", include=set(given))


def under_pack(body: RebalanceRequestBody, pack: AppliedPack | None) -> RebalanceRequestBody:
    """Return the request with the pack's overrides in place of its own options; raises pydantic's ValidationError."""
    if pack is None or not pack.overrides:
        return body
    overriding = EngineOptionsBody.model_validate(dict(pack.overrides))
    changed = {name: getattr(overriding, name) for name in pack.overrides}
    return body.model_copy(update={"options": body.options.model_copy(update=changed)})
