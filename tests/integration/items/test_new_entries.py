"""What is added to the tables of actions and of subjects, and nowhere else, works on every surface."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.variants import run_varied

pytestmark = pytest.mark.stores("sqlite")

ACTION = """    Action.PIN_UP: ActionSpec(
        label="Pin up",
        past="Pinned up",
        did="pinned it up",
        done="Pinned up for all to see.",
        permission=Permission.WORKFLOW_ASSIGN,
        form=Form(Group.MORE, "eye", "warn", "secondary", key="v", order=4),
        steps=_staying(OPEN),
        text=Text.REASON,
        reasons=(ReasonCode("WORTH_A_LOOK", "Worth a look"),),
    ),
"""
OPENED = """def memo_item(event: LoggedEvent, trace: TraceContext) -> ItemState:
    return _new_item(
        event,
        trace,
        kind=WorkflowKind.INCIDENT_REVIEW,
        subject=(SubjectType.MEMO, event.payload["action_id"]),
        hours=2,
        source="memo",
        priority=Priority.HIGH,
    )


"""
OPENER = '    SubjectType.MEMO: Opener(EventType.ACTION_PROPOSED, "action_id", memo_item),\n'
READER = """    SubjectType.MEMO: SubjectReader(
        facts=lambda _session, item: SubjectFacts(Evidence("sha256:memo", "a-writer"), "DRAFT"),
        page=lambda _session, _item: (Evidence("sha256:memo", "a-writer"), {"words": "A memo of four words"}),
        evaluation=lambda _item: None,
    ),
"""
HANDLER = """    SubjectType.MEMO: SubjectHandler(
        evidence=lambda _session, _item: Evidence("sha256:memo", "a-writer"),
        decide=lambda _session, case: print("decided on", case.item.subject_id),
    ),
"""
SECTION = """    SubjectType.MEMO: SubjectSection(
        why="items/_why_memo.html", context=lambda _session, _detail, about: {"memo": about["words"]}
    ),
"""
LAST_KIND = "    SubjectType.TRACE_REVIEW: _ITEM_ALONE,\n"
NEW_SUBJECT = {
    "lotus_web/domain/items/subjects.py": [
        ('    TRACE_REVIEW = "trace_review"  # a review of a trace that someone started\n', '    MEMO = "memo"\n'),
        (
            '    SubjectType.TRACE_REVIEW: SubjectSpec(stored="trace_review"),\n',
            '    SubjectType.MEMO: SubjectSpec(stored="memo", noun="this memo", submitted="wrote it"),\n',
        ),
    ],
    "lotus_web/domain/events/opening.py": [
        ("OPENERS: Mapping[SubjectType, Opener] = {\n", OPENER),
        ("        return str(holder[self.subject_key])\n", f"\n\n{OPENED}"),
    ],
    "lotus_web/queries/items/subjects.py": [(LAST_KIND, READER)],
    "lotus_web/services/items/subjects.py": [(LAST_KIND, HANDLER)],
    "lotus_web/web/items/subjects.py": [(LAST_KIND, SECTION)],
}


def test_an_action_of_the_table_is_on_every_surface(tmp_path: Path, environ: dict[str, str]) -> None:
    table = [
        ('    OVERRIDE = "override"\n', '    PIN_UP = "pin_up"\n'),
        ("ACTIONS: Mapping[Action, ActionSpec] = {\n", ACTION),
    ]
    run_varied(
        tmp_path, {"lotus_web/domain/items/actions.py": table}, "tests.integration.items.with_new_action", environ
    )


def test_a_kind_of_subject_is_an_entry_in_five_tables_and_its_template(tmp_path: Path, environ: dict[str, str]) -> None:
    page = {"items/_why_memo.html": "<p>{{ memo }}</p>"}
    run_varied(tmp_path, NEW_SUBJECT, "tests.integration.items.with_new_subject", environ, templates=page)
