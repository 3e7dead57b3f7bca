"""Requests that make a proposal or a version of it (proposals-api §2); unknown fields are ignored and part of no hash."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from lotus_web.domain.canonical import content_hash
from lotus_web.domain.errors import InvalidInput
from lotus_web.domain.free_text import clean_line, clean_text
from lotus_web.wire.deliveries import CallbackUrlText
from lotus_web.wire.proposals.request import SimulateRequestBody
from lotus_web.wire.rebalance.snapshot import WireModel
from lotus_web.wire.scalars import ActorId, storable_text

CALLBACK = "callback_url"
LINE_MAX = 255
NOTES_MAX = 10_000


def _shown(clean: Callable[..., str], text: str) -> str:
    """Return a text as it is stored; raises ValueError for one that cannot be shown."""
    try:
        return clean(storable_text(text), what="it", loc=("body",))
    except InvalidInput as wrong:
        raise ValueError(wrong.message) from None


Line = Annotated[str, StringConstraints(max_length=LINE_MAX), AfterValidator(partial(_shown, clean_line))]
Notes = Annotated[str, StringConstraints(max_length=NOTES_MAX), AfterValidator(partial(_shown, clean_text))]


class ProposalMetadataBody(WireModel):
    """What a proposal is called and whose it is; a later version changes none of it."""

    title: Line | None = None
    advisor_notes: Notes | None = None
    jurisdiction: Line | None = None
    mandate_id: Line | None = None


class CreateProposalBody(WireModel):
    """A new proposal; ``created_by`` is the token's account, or whom it may speak for."""

    created_by: ActorId
    simulate_request: SimulateRequestBody
    metadata: ProposalMetadataBody = Field(default_factory=ProposalMetadataBody)


class ProposalVersionBody(WireModel):
    """A new version of a proposal; ``expected_version_no``, if sent, must be the current version."""

    created_by: ActorId
    simulate_request: SimulateRequestBody
    expected_version_no: int | None = None


class CreateProposalOperationBody(CreateProposalBody):
    """A new proposal, and optionally where to say that the operation has ended."""

    callback_url: CallbackUrlText | None = None

    def command(self) -> CreateProposalBody:
        """Return the request alone, which is what is stored, hashed and carried out."""
        return CreateProposalBody.model_construct(
            self.model_fields_set - {CALLBACK},
            **{name: getattr(self, name) for name in CreateProposalBody.model_fields},
        )


class ProposalVersionOperationBody(ProposalVersionBody):
    """A new version, and optionally where to say that the operation has ended."""

    callback_url: CallbackUrlText | None = None

    def command(self) -> ProposalVersionBody:
        """Return the request alone, which is what is stored, hashed and carried out."""
        return ProposalVersionBody.model_construct(
            self.model_fields_set - {CALLBACK},
            **{name: getattr(self, name) for name in ProposalVersionBody.model_fields},
        )


def request_hash(body: BaseModel) -> str:
    """Return the hash of a request as it was understood: however it was written, defaults left out (delta 3)."""
    asked: dict[str, Any] = body.model_dump(exclude_defaults=True)
    return content_hash(asked)
