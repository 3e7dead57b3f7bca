"""The catalogue of policy packs: what holds for a request, and how operators change it (dpm-api §11)."""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError
from sqlalchemy.orm import Session

from lotus_web.domain.access import OPERATOR, operator
from lotus_web.domain.errors import Conflict, NotFound
from lotus_web.domain.policy_packs import INVALID, INVALID_MESSAGE, AppliedPack, PackRules, PolicyPack, choose_pack
from lotus_web.domain.sentences import Sentence
from lotus_web.domain.surface import Surface
from lotus_web.models import StoredPolicyPack
from lotus_web.services.audit.records import AuditCategory, record_audit
from lotus_web.wire.policy_packs import checked_overrides

NO_PACK = "POLICY_PACK_NOT_FOUND"


def pack_in_force(session: Session, rules: PackRules, *, requested: str | None, tenant_id: str) -> AppliedPack | None:
    """Return the pack that holds for a request, None where none is named; asks the store only about one that is.

    A pack that the catalogue does not have overrides nothing. Raises Conflict ``DPM_POLICY_PACK_INVALID`` for one that an
    older version took and this one would not.
    """
    choice = choose_pack(rules, requested=requested, tenant_id=tenant_id)
    if choice.policy_pack_id is None:
        return None
    row = session.get(StoredPolicyPack, (tenant_id, choice.policy_pack_id), populate_existing=True)
    if row is None:
        return AppliedPack(choice.policy_pack_id, choice.source, known=False)
    try:
        overrides = checked_overrides(row.overrides)
    except ValidationError:
        raise Conflict(INVALID, INVALID_MESSAGE) from None
    return AppliedPack(choice.policy_pack_id, choice.source, True, overrides, row.replay_enabled)


def put_pack(session: Session, pack: PolicyPack, *, tenant_id: str, now: datetime) -> bool:
    """Add a pack to the catalogue or replace it, with a line in the audit log; return whether it is new."""
    key = (tenant_id, pack.policy_pack_id)
    row = session.get(StoredPolicyPack, key, with_for_update=True)
    new = row is None
    if row is None:
        row = StoredPolicyPack(tenant_id=tenant_id, policy_pack_id=pack.policy_pack_id)
        session.add(row)
    row.overrides, row.replay_enabled = dict(pack.overrides), pack.replay_enabled
    row.updated_at, row.updated_by = now, OPERATOR
    verb = "added" if new else "replaced"
    _record(session, pack, tenant_id, now, "put_policy_pack", f"The policy pack {pack.policy_pack_id} was {verb}.")
    return new


def remove_pack(session: Session, policy_pack_id: str, *, tenant_id: str, now: datetime) -> None:
    """Take a pack out of the catalogue, with a line in the audit log; runs keep what they were computed under. Raises NotFound."""
    row = session.get(StoredPolicyPack, (tenant_id, policy_pack_id), with_for_update=True)
    if row is None:
        raise NotFound(
            NO_PACK,
            Sentence(
                "There is no policy pack {policy_pack_id} in {tenant_id}.",
                policy_pack_id=policy_pack_id,
                tenant_id=tenant_id,
            ),
        )
    was = PolicyPack(policy_pack_id, row.overrides, row.replay_enabled)
    session.delete(row)
    _record(session, was, tenant_id, now, "remove_policy_pack", f"The policy pack {policy_pack_id} was removed.")


def _record(session: Session, pack: PolicyPack, tenant_id: str, now: datetime, action: str, message: str) -> None:
    record_audit(
        session,
        AuditCategory.ADMIN,
        actor=operator(tenant_id),
        action=action,
        subject=pack.policy_pack_id,
        code="done",
        message=message,
        surface=Surface.CLI,
        now=now,
        details={"overrides": dict(pack.overrides), "replay_enabled": pack.replay_enabled},
    )
