"""The settings in force: all of them for operators, and what one tenant's administrators may see of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from lotus_web.config.settings import Settings
from lotus_web.domain.canonical import canonical_json


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """A setting in force; of a secret only whether it is set."""

    name: str
    value: str
    given: bool
    note: str


def settings_in_force(settings: Settings) -> Iterator[SettingInForce]:
    """Yield every setting in the order of settings.py; raises BadSetting."""
    for setting in Settings.all():
        given = settings.environ.get(setting.name, "").strip()
        value = setting.read(settings.environ)
        hidden = "hidden" if given else "not set"
        shown = hidden if setting.secret else given or _default_text(value)
        yield SettingInForce(setting.name, shown, bool(given), setting.note)


def _default_text(value: object) -> str:
    """Return a default as it would be written in the environment; a table is too long to be written there."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return str(value) if isinstance(value, (str, int)) or value == {} else "built in"


def _exempt(settings: Settings, tenant_id: str) -> str:
    return tenant_id if tenant_id in settings.four_eyes_exempt_tenants else ""


def _own_pack(settings: Settings, tenant_id: str) -> str:
    pack = settings.tenant_policy_packs.get(tenant_id)
    return "" if pack is None else canonical_json({tenant_id: pack})


# Settings that name tenants, and the part that one tenant may see: which other tenants there are is not theirs to know.
_OWN_PART: Mapping[str, Callable[[Settings, str], str]] = {
    Settings.four_eyes_exempt_tenants.name: _exempt,
    Settings.tenant_policy_packs.name: _own_pack,
}


def settings_of_tenant(settings: Settings, tenant_id: str) -> Iterator[SettingInForce]:
    """Yield every setting in the order of settings.py; of one that names tenants only this tenant's part. Raises BadSetting."""
    for one in settings_in_force(settings):
        own = _OWN_PART.get(one.name)
        if own is None:
            yield one
        else:
            part = own(settings, tenant_id)
            yield replace(one, value=part, given=bool(part))
