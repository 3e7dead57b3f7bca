"""Pages of features that a deployment can switch off: they answer 404, and nothing links to them (dpm-api §2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from lotus_web.config.features import ASYNC_OPERATIONS, PROPOSAL_ASYNC_OPERATIONS, PROPOSALS, SUPPORT, Feature
from lotus_web.domain.errors import NotFound
from lotus_web.domain.operations import OperationFamily
from lotus_web.domain.sentences import switched_off
from lotus_web.queries.operations.lookup import REBALANCES, Families

View = TypeVar("View", bound=Callable[..., Any])
MARK = "lotus_features"


def part_of(*features: Feature) -> Callable[[View], View]:
    """Answer 404 for a view while one of ``features`` is off."""

    def close(view: View) -> View:
        @wraps(view)
        def answer(*args: Any, **kwargs: Any) -> Any:
            check_open(*features)
            return view(*args, **kwargs)

        setattr(answer, MARK, features)
        return answer  # type: ignore[return-value]

    return close


def check_open(*features: Feature) -> None:
    """Raise NotFound if one of ``features`` is off."""
    for feature in features:
        if not feature.is_on:
            raise NotFound(feature.code, switched_off(feature.when_off))


def is_open(view: Callable[..., Any]) -> bool:
    """Return whether all features of a view are on."""
    features: tuple[Feature, ...] = getattr(view, MARK, ())
    return all(feature.is_on for feature in features)


def shown_operations() -> Families:
    """Return the families of operations that have pages now; those of proposals only while they are switched on too."""
    if not (SUPPORT.is_on and ASYNC_OPERATIONS.is_on):
        return ()
    shown_too = PROPOSALS.is_on and PROPOSAL_ASYNC_OPERATIONS.is_on
    return (*REBALANCES, OperationFamily.PROPOSALS) if shown_too else REBALANCES
