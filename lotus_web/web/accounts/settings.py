"""Settings and feature flags in force; they are changed in the environment of the installation."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.queries.health.settings import settings_of_tenant
from lotus_web.queries.policy_packs import list_packs
from lotus_web.store.session import db
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.shell.htmx import page_or_fragment

blueprint = Blueprint("accounts_settings", __name__)


@blueprint.get("/admin/settings")
@requires(Permission.ADMIN)
def show() -> ResponseReturnValue:
    """Show every setting, switches first, and the tenant's policy packs; secrets say only whether there is one."""
    tenant_id = current_actor().tenant_id
    found = list(settings_of_tenant(current.settings(), tenant_id))
    switches = [one for one in found if one.value in ("true", "false")]
    return page_or_fragment(
        "accounts/settings.html",
        "accounts/_settings.html",
        switches=switches,
        others=[one for one in found if one not in switches],
        packs=list_packs(db.session(), tenant_id),
        packs_enabled=current.settings().policy_packs_enabled,
    )
