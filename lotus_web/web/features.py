"""Parts that a deployment switches off: their pages say so with a 404, and nothing links to them (dpm-api §2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from lotus_web import current
from lotus_web.domain.errors import NotFound

View = TypeVar("View", bound=Callable[..., Any])
MARK = "lotus_features"


@dataclass(frozen=True, slots=True)
class Feature:
    """A part with the attribute of Settings that switches it, the code that the JSON routes give, and its name in words."""

    setting: str
    code: str
    name: str

    @property
    def is_on(self) -> bool:
        """Whether the part is switched on at this moment."""
        return bool(getattr(current.settings(), self.setting))

    def check(self) -> None:
        """Raise NotFound, in words for a person, where the part is switched off."""
        if not self.is_on:
            raise NotFound(self.code, f"{self.name} here: whoever runs this service has turned that part off.")


SUPPORT = Feature("support_apis_enabled", "DPM_SUPPORT_APIS_DISABLED", "Support pages are switched off")
SUPPORT_BUNDLE = Feature(
    "support_bundle_apis_enabled", "DPM_SUPPORT_BUNDLE_APIS_DISABLED", "Support bundles are switched off"
)
LINEAGE = Feature("lineage_apis_enabled", "DPM_LINEAGE_APIS_DISABLED", "Lineage is switched off")
OPERATIONS = Feature("async_operations_enabled", "DPM_ASYNC_OPERATIONS_DISABLED", "Operations are switched off")
BY_HAND = Feature(
    "async_manual_execution_enabled",
    "DPM_ASYNC_MANUAL_EXECUTION_DISABLED",
    "Executing operations by hand is switched off",
)
KEY_HISTORY = Feature(
    "idempotency_history_apis_enabled",
    "DPM_IDEMPOTENCY_HISTORY_APIS_DISABLED",
    "The history of idempotency keys is switched off",
)


def part_of(*features: Feature) -> Callable[[View], View]:
    """Close a view while one of ``features`` is switched off."""

    def close(view: View) -> View:
        @wraps(view)
        def answer(*args: Any, **kwargs: Any) -> Any:
            for feature in features:
                feature.check()
            return view(*args, **kwargs)

        setattr(answer, MARK, features)
        return answer  # type: ignore[return-value]

    return close


def is_open(view: Callable[..., Any]) -> bool:
    """Return whether every part that a view belongs to is switched on."""
    features: tuple[Feature, ...] = getattr(view, MARK, ())
    return all(feature.is_on for feature in features)
