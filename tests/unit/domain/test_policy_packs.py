"""Which pack holds: the request's, else the tenant's, else the deployment's; blanks name nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.policy_packs import (
    AppliedPack,
    PackChoice,
    PackRules,
    PackSource,
    choose_pack,
    parse_tenant_packs,
)

BY_TENANT = {"north": "northern", "south": "  ", "east": " eastern "}


@pytest.mark.parametrize(
    ("requested", "tenant_id", "by_tenant", "default", "source", "named"),
    [
        ("own", "north", True, "house", PackSource.REQUEST, "own"),
        (" own ", "north", True, "house", PackSource.REQUEST, "own"),
        ("", "north", True, "house", PackSource.TENANT_DEFAULT, "northern"),
        ("  ", "north", True, "house", PackSource.TENANT_DEFAULT, "northern"),
        (None, "east", True, "house", PackSource.TENANT_DEFAULT, "eastern"),
        (None, "north", False, "house", PackSource.DEFAULT, "house"),
        (None, "south", True, "house", PackSource.DEFAULT, "house"),
        (None, "west", True, " house ", PackSource.DEFAULT, "house"),
        (None, "west", True, " ", PackSource.NONE, None),
        (None, "north", False, None, PackSource.NONE, None),
    ],
)
def test_the_nearest_name_wins(
    requested: str | None, tenant_id: str, by_tenant: bool, default: str | None, source: PackSource, named: str | None
) -> None:
    rules = PackRules(True, default, by_tenant, BY_TENANT)
    assert choose_pack(rules, requested=requested, tenant_id=tenant_id) == PackChoice(source, named)


names = st.none() | st.text(alphabet=" \tab", max_size=4)


@given(enabled=st.booleans(), default=names, by_tenant=st.booleans(), of_tenant=names, requested=names)
def test_any_choice_is_the_first_name_that_is_there(
    enabled: bool, default: str | None, by_tenant: bool, of_tenant: str | None, requested: str | None
) -> None:
    packs = {} if of_tenant is None else {"north": of_tenant}
    found = choose_pack(PackRules(enabled, default, by_tenant, packs), requested=requested, tenant_id="north")
    named = [name.strip() for name in (requested, of_tenant if by_tenant else None, default) if name and name.strip()]
    if not enabled:
        assert found == PackChoice(PackSource.DISABLED)
    else:
        assert found.policy_pack_id == (named[0] if named else None)
        assert (found.source is PackSource.NONE) is not bool(named)
    elsewhere = choose_pack(PackRules(enabled, default, by_tenant, packs), requested=requested, tenant_id="south")
    assert elsewhere.source is not PackSource.TENANT_DEFAULT


@pytest.mark.parametrize("text", ["[]", "null", '{"north": 1}', '{"north": null}', "{", '"north"'])
def test_what_maps_no_tenant_to_a_pack_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is required|Expecting"):
        parse_tenant_packs(text)


def test_a_map_is_read_without_the_spaces_around_its_names() -> None:
    assert parse_tenant_packs('{" north ": " northern "}') == {"north": "northern"}


def test_what_is_kept_with_a_run_says_the_same_when_it_is_read_again() -> None:
    pack = AppliedPack("p", PackSource.TENANT_DEFAULT, True, {"max_turnover_pct": "0.1"}, replay_enabled=False)
    assert AppliedPack.of_record(pack.record()) == pack
