"""The exports of an item and of a proposal with their proof, and the verification of such a file with nothing else at hand (workflow.md §6).

``proof`` holds, oldest first, the chain entries of the item's events (``entries``) and, after each, what leads to the next
or to the ``head`` (``links``): for every entry of others in between only the hash of what it says. An entry's hash is
``sha256({content_hash, prev_hash})``, so hashing along the links must end at the next entry's ``prev_hash`` and at last at
the head; what others' entries say stays with them. A link costs 67 bytes. At most ``LINKS_MAX`` are written: a longer way
is ``omitted`` with the number of its entries and is covered by the verification of the store.

Verification recomputes every hash, follows the links, folds the proven events and the manual actions into the item once
more and compares; ``document_hash`` covers what no fold gives (times of export, notifications). An edit of anything breaks
one of these. Who edits the file *and* computes every hash anew makes another chain: its head is not the store's, which is
why the head is named (compare it with ``audit verify`` on the store or with an earlier export).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from lotus_web.domain.canonical import HASH_PREFIX, canonical_json, content_hash
from lotus_web.domain.errors import LotusError
from lotus_web.domain.events.envelope import EventType, Poster, entry_content_hash, link_hash
from lotus_web.domain.events.rebuild import rebuild_trace
from lotus_web.domain.items.state import ActionRecord, ItemState, LoggedEvent, Origin
from lotus_web.wire.items import action_document, action_of_document, instant, item_document
from lotus_web.wire.proposals.artifact import artifact_hash

EXPORT_VERSION = 1
LINKS_MAX = 10_000

Document = Mapping[str, Any]


def sealed(document: Document) -> dict[str, Any]:
    """Return the document with the hash over all of it in its proof."""
    return {**document, "proof": {**document["proof"], "document_hash": document_hash(document)}}


def document_hash(document: Document) -> str:
    """Return the hash over an export without its own ``document_hash``."""
    proof = {key: value for key, value in document["proof"].items() if key != "document_hash"}
    return content_hash({**document, "proof": proof})


def entry_document(envelope: Document, *, log_seq: int, stored: Any, poster: Poster | None) -> dict[str, Any]:
    """Return a chain entry as JSON: the event in full and what storage added to it; ``posted_by`` where someone fed it."""
    posted = {} if poster is None else {"posted_by": poster.as_dict()}
    return {
        "log_seq": log_seq,
        "event": {**envelope, "occurred_at": instant(envelope["occurred_at"])},
        "recorded_at": instant(stored.recorded_at),
        "applied_defaults": stored.applied_defaults,
        **posted,
        "payload_hash": stored.payload_hash,
        "prev_hash": stored.prev_hash,
        "entry_hash": stored.entry_hash,
    }


def audit_summary(item: ItemState, *, actions: int, notifications: int, now: datetime) -> dict[str, Any]:
    """Return the summary of an export."""
    return {
        "action_count": actions,
        "notification_count": notifications,
        "closed": not item.is_open,
        "overdue": item.overdue(now),
        "current_decision": item.current_decision,
        "workflow_kind": item.workflow_kind.value,
    }


def export_faults(document: Any) -> tuple[str, ...]:
    """Return what is wrong with an export, in sentences, the first bad entry first; empty when it is intact.

    Takes the document itself or the answer of the API with the document under ``data``.
    """
    try:
        inner = document["data"] if "export_version" not in document else document
        return tuple(_faults(inner))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError, LotusError) as problem:
        return (f"it is not an export that this version knows ({type(problem).__name__}: {problem})",)


def _faults(document: Document) -> Iterator[str]:
    if document["export_version"] != EXPORT_VERSION:
        yield f"export_version {document['export_version']} is not {EXPORT_VERSION}"
    yield from _entry_faults(document["proof"])
    yield from _link_faults(document["proof"])
    yield from _proposal_faults(document) if "proposal" in document else _fold_faults(document)
    if document_hash(document) != document["proof"]["document_hash"]:
        yield "the document is not the one that was hashed"


def _entry_faults(proof: Document) -> Iterator[str]:
    for entry in proof["entries"]:
        event = entry["event"]
        name = f"entry {entry['log_seq']}, {event['event_id']}"
        if content_hash(event["payload"]) != entry["payload_hash"]:
            yield f"{name}: the payload is not what was hashed"
        content = entry_content_hash(
            {key: canonical_json(value) for key, value in event.items() if key != "payload"},
            payload_hash=entry["payload_hash"],
            recorded_at=canonical_json(entry["recorded_at"]),
            applied_defaults=canonical_json(entry["applied_defaults"]),
            poster=Poster(**entry["posted_by"]) if "posted_by" in entry else None,
        )
        if link_hash(content, entry["prev_hash"]) != entry["entry_hash"]:
            yield f"{name}: the entry is not what was hashed"


def _link_faults(proof: Document) -> Iterator[str]:
    entries, links, head = proof["entries"], proof["links"], proof["head"]
    if not entries or len(links) != len(entries):
        yield "the proof has not one way onwards for each of its entries"
        return
    ends = [
        *((entry["prev_hash"], f"entry {entry['log_seq']}") for entry in entries[1:]),
        (head["entry_hash"], "the head"),
    ]
    for entry, link, (end, name) in zip(entries, links, ends, strict=True):
        if link["omitted"]:
            continue
        reached = entry["entry_hash"]
        for digest in link["content_hashes"]:
            reached = link_hash(HASH_PREFIX + digest, reached)
        if reached != end or len(link["content_hashes"]) != link["entries"]:
            yield f"entry {entry['log_seq']}: the links after it do not lead to {name}"


def _fold_faults(document: Document) -> Iterator[str]:
    """Fold the proven events and the manual actions once more and compare with what the document says."""
    workflow, now = document["workflow"], datetime.fromisoformat(document["exported_at"])
    records = [action_of_document(action) for action in document["workflow_actions"]]
    manual = [record for record in records if record.origin is Origin.MANUAL]
    manual.sort(key=lambda record: record.after_log_seq)
    folded = rebuild_trace([_event(entry) for entry in document["proof"]["entries"]], manual)
    yield from folded.inconsistencies
    item = folded.items.get(workflow["workflow_id"])
    if item is None:
        yield "no event of the proof opens the item"
        return
    expected = item_document(item, now=now)
    names = sorted(key for key in {*expected, *workflow} if not _same(expected.get(key), workflow.get(key)))
    if names:
        yield f"workflow: {', '.join(names)} differ from what the events and actions give"
    yield from _action_faults(folded.actions, records)
    counts = {"actions": len(records), "notifications": len(document["workflow_notifications"])}
    if not _same(audit_summary(item, **counts, now=now), document["audit_summary"]):
        yield "audit_summary differs from what the document holds"


def _proposal_faults(document: Document) -> Iterator[str]:
    """Compute the hashes of each version again, and compare them with what the log said when it was made."""
    events = [entry["event"] for entry in document["proof"]["entries"]]
    logged = {
        event["payload"]["action_id"]: event["payload"]["artifact_hash"]
        for event in events
        if event["event_type"] == EventType.ACTION_PROPOSED
    }
    for version in document["versions"]:
        name, artifact = f"version {version['version_no']}", version["artifact"]
        if artifact_hash(version["result"]) != version["simulation_hash"]:
            yield f"{name}: the result does not match its hash"
        if artifact["evidence_bundle"] and artifact_hash(artifact) != version["artifact_hash"]:
            yield f"{name}: the artifact does not match its hash"
        if logged.get(version["proposal_version_id"]) != version["artifact_hash"]:
            yield f"{name}: its artifact hash is not the one in the log"


def _action_faults(expected: Mapping[str, ActionRecord], records: list[ActionRecord]) -> Iterator[str]:
    found = {record.action_id: record for record in records if record.origin is Origin.EVENT}
    for action_id in sorted(expected.keys() | found.keys()):
        one, other = expected.get(action_id), found.get(action_id)
        if one is None or other is None or not _same(action_document(one), action_document(other)):
            yield f"action {action_id} differs from its event"


def _event(entry: Document) -> LoggedEvent:
    event = entry["event"]
    same = ("event_id", "tenant_id", "trace_id", "event_type", "actor", "payload")
    return LoggedEvent(
        **{name: event[name] for name in same},
        log_seq=entry["log_seq"],
        occurred_at=datetime.fromisoformat(event["occurred_at"]),
        producer_id=event["source"]["producer_id"],
        applied_defaults=entry["applied_defaults"],
    )


def _same(one: Any, other: Any) -> bool:
    return canonical_json(one) == canonical_json(other)
