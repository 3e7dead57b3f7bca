"""Settings: an empty value is the default, a bad one stops the start with its name, and they are read live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lotus_web.config.setting_types import Setting
from lotus_web.config.settings import BadSetting, Settings
from lotus_web.domain.events.envelope import EARLIEST, LATEST
from lotus_web.domain.transparency.notes import SignatureType, VerifierKey

WITNESS = VerifierKey("w.example", bytes(range(32)), SignatureType.COSIGNATURE)
POSTGRES = {
    "DPM_SUPPORTABILITY_STORE_BACKEND": "SQL",
    "DPM_SUPPORTABILITY_DATABASE_URL": "postgresql+psycopg://lotus@postgres/lotus",
}


def test_an_empty_value_is_the_default() -> None:
    names = [setting.name for setting in Settings.all()]
    empty, unset = Settings.from_environ(dict.fromkeys(names, " ")), Settings.from_environ({})
    assert [setting.read(empty.environ) for setting in Settings.all()] == [
        setting.read(unset.environ) for setting in Settings.all()
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DPM_POLICY_PACKS_ENABLED", "perhaps"),
        ("DPM_TENANT_POLICY_PACK_RESOLUTION_ENABLED", "2"),
        ("DPM_TENANT_POLICY_PACK_MAP_JSON", "[]"),
        ("DPM_TENANT_POLICY_PACK_MAP_JSON", "{"),
        ("DPM_POLICY_PACK_CATALOG_BACKEND", "POSTGRES"),
        ("ENTERPRISE_MAX_WRITE_PAYLOAD_BYTES", "0"),
        ("ENTERPRISE_MAX_WRITE_PAYLOAD_BYTES", "1 MiB"),
        ("ENTERPRISE_POLICY_VERSION", "1\n2"),
        ("LOTUS_CALLBACK_SECRETS", "secret"),
        ("LOTUS_CALLBACK_SECRETS", "whsec_c2hvcnQ="),
        ("LOTUS_CALLBACK_NETWORKS", "10.2.0.1/16"),
        ("ENTERPRISE_ENFORCE_AUTHZ", "maybe"),
        ("ENTERPRISE_CAPABILITY_RULES_JSON", '{"GET /rebalance": "c"}'),
        ("APP_PERSISTENCE_PROFILE", "STAGING"),
        ("LOTUS_DEFAULT_ASSIGNED_ROLE", "viewer"),
        ("LOTUS_DEFAULT_ASSIGNED_ROLE", "clerk"),
        ("LOTUS_ESCALATION_ASSIGNED_ROLE", "managr"),
        ("LOTUS_EXCEPTION_REVIEW_SLA_HOURS", "8785"),
        ("LOTUS_INCIDENT_REVIEW_SLA_HOURS", "100000000"),
        ("PORT", "65536"),
        ("LOTUS_WEB_THREADS", "0"),
        ("LOTUS_BODY_SECONDS", "0"),
        ("LOTUS_BODY_SECONDS", "1e3"),
        ("LOTUS_GUNICORN_LOG_LEVEL", "loud"),
        ("LOTUS_HANGUP", "ignore"),
    ],
)
def test_a_value_that_cannot_be_used_stops_the_start_with_its_name(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name}="):
        Settings.from_environ({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DPM_TENANT_POLICY_PACK_MAP_JSON", '{"north": "a", "north": "b"}'),
        ("ENTERPRISE_CAPABILITY_RULES_JSON", '{"POST /rebalance": "a", "POST /rebalance": "b"}'),
        (
            "LOTUS_REASON_CODES",
            '{"approve": [{"code": "A", "text": "One"}], "approve": [{"code": "B", "text": "Two"}]}',
        ),
        ("LOTUS_WITNESSES", f'[{{"url": "http://w", "url": "https://w.example/", "key": "{WITNESS}"}}]'),
    ],
)
def test_json_that_names_a_member_twice_is_not_a_setting(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name}=.* An object names the member .* more than once"):
        Settings.from_environ({name: value})


NUMBERS = [setting for setting in Settings.all() if "number" in setting.allowed]


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda setting: setting.name)
@pytest.mark.parametrize(
    "value", ["1_0", "٣", "１０", "+10", "-10", "0x10", "1 0", "1e1", "nan", "inf", "ten", "9" * 5000]
)
def test_a_number_is_written_in_plain_digits(setting: Setting[object], value: str) -> None:
    with pytest.raises(BadSetting, match=f"^{setting.name}="):
        setting.read({setting.name: value})
    assert setting.read({setting.name: " 3 "}) == 3


def test_seconds_may_have_decimals_and_whole_numbers_may_not() -> None:
    assert Settings({"LOTUS_BODY_SECONDS": "2.5"}).request_seconds == 2.5
    with pytest.raises(BadSetting):
        Settings.from_environ({"LOTUS_WEB_THREADS": "2.5"})


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, "127.0.0.1:8000"),
        ({"PORT": "0"}, "127.0.0.1:0"),
        ({"PORT": "9000", "LOTUS_BIND": "0.0.0.0:8000"}, "0.0.0.0:8000"),
    ],
)
def test_the_web_server_listens_on_this_machine_unless_told_otherwise(environ: dict[str, str], address: str) -> None:
    assert Settings.from_environ(environ).listen_address == address


def test_an_ephemeral_store_has_one_web_process() -> None:
    assert Settings.from_environ({"WEB_CONCURRENCY": "4"}).web_processes == 1
    kept = {"WEB_CONCURRENCY": "4", "DPM_SUPPORTABILITY_STORE_BACKEND": "SQLITE"}
    assert Settings.from_environ(kept).web_processes == 4


SPANS = {
    "SECONDS": timedelta(seconds=1),
    "MINUTES": timedelta(minutes=1),
    "HOURS": timedelta(hours=1),
    "DAYS": timedelta(days=1),
}


def test_the_longest_span_of_each_setting_leads_to_a_time_that_there_is() -> None:
    spans = {one.name: SPANS[one.name.rpartition("_")[2]] for one in Settings.all() if one.name.endswith(tuple(SPANS))}
    assert len(spans) == 14
    settings = {one.name: one for one in Settings.all() if one.name in spans}
    for name, unit in spans.items():
        high = int(settings[name].allowed.rpartition(" ")[2])
        assert settings[name].read({name: str(high)}) == high
        with pytest.raises(BadSetting):
            settings[name].read({name: str(high + 1)})
        for start in (EARLIEST + timedelta(days=366 * 100), LATEST):
            assert start - high * unit >= EARLIEST
            assert start + high * unit < datetime.max.replace(tzinfo=UTC)


def test_settings_are_read_live() -> None:
    environ = {"DPM_TENANT_POLICY_PACK_MAP_JSON": '{"north": "a"}'}
    settings = Settings.from_environ(environ)
    environ["DPM_TENANT_POLICY_PACK_MAP_JSON"] = '{"north": "b"}'
    assert settings.tenant_policy_packs == {"north": "b"}


@pytest.mark.parametrize(
    "store",
    [
        {},
        {"DPM_SUPPORTABILITY_STORE_BACKEND": "SQLITE"},
        POSTGRES | {"DPM_SUPPORTABILITY_STORE_BACKEND": "SQLITE"},
        POSTGRES | {"DPM_SUPPORTABILITY_DATABASE_URL": "sqlite:///lotus.db"},
    ],
)
def test_the_production_profile_does_not_start_without_postgresql(store: dict[str, str]) -> None:
    with pytest.raises(BadSetting, match=r"^APP_PERSISTENCE_PROFILE='PRODUCTION' .*PostgreSQL URL in DPM_SUPPORT"):
        Settings.from_environ({"APP_PERSISTENCE_PROFILE": "PRODUCTION", **store})
    assert Settings.from_environ({"APP_PERSISTENCE_PROFILE": "local", **store}).persistence_profile == "LOCAL"


def test_the_production_profile_starts_on_postgresql() -> None:
    settings = Settings.from_environ({"APP_PERSISTENCE_PROFILE": "production", **POSTGRES})
    assert settings.persistence_profile == "PRODUCTION"


SAFE = {"LOTUS_ENV": "production", "DPM_SUPPORTABILITY_STORE_BACKEND": "SQLITE"}


@pytest.mark.parametrize(
    "key", ["x" * 32, "x" * 40 + "y", "changeme" * 5, "0123456789abcdef" * 2, "abcdefghijklmnopqrstuvwxyz012345"]
)
def test_production_does_not_start_with_a_key_that_could_be_guessed(key: str) -> None:
    with pytest.raises(BadSetting, match=r"^LOTUS_SECRET_KEY='…' .*could be guessed") as refused:
        Settings.from_environ({**SAFE, "LOTUS_SECRET_KEY": key})
    assert key not in str(refused.value)
    assert Settings.from_environ({**SAFE, "LOTUS_ENV": "development", "LOTUS_SECRET_KEY": key}).secret_key == key


@pytest.mark.parametrize(
    "key",
    [
        "9f86d081884c7d659a2feaa0c55ad015",
        "Zq3v-8sT_kLw0XcR5nYb2hJm7gPd4aFe",
        "3" * 8 + "1f9c05b7e2d846aa8c7713e09bd25f4e",
    ],
)
def test_production_does_not_start_on_a_store_that_ends_with_the_process(key: str) -> None:
    assert Settings.from_environ({**SAFE, "LOTUS_SECRET_KEY": key}).production
    with pytest.raises(BadSetting, match=r"^DPM_SUPPORTABILITY_STORE_BACKEND='IN_MEMORY' .*SQLITE or SQL"):
        Settings.from_environ({"LOTUS_ENV": "production", "LOTUS_SECRET_KEY": key})
