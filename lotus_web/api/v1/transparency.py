"""The transparency log of the caller's tenant: checkpoint, tiles and proofs (c2sp.org/tlog-tiles, docs/proof.md)."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import ConfigDict, Field, RootModel

from lotus_web.api.endpoint.params import Answer, QueryParams
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, Refuses, endpoint
from lotus_web.api.v1.envelope import LOG_MISMATCH, NOT_FOUND, NOT_SIGNED, V1Envelope
from lotus_web.domain.access import Permission
from lotus_web.domain.transparency.merkle import leaf_hash
from lotus_web.domain.transparency.notes import encode
from lotus_web.domain.transparency.tiles import SIZE_MAX, WIDTH
from lotus_web.http.path_ids import SLASH
from lotus_web.queries.transparency import proofs
from lotus_web.store.session import db

routes = ApiBlueprint("log", __name__, envelope=V1Envelope())

BAD_SIZES = Refuses(422, "invalid_argument", "the sizes are not in order, or larger than the last checkpoint's")
# A full tile never changes; a partial one is there for as long as it is anybody's.
UNCHANGING = "private, max-age=31536000, immutable"
EXAMPLE_NOTE = (
    "lotus-web/default\n3\nXgYcQvKvKbTZyB0y5HrwLrGJZJzTnTtFh8mNcBHoWsk=\n\n— lotus-web/default d29ya2luZyBleGFtcGxl\n"
)


class CheckpointText(RootModel[str]):
    """The last checkpoint, a signed note, with the signatures of witnesses."""

    model_config = ConfigDict(json_schema_extra={"contentMediaType": "text/plain"})


class TileBytes(RootModel[bytes]):
    """The hashes of a tile, 32 bytes each, or a bundle of entries, each after its length in two bytes."""

    model_config = ConfigDict(json_schema_extra={"contentMediaType": "application/octet-stream"})


class InclusionAnswer(Answer):
    """The proof that an entry is in the tree of the last checkpoint; hashes are base 64.

    ``leaf_hash`` is SHA-256 over a zero byte and the text ``entry_hash``.
    """

    event_id: str
    log_seq: int
    entry_hash: str
    leaf_hash: str
    leaf_index: int
    tree_size: int
    root_hash: str
    proof: list[str]
    checkpoint: str


class ConsistencyAnswer(Answer):
    """The proof that the tree of ``from_size`` is the beginning of that of ``to_size``; hashes are base 64."""

    from_size: int
    to_size: int
    from_root: str
    to_root: str
    proof: list[str]


class ConsistencyParams(QueryParams):
    """Two sizes of the tree; without ``to``, that of the last checkpoint."""

    from_: Annotated[int, Field(alias="from", ge=0, le=SIZE_MAX, description="the older size")]
    to: Annotated[int | None, Field(ge=0, le=SIZE_MAX, description="the newer size")] = None


@routes.get("/log/checkpoint")
@endpoint(
    "Return the last checkpoint of the log",
    permission=Permission.WORKFLOW_EXPORT,
    response=CheckpointText,
    refuses=(NOT_SIGNED,),
    example=EXAMPLE_NOTE,
)
def checkpoint(call: Call) -> Response:
    """Return the checkpoint as it was signed, with the signatures that witnesses have given so far."""
    session = db.session()
    note = proofs.cosigned_note(session, proofs.newest_checkpoint(session, call.actor.tenant_id))
    return Response(note, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


@routes.get("/log/tile/<path:tile>")
@endpoint(
    "Return a tile of the log's tree, or a bundle of entries",
    permission=Permission.WORKFLOW_EXPORT,
    response=TileBytes,
    refuses=(NOT_FOUND,),
    example="256 hashes of 32 bytes",
)
def tile(call: Call, tile: str) -> Response:
    """Return what ``<L>/<N>[.p/<W>]`` or ``entries/<N>[.p/<W>]`` names, as far as the last checkpoint covers it."""
    found, data = proofs.tile_bytes(db.session(), call.actor.tenant_id, tile.replace(SLASH, "/"))
    caching = UNCHANGING if found.width == WIDTH else "no-store"
    return Response(data, content_type="application/octet-stream", headers={"Cache-Control": caching})


@routes.get("/log/proof/inclusion/<ident:event_id>")
@endpoint(
    "Prove that an entry is in the log",
    permission=Permission.WORKFLOW_EXPORT,
    response=InclusionAnswer,
    refuses=(NOT_FOUND, NOT_SIGNED, LOG_MISMATCH),
)
def inclusion(call: Call, event_id: str) -> InclusionAnswer:
    """Return the proof of one entry, by its event id, for the last checkpoint."""
    found = proofs.inclusion_proof(db.session(), call.actor.tenant_id, event_id)
    return InclusionAnswer(
        event_id=found.event_id,
        log_seq=found.log_seq,
        entry_hash=found.entry_hash,
        leaf_hash=encode(leaf_hash(found.entry_hash.encode())),
        leaf_index=found.leaf_index,
        tree_size=found.tree_size,
        root_hash=encode(found.root),
        proof=[encode(step) for step in found.proof],
        checkpoint=found.checkpoint,
    )


@routes.get("/log/proof/consistency")
@endpoint(
    "Prove that the log only grew",
    permission=Permission.WORKFLOW_EXPORT,
    query=ConsistencyParams,
    response=ConsistencyAnswer,
    refuses=(NOT_SIGNED, LOG_MISMATCH, BAD_SIZES),
)
def consistency(call: Call, query: ConsistencyParams) -> ConsistencyAnswer:
    """Return the proof that the tree of one size is the beginning of that of another."""
    found = proofs.consistency_proof(db.session(), call.actor.tenant_id, query.from_, query.to)
    return ConsistencyAnswer(
        from_size=found.old,
        to_size=found.new,
        from_root=encode(found.old_root),
        to_root=encode(found.new_root),
        proof=[encode(step) for step in found.proof],
    )
