"""Choosing a reason: those that need a comment stand together, and the comment's label says that some do."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask

from lotus_web.domain.decisions.reason_codes import REASON_CODES
from lotus_web.domain.items.actions import Action
from tests.integration.conftest import ClientOf
from tests.integration.web.items.test_items import TOMAS, url_of
from tests.support import runs

pytestmark = [pytest.mark.environ(DPM_WORKFLOW_ENABLED="true"), pytest.mark.stores("sqlite")]


@pytest.mark.parametrize("action", [Action.APPROVE, Action.REJECT, Action.OVERRIDE])
def test_reasons_that_need_a_comment_are_a_group_of_their_own(app: Flask, client_of: ClientOf, action: Action) -> None:
    page = client_of("ada").get(url_of(runs.item(app))).text
    field = re.search(rf'<select [^>]*id="{action.value}-reason_code".*?</select>', page, re.DOTALL)
    assert field
    alone, _, group = field.group().partition('<optgroup label="With a comment of yours">')
    values = [re.findall(r'<option value="([A-Z_]+)"[^>]*>([^<]+)<', unescape(part)) for part in (alone, group)]
    for needs_comment, found in enumerate(values):
        assert found == [
            (one.code, one.text) for one in REASON_CODES[action] if one.needs_comment == bool(needs_comment)
        ]


@pytest.mark.parametrize(
    ("action", "beside"),
    [
        (Action.APPROVE, "some reasons need one"),
        (Action.REASSIGN, "optional"),
        (Action.OVERRIDE, None),
        (Action.COMMENT, None),
    ],
)
def test_the_label_of_the_comment_says_whether_one_is_needed(
    app: Flask, client_of: ClientOf, action: Action, beside: str | None
) -> None:
    page = client_of("ada").get(url_of(runs.item(app))).text
    label = re.search(rf'for="{action.value}-text">\w+( <span class="label__optional">([^<]+)</span>)?</label>', page)
    assert label
    assert label.group(2) == beside


@pytest.mark.environ(LOTUS_REASON_CODES='{"approve": [{"code": "FINE", "text": "Fine"}]}', DPM_WORKFLOW_ENABLED="true")
def test_where_no_reason_needs_a_comment_it_is_optional(app: Flask, client_of: ClientOf) -> None:
    page = client_of("nora").get(url_of(runs.item(app))).text
    form = page[page.index('id="fold-approve"') : page.index('id="fold-reject"')]
    assert "optgroup" not in form
    assert '<span class="label__optional">optional</span>' in form


@pytest.mark.environ(
    LOTUS_REASON_CODES='{"approve": [{"code": "FINE", "text": "All is fine by us"}]}', DPM_WORKFLOW_ENABLED="true"
)
def test_pages_tell_a_decision_by_code_in_the_deployments_own_words(app: Flask, client_of: ClientOf) -> None:
    nora, decided, waiting = client_of("nora"), runs.item(app, key="a"), runs.item(app, key="b")
    runs.act(app, decided, Action.APPROVE, by=TOMAS, reason_code="FINE")
    studio = f"/studio/{waiting.partition(':exception:')[0]}"
    for address in ("/inbox?tab=closed", url_of(decided), url_of(waiting), studio):
        read = re.sub(r"<select.*?</select>", "", nora.get(address).text, flags=re.DOTALL)
        assert "All is fine by us" in read, address
