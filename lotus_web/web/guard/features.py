"""Pages of parts that a deployment switches off: they say so with a 404, and nothing links to them (dpm-api §2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from lotus_web.config.features import Feature
from lotus_web.domain.errors import NotFound
from lotus_web.domain.sentences import Sentence

View = TypeVar("View", bound=Callable[..., Any])
MARK = "lotus_features"


def part_of(*features: Feature) -> Callable[[View], View]:
    """Close a view while one of ``features`` is switched off."""

    def close(view: View) -> View:
        @wraps(view)
        def answer(*args: Any, **kwargs: Any) -> Any:
            check_open(*features)
            return view(*args, **kwargs)

        setattr(answer, MARK, features)
        return answer  # type: ignore[return-value]

    return close


def check_open(*features: Feature) -> None:
    """Raise NotFound, in words for a person, where one of ``features`` is switched off."""
    for feature in features:
        if not feature.is_on:
            raise NotFound(
                feature.code,
                Sentence(
                    "{feature} here: whoever runs this service has turned that part off.", feature=feature.when_off
                ),
            )


def is_open(view: Callable[..., Any]) -> bool:
    """Return whether every part that a view belongs to is switched on."""
    features: tuple[Feature, ...] = getattr(view, MARK, ())
    return all(feature.is_on for feature in features)
