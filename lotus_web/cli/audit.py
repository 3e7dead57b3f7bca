"""Commands that prove the history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from lotus_web.cli import audit_keys, audit_witness
from lotus_web.cli.audit_parts import MOST_PROCESSES, processes_for, verdict, verdict_of_processes
from lotus_web.cli.transactions import reading, say, with_a_log
from lotus_web.domain.json_members import each_once
from lotus_web.domain.transparency.notes import InvalidNote, Note, parse_note
from lotus_web.queries.audit.chain import ChainReport
from lotus_web.wire.audit import export_faults

group = AppGroup("audit", help="Verify that the history was not changed.")
group.add_command(audit_keys.group)
group.add_command(audit_witness.group)


@group.command("verify")
@click.option("--tenant", help="Only this tenant's chain; all of them otherwise.")
@click.option(
    "--checkpoint",
    "kept",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that was kept outside the store; may be given several times.",
)
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An export instead of the store.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, MOST_PROCESSES),
    help="How many processes verify a store; of a long log as many as there are processors, otherwise one.",
)
def verify(tenant: str | None, kept: tuple[Path, ...], path: Path | None, processes: int | None) -> None:
    """Verify the hash chain of the store, or of an export file; exit 1 when it is broken, naming the first bad entry."""
    if path is not None:
        intact = _file_intact(path)
    else:
        with reading() as session:
            intact = _store_intact(session, tenant, read_kept(kept), processes)
    if not intact:
        raise click.exceptions.Exit(1)


def _store_intact(session: Session, tenant: str | None, kept: Sequence[Note], processes: int | None) -> bool:
    tenants = with_a_log(session, tenant)
    if not tenants:
        say("No tenant has a log yet.")
    many = processes or processes_for(session, tenants)
    results = [_tenant_intact(session, name, kept, many) for name in tenants]
    return all(results)


def _tenant_intact(session: Session, tenant_id: str, kept: Sequence[Note], processes: int) -> bool:
    if processes > 1:
        found = verdict_of_processes(session, tenant_id, kept, processes)
    else:
        found = verdict(session, tenant_id, kept)
    chain, tree = found.chain, found.tree
    say(_sentence(chain), err=not chain.intact)
    # What is compared with the log can be trusted no more than the log.
    for sentence in (*found.contradictions, *tree.wrong):
        say(f"{tenant_id}: BROKEN: {sentence}", err=True)
    if tree.checkpoints and tree.intact:
        say(f"{tenant_id}: checkpoints: {tree.checkpoints}, the last one over {tree.size} entries, all verified")
    return chain.intact and tree.intact and not found.contradictions


def _sentence(report: ChainReport) -> str:
    if report.intact:
        return f"{report.tenant_id}: intact, {report.entries} entries, head {report.head_hash}"
    at = "" if report.first_bad is None else f" at entry {report.first_bad}"
    return f"{report.tenant_id}: BROKEN{at} after {report.entries} good entries: {report.why}"


def _file_intact(path: Path) -> bool:
    try:
        document: Any = json.loads(path.read_bytes(), parse_float=Decimal, object_pairs_hook=each_once)
    except (ValueError, RecursionError) as problem:
        say(f"{path}: BROKEN: it is not a JSON document ({problem})", err=True)
        return False
    wrong = export_faults(document)
    for sentence in wrong:
        say(f"{path}: BROKEN: {sentence}", err=True)
    if not wrong:
        say(f"{path}: intact")
    return not wrong


def read_kept(paths: Sequence[Path]) -> list[Note]:
    """Return the checkpoints in files; raises BadParameter for a file that holds none."""
    found = []
    for path in paths:
        try:
            found.append(parse_note(path.read_bytes()))
        except (OSError, InvalidNote) as problem:
            raise click.BadParameter(f"{path}: {problem}", param_hint="--checkpoint") from problem
    return found
