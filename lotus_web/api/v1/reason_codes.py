"""The catalogue of reasons in force, the same that forms offer."""

from __future__ import annotations

from lotus_web.api.endpoint.params import Answer
from lotus_web.api.endpoint.routing import ApiBlueprint, Call, endpoint
from lotus_web.api.v1.envelope import V1Envelope
from lotus_web.config import current
from lotus_web.domain.access import Permission
from lotus_web.domain.decisions.reason_codes import is_closed

routes = ApiBlueprint("reasons", __name__, envelope=V1Envelope())


class ReasonAnswer(Answer):
    """A reason; ``needs_comment`` where the code alone does not say enough."""

    code: str
    text: str
    needs_comment: bool


class ReasonCatalogueAnswer(Answer):
    """The reasons by action; ``closed`` says that no others are accepted."""

    actions: dict[str, list[ReasonAnswer]]
    closed: bool


@routes.get("/reason-codes")
@endpoint("List the reasons that decisions give", permission=Permission.RUNS_READ, response=ReasonCatalogueAnswer)
def reason_codes(call: Call) -> ReasonCatalogueAnswer:
    """Return the catalogue in force."""
    codes = current.settings().reason_codes
    actions = {
        action.value: [ReasonAnswer.model_validate(reason) for reason in reasons] for action, reasons in codes.items()
    }
    return ReasonCatalogueAnswer(actions=actions, closed=is_closed(codes))
