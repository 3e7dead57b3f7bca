"""Actions and kinds of subjects stand in one table each: nothing else lists them, names them or reads them out of an id."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from lotus_web.domain.events.opening import OPENERS
from lotus_web.domain.items.actions import ACTIONS, Action, action_keys
from lotus_web.domain.items.subjects import SUBJECTS, SubjectType, subject_of
from lotus_web.queries.items.subjects import READERS
from lotus_web.services.items.subjects import HANDLERS
from lotus_web.web.items.subjects import SECTIONS, SubjectSection

ROOT = Path(__file__).parents[2]
TABLE_OF_ACTIONS = ROOT / "lotus_web/domain/items/actions.py"
TABLE_OF_SUBJECTS = ROOT / "lotus_web/domain/items/subjects.py"
MODULES = sorted(path for path in (ROOT / "lotus_web").rglob("*.py") if "migrations" not in path.parts)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static/js").glob("*.js"))
ACTION_WORDS = {action.value for action in Action}
SUBJECT_WORDS = {spec.stored for spec in SUBJECTS.values()}
# The name of a kind that is also that of what it is about, in other vocabularies: only its place in an id gives it away.
PLAIN_WORDS = {"proposal"}
# Two actions side by side are a case, three are a table.
MOST = 2
PARSING = {"split", "rsplit", "partition", "rpartition", "startswith", "endswith", "removeprefix", "removesuffix"}
# Each id that a run could have which some text names, all of which are looked up (dpm-api §1.5).
NAMES_OF_PARTS = ROOT / "lotus_web/domain/identifiers.py"


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', '?')}"


def listed(node: ast.AST) -> list[ast.expr]:
    """Return the members of a display, or the cases of a match."""
    match node:
        case ast.Dict(keys=keys):
            return [key for key in keys if key is not None]
        case ast.Set(elts=found) | ast.List(elts=found) | ast.Tuple(elts=found):
            return found
        case ast.Match(cases=cases):
            return [one.pattern.value for one in cases if isinstance(one.pattern, ast.MatchValue)]
    return []


def action_of(node: ast.expr) -> str | None:
    match node:
        case (
            ast.Attribute(value=ast.Name(id="Action"), attr=name)
            | ast.Attribute(value=ast.Attribute(value=ast.Name(id="Action"), attr=name), attr="value")
        ):
            return name
        case ast.Constant(value=str(word)) if word in ACTION_WORDS:
            return word.upper()
    return None


def tables_of_actions(text: str) -> Iterator[ast.AST]:
    for node in ast.walk(ast.parse(text)):
        if len({action for one in listed(node) if (action := action_of(one))}) > MOST:
            yield node


def test_no_module_has_a_table_of_actions_of_its_own() -> None:
    found = [where(path, node) for path in MODULES for node in tables_of_actions(path.read_text(encoding="utf-8"))]
    assert [place for place in found if not place.startswith(str(TABLE_OF_ACTIONS.relative_to(ROOT)))] == []
    assert found, "the search does not even find the one table"


@pytest.mark.parametrize(
    "text",
    [
        "D = {Action.CLAIM: 1, Action.APPROVE: 2, Action.REJECT: 3}",
        "D = {Action.CLAIM, Action.APPROVE, Action.REJECT}",
        "D = (Action.CLAIM.value, Action.APPROVE.value, 'reject')",
        "match a:\n case Action.CLAIM:\n  1\n case Action.APPROVE:\n  2\n case Action.REJECT:\n  3",
    ],
)
def test_a_table_of_actions_is_known_in_any_form(text: str) -> None:
    assert len(list(tables_of_actions(text))) == 1


def test_no_template_has_a_table_of_actions_of_its_own() -> None:
    environment = Environment(extensions=["jinja2.ext.do"], autoescape=True)
    found = []
    for path in TEMPLATES:
        for node in environment.parse(path.read_text(encoding="utf-8")).find_all((nodes.Dict, nodes.List, nodes.Tuple)):
            keys = [pair.key for pair in node.items] if isinstance(node, nodes.Dict) else node.items
            words = {key.value for key in keys if isinstance(key, nodes.Const)} & ACTION_WORDS
            found += [f"{path.relative_to(ROOT)}:{node.lineno}"] if len(words) > MOST else []
    assert found == []


def test_no_script_has_a_table_of_actions_of_its_own() -> None:
    for path in SCRIPTS:
        quoted = set(re.findall(r"[\"'`](\w+)[\"'`]", path.read_text(encoding="utf-8")))
        assert len(quoted & ACTION_WORDS) <= MOST, path.name


def test_each_action_has_an_entry_with_words_of_its_own() -> None:
    assert list(ACTIONS) == list(Action)
    for words in ("label", "past", "did", "done"):
        said = [getattr(spec, words) for spec in ACTIONS.values()]
        assert all(said) and len(set(said)) == len(said), words
    keys = [spec.form.key for spec in ACTIONS.values() if spec.form.key]
    assert len(action_keys()) == len(keys) == len(set(keys))


def constants(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield the texts of a module but its docstrings."""
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    documented = {
        id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, holders) and ast.get_docstring(node)
    }  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node


def names_of_subjects(text: str) -> list[ast.Constant]:
    joints = tuple(f":{word}:" for word in SUBJECT_WORDS)
    return [
        node
        for node in constants(ast.parse(text))
        if node.value in SUBJECT_WORDS - PLAIN_WORDS or any(joint in node.value for joint in joints)
    ]


def test_the_names_of_subjects_stand_in_one_module() -> None:
    found = {path for path in MODULES if names_of_subjects(path.read_text(encoding="utf-8"))}
    assert found == {TABLE_OF_SUBJECTS}
    assert names_of_subjects("x = f'{trace_id}:exception:{run_id}'")
    for path in (*TEMPLATES, *SCRIPTS):
        quoted = set(re.findall(r"[\"'`]([\w:]+)[\"'`]", path.read_text(encoding="utf-8")))
        assert not quoted & (SUBJECT_WORDS - PLAIN_WORDS), path.name


@pytest.mark.parametrize(
    "table",
    [SUBJECTS, OPENERS, READERS, HANDLERS, SECTIONS],
    ids=lambda table: type(next(iter(table.values()))).__name__,
)
def test_each_kind_of_subject_has_an_entry_in_the_table_of_each_layer(table: dict[SubjectType, object]) -> None:
    assert list(table) == list(SubjectType)


def test_the_fields_of_an_item_say_what_it_is_about() -> None:
    for subject, spec in SUBJECTS.items():
        assert subject_of(spec.stored, run_id="rr_1" if spec.is_run else None) is subject
    with pytest.raises(ValueError, match="no item is about a memo"):
        subject_of("a memo", run_id=None)


def test_the_sections_of_each_kind_of_subject_are_there() -> None:
    names = [name for name in SubjectSection.__slots__ if name != "context"]
    for section in SECTIONS.values():
        for template in filter(None, (getattr(section, name) for name in names)):
            assert (ROOT / "templates" / template).is_file(), template


def read_ids(text: str) -> Iterator[ast.Call]:
    """Yield where the text of an id is taken apart, or looked at for how it begins or ends."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name), attr=method)) if (
                method in PARSING and (name.endswith("_id") or name in ("subject", "ident"))
            ):
                yield node


def test_no_id_is_read_to_find_out_what_it_names() -> None:
    assert [where(path, node) for path in MODULES for node in read_ids(path.read_text(encoding="utf-8"))] == []
    assert len(list(read_ids("a, _, b = item.workflow_id.rpartition(':'); subject.startswith('rr_')"))) == 2
    prefixes = re.compile(r"[\"'](rr|dra|dwd|apr|act|evt)_[\"'`]")
    for path in MODULES:
        for line in path.read_text(encoding="utf-8").splitlines():
            making = "new_id(" in line or "hashlib" in line or path == NAMES_OF_PARTS
            assert making or not prefixes.search(line), f"{path.relative_to(ROOT)}: {line.strip()}"
