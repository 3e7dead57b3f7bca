"""The callback that a submitted operation may ask for: its refusals, and the check before anything is stored.

The routes that submit operations share it: of analyses and of proposals.
"""

from __future__ import annotations

from lotus_web.api.endpoint.routing import Refuses
from lotus_web.config import current
from lotus_web.domain.deliveries.signing import NOT_CONFIGURED
from lotus_web.services.deliveries.callbacks import CallbackTerms, check_callback

CALLBACKS_OFF = Refuses(
    422,
    NOT_CONFIGURED,
    "the request names a `callback_url` and `LOTUS_CALLBACK_SECRETS` is empty",
)


def checked(callback_url: str | None) -> str | None:
    """Return the address to call back, None where there is none.

    Raises InvalidInput where callbacks are off (``CALLBACKS_NOT_CONFIGURED``) or may not go there.
    """
    if callback_url is not None:
        check_callback(callback_url, CallbackTerms.of(current.settings()))
    return callback_url
