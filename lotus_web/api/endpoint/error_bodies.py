"""The models of refusals: every surface answers with one of them, and the OpenAPI document describes it from the same model.

They are built without validation (``model_construct``): an answer to a refused request must not be refused itself. Members
with a default are absent unless they are given.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field


class ErrorBody(BaseModel):
    """A refusal as JSON; ``code_at`` is the path to the member that names its code, empty where it has none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code_at: ClassVar[tuple[str, ...]] = ()

    def document(self) -> dict[str, Any]:
        """Return what is sent, without the members that were not given."""
        return self.model_dump(exclude_unset=True, warnings=False)

    def code(self) -> str | None:
        """Return the code that it names, None where it has none."""
        found: Any = self
        for name in self.code_at:
            found = getattr(found, name)
        return None if found is self else str(found)


class Problem(BaseModel):
    """One thing that is wrong with a request, and where."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(description="the kind of fault, stable")
    loc: list[str | int] = Field(description="where: header, query, path or body, then names and positions")
    msg: str = Field(description="the fault in a sentence")
    input: Any = Field(description="what was sent")
    ctx: dict[str, Any] = Field(default_factory=dict, description="the bounds that were crossed")

    @classmethod
    def of(cls, kind: str, loc: list[str | int], msg: str, sent: object, ctx: dict[str, Any] | None = None) -> Self:
        """Return a problem; ``sent`` is JSON already."""
        given: dict[str, Any] = {} if ctx is None else {"ctx": ctx}
        return cls.model_construct(type=kind, loc=loc, msg=msg, input=sent, **given)


class RefusalBody(ErrorBody):
    """A refusal by its stable code, or by HTTP's reason phrase where no route matches."""

    code_at = ("detail",)

    detail: str


class ForbiddenBody(ErrorBody):
    """A 403 by its stable code, with the facts that apply to it."""

    code_at = ("detail",)

    detail: str
    permission: str = Field(default_factory=str, description="the permission that is missing")
    tenant_id: str = Field(default_factory=str, description="the tenant that the token is not for")
    actor_id: str = Field(default_factory=str, description="the account that the caller may not act for")
    reason: str = Field(default_factory=str, description="what the enterprise policy misses")
    submitted_by: str | None = Field(default_factory=str, description="who submitted the run")
    requested_by: str | None = Field(default_factory=str, description="who requested the review")


class InvalidBody(ErrorBody):
    """Everything that is wrong with a request."""

    detail: list[Problem]


class FaultBody(ErrorBody):
    """A fault on our side as a problem document (RFC 9457); the cause is not disclosed."""

    type: Literal["about:blank"]
    title: Literal["Internal Server Error"]
    status: Literal[500]
    detail: str
    instance: str = Field(description="the requested path")
    correlation_id: str
