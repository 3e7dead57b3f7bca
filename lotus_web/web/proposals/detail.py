"""The page of one proposal: its current or an earlier version, what may be done now, and what happened."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from lotus_web.config import current
from lotus_web.config.features import PROPOSAL_SUPPORT, PROPOSALS
from lotus_web.domain.access import Permission
from lotus_web.domain.free_text import without_untaken
from lotus_web.domain.proposals.reviews import review_item_id
from lotus_web.domain.proposals.states import IN_REVIEW, TERMINAL
from lotus_web.domain.proposals.steps import choices, new_version_refusal
from lotus_web.queries.proposals.lookup import proposal_version
from lotus_web.queries.proposals.view import proposal_view, view_of_version
from lotus_web.store.new_ids import new_id
from lotus_web.store.session import db
from lotus_web.web.format.record_links import lineage_url
from lotus_web.web.guard.access import current_actor, requires
from lotus_web.web.guard.drafts import draft_for
from lotus_web.web.guard.features import part_of
from lotus_web.web.proposals.events import event_entries
from lotus_web.web.shell.downloads import file_export
from lotus_web.web.shell.htmx import page_or_fragment

blueprint = Blueprint("proposal", __name__)


@dataclass(frozen=True, slots=True)
class TypedStep:
    """The form of a step as it was sent: what to do, on which state and version, with which comment."""

    step: str = ""
    state: str = ""
    version: str = ""
    key: str = ""
    comment: str = ""

    @classmethod
    def of(cls, fields: MultiDict[str, str]) -> TypedStep:
        """Read what was sent."""
        return cls(*(fields.get(name, "") for name in ("step", "state", "version", "key", "comment")))


@blueprint.get("/proposals/<ident:proposal_id>")
@requires(Permission.RUNS_READ)
@part_of(PROPOSALS)
def show(proposal_id: str) -> ResponseReturnValue:
    """Show a proposal with its current version."""
    kept = TypedStep.of(draft_for(url_for("proposal_steps.take", proposal_id=proposal_id)))
    return proposal_page(proposal_id, typed=kept)


def proposal_page(
    proposal_id: str, *, status: int = 200, typed: TypedStep | None = None, refused: str | None = None
) -> Response:
    """Render the page of a proposal as it stands, with the step that was refused if there is one; raises NotFound."""
    actor, policy = current_actor(), current.policy()
    found = proposal_view(db.session(), actor.tenant_id, proposal_id)
    standing = found.standing
    return page_or_fragment(
        "proposals/proposal.html",
        "proposals/_proposal.html",
        status,
        found=found,
        proposal=found.proposal,
        version=found.current,
        evidence=found.current.evidence,
        steps=choices(standing, actor, policy.four_eyes),
        no_new_version=new_version_refusal(standing, actor, policy.proposals),
        has_ended=standing.state in TERMINAL,
        review_item=review_item_id(proposal_id) if standing.state in IN_REVIEW else None,
        entries=event_entries(found.events),
        key=new_id("form_"),
        opened=typed.step if typed else "",
        comment=without_untaken(typed.comment) if typed else "",
        refused=refused,
        hold_url=url_for("retention.show_proposal", proposal_id=proposal_id) if PROPOSAL_SUPPORT.is_on else None,
        lineage=lineage_url(proposal_id),
        now=current.utcnow(),
    )


@blueprint.get("/proposals/<ident:proposal_id>/versions/<int:version_no>")
@requires(Permission.RUNS_READ)
@part_of(PROPOSALS)
def version(proposal_id: str, version_no: int) -> ResponseReturnValue:
    """Show one version as it was made."""
    found = view_of_version(db.session(), current_actor().tenant_id, proposal_id, version_no)
    return page_or_fragment(
        "proposals/version.html",
        "proposals/_version.html",
        proposal_id=proposal_id,
        version=found,
        evidence=found.evidence,
        lineage=lineage_url(proposal_id),
        now=current.utcnow(),
    )


@blueprint.get("/proposals/<ident:proposal_id>/versions/<int:version_no>/artifact")
@requires(Permission.RUNS_READ)
@part_of(PROPOSALS)
def artifact(proposal_id: str, version_no: int) -> ResponseReturnValue:
    """Send the artifact of a version, its evidence included, as a file."""
    session, tenant_id = db.session(), current_actor().tenant_id
    return file_export(
        lambda: proposal_version(session, tenant_id, proposal_id, version_no).artifact,
        f"{proposal_id}-v{version_no}-artifact",
        "json",
    )
