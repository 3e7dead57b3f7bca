"""The settings in force as the administrators of one tenant may see them: who else is a tenant here is not theirs to know."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from lotus_web.config.settings import Settings
from lotus_web.domain.canonical import canonical_json
from lotus_web.queries.health.doctor import SettingInForce, settings_in_force


def _exempt(settings: Settings, tenant_id: str) -> str:
    return tenant_id if tenant_id in settings.four_eyes_exempt_tenants else ""


def _own_pack(settings: Settings, tenant_id: str) -> str:
    pack = settings.tenant_policy_packs.get(tenant_id)
    return "" if pack is None else canonical_json({tenant_id: pack})


# Settings that name tenants, and what of them one tenant sees; empty where they say nothing of it.
_OWN_PART: Mapping[str, Callable[[Settings, str], str]] = {
    Settings.four_eyes_exempt_tenants.name: _exempt,
    Settings.tenant_policy_packs.name: _own_pack,
}


def settings_of_tenant(settings: Settings, tenant_id: str) -> Iterator[SettingInForce]:
    """Yield every setting in the order of settings.py, of those that name tenants the part of this one; raises BadSetting."""
    for one in settings_in_force(settings):
        own = _OWN_PART.get(one.name)
        if own is None:
            yield one
        else:
            part = own(settings, tenant_id)
            yield replace(one, value=part, given=bool(part))
